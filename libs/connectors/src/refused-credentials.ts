/**
 * Remembers that a system refused the service's secret, so that it is not offered again and again: a few refused attempts lock an
 * account, and this account serves the whole company.
 */
export class RefusedCredentials {
  private refused: { readonly secret: string; readonly until: number } | undefined;

  /** @param hold milliseconds after which the same secret may be tried once more */
  constructor(
    private readonly hold: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Whether this secret must not be offered now. */
  has(secret: string): boolean {
    return this.refused !== undefined && this.refused.secret === secret && this.now() < this.refused.until;
  }

  add(secret: string): void {
    this.refused = { secret, until: this.now() + this.hold };
  }

  clear(): void {
    this.refused = undefined;
  }
}
