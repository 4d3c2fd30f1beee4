import type { Secrets } from '#claims';
import { RefusedCredentials, lockableAccountHold } from '../refused-credentials.js';

/** Nothing was offered to the server: there is no password, or it was refused and is held back. */
export class UnusableSecret extends Error {}

/** A password that was taken so short a while ago is offered by several sessions at once. */
const fresh = 1_000;

/** Once more after 10 s: a server that was restored refuses until its roles are there. Then as seldom as to an account that locks. */
const hold = (times: number): number => (times === 1 ? 10_000 : lockableAccountHold(times - 1));

/**
 * Offers the service's password to the servers of one database. PostgreSQL locks nobody out, but what it asks may: `ldap`, `radius` and
 * `pam` of pg_hba.conf count refusals. So a password that nobody took just now is offered by one session alone, whose answer the others
 * wait for, and one that was refused is held back for longer each time.
 */
export class Passwords {
  private readonly refused = new RefusedCredentials(hold);
  private taken: { readonly password: string; readonly at: number } | undefined;
  private trial: Promise<void> | undefined;

  constructor(
    private readonly secrets: Secrets,
    private readonly reference: string,
  ) {}

  /**
   * @param connect opens a session by the password; tells a refusal by an error for which `isRefusal` holds
   * @throws UnusableSecret where nothing may be offered, and whatever `connect` throws
   */
  async offer<Result>(connect: (password: string) => Promise<Result>, isRefusal: (error: unknown) => boolean): Promise<Result> {
    let password = await this.read();
    while (!this.isFresh(password) && this.trial) {
      await this.trial;
      password = await this.read();
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const trial = this.isFresh(password) ? undefined : promise;
    if (trial) this.trial = trial;
    try {
      const result = await connect(password);
      this.taken = { password, at: performance.now() };
      this.refused.clear();
      return result;
    } catch (error) {
      if (isRefusal(error)) {
        this.taken = undefined;
        // Several that were under way together are one refusal.
        if (!this.refused.has(password)) this.refused.add(password);
      }
      throw error;
    } finally {
      if (trial) this.trial = undefined;
      resolve();
    }
  }

  private isFresh(password: string): boolean {
    return this.taken?.password === password && performance.now() - this.taken.at < fresh;
  }

  private async read(): Promise<string> {
    const password = await readSecret(this.secrets, this.reference);
    if (password === '') throw new UnusableSecret(`${this.reference}: is empty`);
    if (this.refused.has(password)) throw new UnusableSecret('refused before; not tried again yet');
    return password;
  }
}

/** @throws UnusableSecret where it cannot be had */
export async function readSecret(secrets: Secrets, reference: string): Promise<string> {
  try {
    return await secrets.read(reference);
  } catch (error) {
    throw new UnusableSecret(error instanceof Error ? error.message : `${reference}: cannot be read`);
  }
}
