import type { LdapServer } from './connection-config.js';
import type { LdapConnection } from './ldap-connection.js';
import type { Liveness } from './liveness.js';

export interface Held {
  readonly connection: LdapConnection;
  readonly server: LdapServer;
  /** Which one it is of all that were opened, from 1. */
  readonly ordinal: number;
  readonly liveness: Liveness;
}

/** The bound connections that have not ended, and which of them takes the next search. */
export class HeldConnections {
  private held: Held[] = [];
  private turn = 0;
  private openedCount = 0;
  /** Why each should be replaced. It goes on until that is done, because it may be better than none. */
  private readonly doubts = new Map<LdapConnection, string>();
  /** How many had been opened when each was lost. */
  private readonly losses = new WeakMap<LdapConnection, number>();

  /** @param most of so many none is doubted; the oldest beyond are retired */
  constructor(private readonly most: number) {}

  /** How many have been opened so far. */
  get opened(): number {
    return this.openedCount;
  }

  get all(): readonly Held[] {
    return this.held;
  }

  /** Whether another should be opened. */
  get isShort(): boolean {
    return this.trusted.length < this.most;
  }

  of(connection: LdapConnection): Held | undefined {
    return this.held.find((each) => each.connection === connection);
  }

  /**
   * The one with the fewest operations of those that nobody doubts.
   *
   * @param lost where given, one that was opened after this one was lost: others may have been lost with it and not know yet
   */
  next(lost?: LdapConnection): Held | undefined {
    const since = lost ? this.lose(lost) : 0;
    return this.leastBusy(since === 0 ? this.trusted : this.trusted.filter(({ ordinal }) => ordinal > since));
  }

  /** Where no other can be had: one that was not lost, or else one that is doubted. */
  lastResort(): Held | undefined {
    return this.leastBusy(this.trusted) ?? this.leastBusy(this.held.filter(({ connection }) => connection.isUsable));
  }

  /** Takes a new one, which replaces those that are doubted. */
  add(held: Omit<Held, 'ordinal'>): void {
    const beyond = this.trusted.length + 1 - this.most;
    const replaced = [
      ...this.held.filter(({ connection }) => this.isDoubted(connection)),
      ...this.trusted.slice(0, Math.max(0, beyond)),
    ];
    for (const { connection } of replaced) this.retire(connection, this.doubts.get(connection));
    this.held.push({ ...held, ordinal: ++this.openedCount });
  }

  isDoubted(connection: LdapConnection): boolean {
    return this.doubts.has(connection);
  }

  /** It takes searches where there is no other, until another is opened. */
  doubt(connection: LdapConnection, why: string): void {
    this.lose(connection);
    this.doubts.set(connection, why);
  }

  retire(connection: LdapConnection, why?: string): void {
    this.lose(connection);
    connection.retire(why);
  }

  /** One that has ended. */
  remove({ connection, liveness }: Held): void {
    this.lose(connection);
    liveness.end();
    this.doubts.delete(connection);
    this.held = this.held.filter((each) => each.connection !== connection);
  }

  /** In the order in which they were opened. */
  private get trusted(): readonly Held[] {
    return this.held.filter(({ connection }) => connection.isUsable && !this.isDoubted(connection));
  }

  /** Of equally busy ones each in its turn: searches of one moment are not under way yet when the next one asks. */
  private leastBusy(candidates: readonly Held[]): Held | undefined {
    const least = Math.min(...candidates.map(({ connection }) => connection.underWay));
    const idlest = candidates.filter(({ connection }) => connection.underWay === least);
    return idlest[this.turn++ % Math.max(1, idlest.length)];
  }

  /** Once: those who lose it later, as its last searches do, are sent where the first was. */
  private lose(connection: LdapConnection): number {
    const opened = this.losses.get(connection) ?? this.openedCount;
    this.losses.set(connection, opened);
    return opened;
  }
}
