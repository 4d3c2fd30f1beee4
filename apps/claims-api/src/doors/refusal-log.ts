import { FailureLimit } from '#entra-auth';
import type { Logger } from '#observability';

/** What anybody who reaches a door can cause without being known. */
const causedByStrangers: ReadonlySet<string> = new Set([
  'request.malformed',
  'request.expectation',
  'request.timeout',
  'request.tooLarge',
  'request.headersTooLarge',
  'route.unknown',
  'route.method',
  'caller.unauthenticated',
  'keys.unavailable',
]);

const window = 60_000;

/** All peers together may have so many times the lines of one. */
const peersAtOnce = 10;

/**
 * Keeps those whom nobody vouches for from filling the log: of each kind of refusal a peer has so many lines a minute, and all peers
 * together ten times as many. What is left out is told by number. Metrics count everything.
 */
export class RefusalLog {
  private readonly limits = new Map<string, FailureLimit>();
  private readonly everybody = new Map<string, FailureLimit>();
  private readonly unlogged = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;

  /** @param lines a minute, for each kind and peer */
  constructor(
    private readonly door: string,
    private readonly lines: number,
    private readonly log: Logger,
  ) {}

  /** Whether a refusal of this kind gets a line of its own. */
  admits(code: string, peer: string): boolean {
    if (!causedByStrangers.has(code)) return true;
    // Nobody's own lines are used up by a peer that has none left.
    if (
      this.limit(this.limits, code, this.lines).count(peer) === 0 &&
      this.limit(this.everybody, code, this.lines * peersAtOnce).count('everybody') === 0
    )
      return true;
    this.unlogged.set(code, (this.unlogged.get(code) ?? 0) + 1);
    this.timer ??= setTimeout(() => this.tell(), window).unref();
    return false;
  }

  /** Tells what is still untold. */
  close(): void {
    this.tell();
  }

  private limit(limits: Map<string, FailureLimit>, code: string, failures: number): FailureLimit {
    const limit = limits.get(code) ?? new FailureLimit({ failures, window });
    limits.set(code, limit);
    return limit;
  }

  private tell(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const [code, count] of this.unlogged)
      this.log.warn({ door: this.door, code, count }, 'refusals without a line of their own');
    this.unlogged.clear();
  }
}
