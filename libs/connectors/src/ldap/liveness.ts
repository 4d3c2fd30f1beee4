import type { LdapConnection, Suspicion } from './ldap-connection.js';

/** Whether a connection is still of use: asks on it where nothing came for long, and where operations had no answer. */
export class Liveness {
  private readonly timer: NodeJS.Timeout;
  private received: number;
  private isChecking = false;

  /**
   * @param limits `keepAlive`: it is never silent for longer, so that nobody on the way takes it for dead. `operation`: how long an answer
   * is waited for
   * @param onFound called where a suspicion turned out to be right, perhaps more than once
   */
  constructor(
    private readonly connection: LdapConnection,
    private readonly limits: { readonly keepAlive: number; readonly operation: number },
    private readonly onFound: (suspicion: Suspicion) => void,
  ) {
    this.received = connection.received;
    connection.watch((suspicion) => void this.check(suspicion));
    this.timer = setInterval(() => void this.look(), limits.keepAlive / 2).unref();
  }

  end(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    if (this.connection.received === this.received) {
      const answer = await this.connection.searchRoot(AbortSignal.timeout(this.limits.operation));
      if (answer.kind === 'aborted') await this.check('silent');
    }
    this.received = this.connection.received;
  }

  /** Expensive searches may have no answer in time from a healthy server; this one has, and at once. */
  private async check(suspicion: Suspicion): Promise<void> {
    if (this.isChecking || !this.connection.isUsable) return;
    this.isChecking = true;
    const { received } = this.connection;
    const answer = await this.connection.searchRoot(AbortSignal.timeout(this.limits.operation / 2));
    this.isChecking = false;
    if (answer.kind === 'aborted' && (suspicion === 'slow' || this.connection.received === received)) this.onFound(suspicion);
  }
}
