import type tls from 'node:tls';
import pg from 'pg';
import { PostgresClient } from '#postgres-client';

/** How a session is let in. */
export interface Access {
  /** Calls `connect` with the password, or rejects where there is none to offer; then no connection is opened. */
  offer(connect: (password: string) => Promise<pg.Client>, isRefusal: (error: unknown) => boolean): Promise<pg.Client>;
  /** The authorities to trust from now on; undefined: those of the pool. */
  authorities(): Promise<string | undefined>;
}

/** What of the driver's connection is used here and not in its type declarations. */
type Connection = pg.Connection & { ssl: tls.ConnectionOptions | false };

/**
 * The driver's client for a pool, with two differences: password and authorities are read, and known, before the connection is opened,
 * and a connection on which no session comes about is closed. The driver leaves it open, and it would hold one of the server's places
 * until the server's own authentication_timeout: a wrong password would lock everybody out of the database.
 */
export function sessionClient(access: Access): NonNullable<pg.PoolConfig['Client']> {
  class SessionClient extends PostgresClient {
    override connect(callback?: unknown): Promise<pg.Client> & void {
      const opening = this.open();
      // oxlint-disable-next-line promise/no-callback-in-promise -- the pool calls with a callback
      if (typeof callback === 'function') opening.then(() => callback(null), callback as (error: unknown) => void);
      return opening as Promise<pg.Client> & void;
    }

    private async open(): Promise<pg.Client> {
      const { link } = this;
      const ca = await access.authorities();
      if (ca !== undefined && link.ssl) link.ssl = { ...link.ssl, ca };
      return access.offer(async (password) => {
        // The pool's limit passed meanwhile.
        if (link.stream.destroyed) throw new Error('timeout expired');
        this.password = password;
        try {
          return await super.connect();
        } catch (error) {
          // With TLS the stream has become another one.
          link.stream.destroy();
          throw error;
        }
      }, isRefusal);
    }

    private get link(): Connection {
      return (this as unknown as { readonly connection: Connection }).connection;
    }
  }
  return SessionClient;
}

/** Class 28: invalid authorization specification. */
function isRefusal(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code?.startsWith('28') === true;
}
