import type { Following } from '#claims';
import type pg from 'pg';

/** The channel on which the database tells the number of each publication. */
const channel = 'claimbridge_publish';
const shortestPause = 500;
const longestPause = 15_000;

export interface PublishWatchOptions {
  /** A session to listen on, not yet connected. */
  readonly connect: () => Promise<pg.Client>;
  /** The number of the last publication; undefined where it cannot be had. */
  readonly poll: () => Promise<number | undefined>;
  /** How often it is asked for, in milliseconds. */
  readonly interval: number;
  readonly changed: () => void;
}

/**
 * Finds out that something was published: at once by the database's own word (LISTEN), and by asking at an interval where that
 * connection was lost. A lost one is opened again, with pauses that differ between replicas.
 */
export class PublishWatch {
  private session: pg.Client | undefined;
  private last: number | undefined;
  private reachable = true;
  private feeling = false;
  private confirmedAt: Date | undefined;
  private pause = shortestPause;
  private reopening: NodeJS.Timeout | undefined;
  private readonly polling: NodeJS.Timeout;
  private closed = false;

  constructor(private readonly options: PublishWatchOptions) {
    this.polling = setInterval(() => void this.check(), options.interval).unref();
    void this.listen();
  }

  get following(): Following {
    const listening = this.session !== undefined;
    return this.confirmedAt ? { listening, confirmedAt: this.confirmedAt } : { listening };
  }

  /** A publication, heard of from whomever. */
  announce(sequence: number): void {
    if (this.last !== undefined && sequence <= this.last) return;
    this.last = sequence;
    this.options.changed();
  }

  /** Everything was read when the last publication had this number. */
  caughtUp(sequence: number): void {
    this.last = Math.max(sequence, this.last ?? 0);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.polling);
    clearTimeout(this.reopening);
    const { session } = this;
    this.session = undefined;
    if (session) await end(session);
  }

  private async listen(): Promise<void> {
    let session: pg.Client | undefined;
    try {
      session = await this.options.connect();
      session.on('end', () => this.lost(session!));
      session.on('notification', ({ payload }) => this.announce(Number(payload)));
      await session.connect();
      await session.query(`listen ${channel}`);
    } catch {
      if (session) void end(session);
      this.reopen();
      return;
    }
    if (this.closed) return end(session);
    this.session = session;
    this.pause = shortestPause;
    // What was told while nobody listened.
    await this.check();
  }

  private async check(): Promise<void> {
    this.feel();
    const sequence = await this.options.poll();
    if (this.closed) return;
    const told = sequence === this.last && sequence !== undefined;
    if (told && this.reachable) this.confirmedAt = new Date();
    else if (sequence !== undefined || this.reachable) this.options.changed();
    this.reachable = sequence !== undefined;
    // A smaller number than before: the database was restored from a backup.
    this.last = sequence ?? this.last;
  }

  /** Whether the session still has a server at its end. */
  private feel(): void {
    const { session } = this;
    if (!session || this.feeling) return;
    this.feeling = true;
    session
      .query('select 1')
      .catch(() => end(session))
      .finally(() => (this.feeling = false));
  }

  private lost(session: pg.Client): void {
    if (this.session !== session) return;
    this.session = undefined;
    this.reopen();
  }

  private reopen(): void {
    if (this.closed) return;
    this.reopening = setTimeout(() => void this.listen(), this.pause * (0.5 + Math.random())).unref();
    this.pause = Math.min(this.pause * 2, longestPause);
  }
}

/** A server that does not answer the farewell is left. */
async function end(session: pg.Client): Promise<void> {
  const cutOff = setTimeout(() => (session as unknown as { connection: pg.Connection }).connection.stream.destroy(), 1_000);
  await session.end().catch(() => undefined);
  clearTimeout(cutOff);
}
