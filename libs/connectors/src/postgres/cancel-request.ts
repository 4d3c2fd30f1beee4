import type tls from 'node:tls';
import type pg from 'pg';
import { PostgresConnection } from '#postgres-client';

/** What of the driver's connection is used here and not in its type declarations. */
interface CancelConnection extends PostgresConnection {
  connect(port: number, host: string): void;
  requestSsl(): void;
  cancel(processId: number, secretKey: number): void;
}

interface OpenSession {
  readonly processID?: number | null;
  readonly secretKey?: number | null;
  /** With whose authorities the session was opened. */
  readonly connection: { readonly ssl: tls.ConnectionOptions | false };
}

const limit = 1_000;

/**
 * Asks the server, on a connection of its own, to end what a session is doing (PostgreSQL manual §54.2.8). There is no answer; where
 * it does not arrive, the session's statement_timeout ends the work.
 */
export function requestCancel(session: pg.ClientBase, target: { readonly host: string; readonly port: number }): void {
  const { processID, secretKey, connection: own } = session as unknown as OpenSession;
  if (processID == null || secretKey == null) return;
  const connection = new PostgresConnection({ ssl: own.ssl } as never) as CancelConnection;
  const timer = setTimeout(() => connection.stream.destroy(), limit).unref();
  const cancel = (): void => connection.cancel(processID, secretKey);
  connection
    .on('connect', () => (own.ssl ? connection.requestSsl() : cancel()))
    .on('sslconnect', cancel)
    .on('error', () => connection.stream.destroy())
    .on('end', () => clearTimeout(timer));
  connection.connect(target.port, target.host);
}
