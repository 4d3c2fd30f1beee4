interface Record {
  readonly state: 'failed' | 'works';
  readonly at: number;
  /** How long after a failure it is due. */
  readonly wait: number;
}

/**
 * Which of a system's hosts to try, and in which order: those that work in the order of the configuration, then those that failed.
 * A host that failed comes back when an attempt in the background says so, so that no sign-in pays for the trial; where a trial fails,
 * or the host does soon after it, the next one comes after twice the time.
 */
export class HostList<Host> {
  private readonly records = new Map<Host, Record>();

  /**
   * @param retryAfter milliseconds after which a failed host is due for another attempt
   * @param longest the most that becomes of it; and for so long after a trial a host must work to have it shortened
   */
  constructor(
    private hosts: readonly Host[],
    private readonly retryAfter = 5_000,
    private readonly now: () => number = () => performance.now(),
    private readonly longest = 60_000,
  ) {}

  /** Every host, the best first. */
  inOrder(): readonly Host[] {
    return this.hosts.toSorted((left, right) => Number(this.hasFailed(left)) - Number(this.hasFailed(right)));
  }

  /** The failed hosts preferred to this one (to all, where undefined) whose next attempt is due. Asking postpones the one after. */
  takeDue(than?: Host): readonly Host[] {
    const now = this.now();
    return this.before(than).filter((host) => {
      const record = this.records.get(host);
      if (record?.state !== 'failed' || now - record.at < record.wait) return false;
      this.records.set(host, { state: 'failed', at: now, wait: Math.min(this.longest, 2 * record.wait) });
      return true;
    });
  }

  /** The hosts preferred to this one that may be tried now: those that work, and as of `takeDue`. */
  takeBetter(than: Host): readonly Host[] {
    const due = new Set(this.takeDue(than));
    return this.before(than).filter((host) => due.has(host) || !this.hasFailed(host));
  }

  /** Another list, the preferred one first; what is known of the hosts that are on both lists stays. */
  replace(hosts: readonly Host[]): void {
    this.hosts = hosts;
    for (const host of this.records.keys()) if (!hosts.includes(host)) this.records.delete(host);
  }

  failed(host: Host): void {
    const record = this.records.get(host);
    const at = this.now();
    const isKnown = record?.state === 'failed' || (record && at - record.at < this.longest);
    this.records.set(host, { state: 'failed', at, wait: isKnown ? record.wait : this.retryAfter });
  }

  works(host: Host): void {
    const record = this.records.get(host);
    if (record?.state === 'failed') this.records.set(host, { ...record, state: 'works', at: this.now() });
  }

  private hasFailed(host: Host): boolean {
    return this.records.get(host)?.state === 'failed';
  }

  /** A host that is not on the list has all of it before it. */
  private before(host: Host | undefined): readonly Host[] {
    const rank = host === undefined ? -1 : this.hosts.indexOf(host);
    return rank === -1 ? this.hosts : this.hosts.slice(0, rank);
  }
}
