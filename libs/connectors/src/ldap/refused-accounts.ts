import { lockableAccountHold, RefusedCredentials } from '../refused-credentials.js';

/** What a directory last said of an account's secret. */
export class RefusedAccount {
  private readonly refused = new RefusedCredentials(lockableAccountHold);
  private detail = '';

  /** Why this secret must not be offered now. */
  objectionTo(secret: string): string | undefined {
    return this.refused.has(secret)
      ? `${this.detail}; not tried again until it changes, or for ${this.minutes(secret)} minutes`
      : undefined;
  }

  /** For which it is held back still. */
  minutes(secret: string): number {
    return Math.ceil(this.refused.remaining(secret) / 60_000);
  }

  /** True where that was not known: binds that were under way together are one refusal. */
  refuse(secret: string, detail: string): boolean {
    if (this.refused.has(secret)) return false;
    this.refused.add(secret);
    this.detail = detail;
    return true;
  }

  accept(secret: string): void {
    this.refused.forget(secret);
  }
}

/**
 * The accounts by which the sources of this process bind. Several that bind as one account at the same directory are one to it: it counts
 * what they are refused together.
 */
export class RefusedAccounts {
  private readonly accounts = new Map<string, RefusedAccount>();

  /**
   * @param directory the hosts or the domain of the directory: another one may have an account of the same name, and knows nothing of it
   * @param account its name, ignoring case
   */
  of(directory: readonly string[], account: string): RefusedAccount {
    const hosts = [...new Set(directory.map((host) => host.toLowerCase()))].toSorted();
    const key = JSON.stringify([hosts, account.toLowerCase()]);
    const known = this.accounts.get(key);
    if (known) return known;
    const added = new RefusedAccount();
    this.accounts.set(key, added);
    return added;
  }
}
