interface Doubt {
  /** How many connections had been opened when it arose, or begun to be. */
  readonly opened: number;
  readonly at: number;
}

/**
 * Servers whose connections were given up for what they answered. Where one that was opened since answers the same, opening yet another
 * would not help: the doubt holds for a time.
 */
export class Doubts<Server> {
  private readonly since = new Map<Server, Doubt>();

  /** @param hold milliseconds that a doubt holds */
  constructor(
    private readonly hold: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Whether the doubt about this server holds. */
  has(server: Server): boolean {
    return this.now() - (this.since.get(server)?.at ?? -Infinity) < this.hold;
  }

  /**
   * Doubts the server.
   *
   * @param ordinal which one of all connections gave the answer
   * @param opened how many have been opened so far, or are being opened
   * @returns false where the connection was opened since the doubt arose: it is no better than those before it
   */
  add(server: Server, ordinal: number, opened: number): boolean {
    if (this.has(server)) return ordinal <= this.since.get(server)!.opened;
    this.since.set(server, { opened, at: this.now() });
    return true;
  }
}
