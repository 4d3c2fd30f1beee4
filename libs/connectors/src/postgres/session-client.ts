import pg from 'pg';

/** Where the password of a new session comes from. */
export interface Passwords {
  /** Rejects where there is none to offer; then no connection is opened. */
  read(): Promise<string>;
  /** The server did not let this one in (class 28). */
  refused(password: string): void;
}

/**
 * The driver's client for a pool, with two differences: the password is known before the connection is opened, and a connection on
 * which no session comes about is closed. The driver leaves it open, and it would hold one of the server's places until the server's
 * own authentication_timeout: a wrong password would lock everybody out of the database.
 */
export function sessionClient(passwords: Passwords): NonNullable<pg.PoolConfig['Client']> {
  class SessionClient extends pg.Client {
    override connect(callback?: unknown): Promise<pg.Client> & void {
      const opening = this.open();
      // oxlint-disable-next-line promise/no-callback-in-promise -- the pool calls with a callback
      if (typeof callback === 'function') opening.then(() => callback(null), callback as (error: unknown) => void);
      return opening as Promise<pg.Client> & void;
    }

    private async open(): Promise<pg.Client> {
      const password = await passwords.read();
      // The pool's limit passed meanwhile.
      if (this.stream.destroyed) throw new Error('timeout expired');
      this.password = password;
      try {
        return await super.connect();
      } catch (error) {
        this.stream.destroy();
        if (error instanceof pg.DatabaseError && error.code?.startsWith('28')) passwords.refused(password);
        throw error;
      }
    }

    /** Of the connection as it is: with TLS it becomes another one. */
    private get stream(): pg.Connection['stream'] {
      return (this as unknown as { readonly connection: pg.Connection }).connection.stream;
    }
  }
  return SessionClient;
}
