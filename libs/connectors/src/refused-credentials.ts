const minute = 60_000;

/**
 * Remembers that a system refused the service's secret, so that it is not offered again and again: a few refused attempts lock an
 * account, and this account serves the whole company.
 */
export class RefusedCredentials {
  private refused: { readonly secret: string; readonly until: number; readonly times: number } | undefined;

  /** @param hold milliseconds after which the same secret may be tried once more, by how many times in a row it was refused */
  constructor(
    private readonly hold: number | ((times: number) => number),
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Whether this secret must not be offered now. */
  has(secret: string): boolean {
    return this.remaining(secret) > 0;
  }

  /** Milliseconds for which this secret must not be offered yet; 0 where it may. */
  remaining(secret: string): number {
    return this.refused?.secret === secret ? Math.max(0, this.refused.until - this.now()) : 0;
  }

  add(secret: string): void {
    const times = this.refused?.secret === secret ? this.refused.times + 1 : 1;
    this.refused = { secret, times, until: this.now() + (typeof this.hold === 'number' ? this.hold : this.hold(times)) };
  }

  /** It was accepted: this secret may be offered, and a refusal counts from the beginning. */
  forget(secret: string): void {
    if (this.refused?.secret === secret) this.refused = undefined;
  }

  clear(): void {
    this.refused = undefined;
  }
}

/**
 * Twice as long with every refusal, up to the longest, and up to half as long again: replicas that were refused together do not come
 * back together.
 */
export function growingHold(first: number, longest: number, random: () => number = Math.random): (times: number) => number {
  return (times) => Math.min(longest, first * 2 ** (times - 1)) * (1 + random() / 2);
}

/** For the password of an account that can be locked: 5 minutes, then twice as long up to an hour; a few attempts an hour. */
export const lockableAccountHold = growingHold(5 * minute, 60 * minute);
