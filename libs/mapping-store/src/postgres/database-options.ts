import tls from 'node:tls';
import type { Secrets } from '#claims';
import type { ClientConfig } from 'pg';

/** Where the store's database is, and who we are there. Secrets are references. */
export interface DatabaseOptions {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** Who owns the tables and changes them; the service's own role where there is no other. */
  readonly owner?: { readonly user: string; readonly password: string } | undefined;
  /** verify-full trusts the system's authorities; an object's `ca` names those that are trusted instead. */
  readonly tls: 'verify-full' | 'disable' | { readonly ca?: string | undefined; readonly servername?: string | undefined };
  /** Sessions at most, beside the one that listens. */
  readonly connections: number;
  /** How long opening a session may take, in milliseconds. */
  readonly connect: number;
  /** How long a statement may take, in milliseconds. */
  readonly operation: number;
}

/** How a session is opened; an operation limit of 0 is none. Secrets are read each time, so that a rotated password is picked up. */
export async function clientConfig(options: DatabaseOptions, secrets: Secrets): Promise<ClientConfig> {
  return {
    host: options.host,
    port: options.port,
    database: options.database,
    user: options.user,
    password: () => secrets.read(options.password),
    ssl: await sslOf(options, secrets),
    application_name: 'claimbridge mappings',
    connectionTimeoutMillis: options.connect,
    statement_timeout: options.operation,
    lock_timeout: options.operation,
    idle_in_transaction_session_timeout: options.operation * 2,
    // Where the network swallows everything, the server's own limit is of no use.
    query_timeout: options.operation && options.operation + 1_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
    options: '-c DateStyle=ISO -c TimeZone=UTC',
  };
}

async function sslOf({ host, tls: trust }: DatabaseOptions, secrets: Secrets): Promise<tls.ConnectionOptions | false> {
  if (trust === 'disable') return false;
  const { ca, servername = host } = trust === 'verify-full' ? {} : trust;
  return {
    ...(ca !== undefined && { ca: await secrets.read(ca) }),
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    checkServerIdentity: (_, certificate) => tls.checkServerIdentity(servername, certificate),
  };
}
