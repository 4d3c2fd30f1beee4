/**
 * Which of a system's hosts to try, and in which order: those that work in the order of the configuration, then those that failed.
 * A host that failed comes back when an attempt in the background says so, so that no sign-in pays for the trial.
 */
export class HostList<Host> {
  private readonly failedAt = new Map<Host, number>();

  /** @param retryAfter milliseconds after which a failed host is due for another attempt */
  constructor(
    private hosts: readonly Host[],
    private readonly retryAfter = 5_000,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Every host, the best first. */
  inOrder(): readonly Host[] {
    const failed = (host: Host): number => (this.failedAt.has(host) ? 1 : 0);
    return this.hosts.toSorted((left, right) => failed(left) - failed(right));
  }

  /** The failed hosts preferred to this one (to all, where undefined) whose next attempt is due. Asking postpones the one after. */
  takeDue(than?: Host): readonly Host[] {
    const now = this.now();
    const due = this.before(than).filter((host) => now - (this.failedAt.get(host) ?? now) >= this.retryAfter);
    for (const host of due) this.failedAt.set(host, now);
    return due;
  }

  /** The hosts preferred to this one that may be tried now: those that work, and as of `takeDue`. */
  takeBetter(than: Host): readonly Host[] {
    const due = new Set(this.takeDue(than));
    return this.before(than).filter((host) => due.has(host) || !this.failedAt.has(host));
  }

  /** Another list, the preferred one first; what is known of the hosts that are on both lists stays. */
  replace(hosts: readonly Host[]): void {
    this.hosts = hosts;
    for (const host of this.failedAt.keys()) if (!hosts.includes(host)) this.failedAt.delete(host);
  }

  failed(host: Host): void {
    this.failedAt.set(host, this.now());
  }

  works(host: Host): void {
    this.failedAt.delete(host);
  }

  /** A host that is not on the list has all of it before it. */
  private before(host: Host | undefined): readonly Host[] {
    const rank = host === undefined ? -1 : this.hosts.indexOf(host);
    return rank === -1 ? this.hosts : this.hosts.slice(0, rank);
  }
}
