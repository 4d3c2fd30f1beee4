import tls from 'node:tls';
import type { Secrets, UnavailableReason } from '#claims';
import pg from 'pg';
import { ProtocolError } from '#postgres-client';
import type { ConnectorLog } from '../connector.js';
import { HostList } from '../host-list.js';
import { settleOn } from '../settle-on.js';
import { requestCancel } from './cancel-request.js';
import { Passwords, UnusableSecret, readSecret } from './passwords.js';
import type { PostgresConfig, PostgresHost } from './postgres-config.js';
import { runStatement, sqlStateOf } from './run-statement.js';
import { sessionClient } from './session-client.js';
import { isConnectionState, isLackOfResources } from './sql-states.js';

export type AcquiredSession = { readonly kind: 'session'; readonly session: Session } | { readonly kind: 'aborted' } | Failure;

interface Failure {
  readonly kind: 'failed';
  readonly reason: UnavailableReason;
  readonly detail: string;
  /** Whether it is the host's, so that another one may do better. */
  readonly ofHost: boolean;
}

/** A session lent for one statement. */
export interface Session {
  readonly client: pg.PoolClient;
  /** For the next lookup. */
  giveBack(): void;
  /**
   * Ends it. `working`: the server is asked to stop what it is doing there. `lost`: its connection ended, and with it perhaps those of
   * other sessions that do not know yet, so none that was open then is lent again.
   */
  discard(state: 'working' | 'lost'): void;
}

/** The driver's pool says so, without a code, where all its sessions were lent for the connect limit. */
const waitedInVain = 'timeout exceeded when trying to connect';

/** The sessions of one database: a pool for each host, one of them in use. */
export class PostgresPools {
  private readonly hosts: HostList<PostgresHost>;
  private readonly passwords: Passwords;
  private readonly pools = new Map<PostgresHost, pg.Pool>();
  /** Whose connections are open, those of sessions that were given up too. */
  private readonly clients = new WeakMap<pg.Pool, Set<pg.PoolClient>>();
  private readonly checks = new Set<PostgresHost>();
  /** Sessions whose server was seen to be of the kind that is wanted. */
  private readonly known = new WeakSet<pg.PoolClient>();
  private closed: Promise<void> | undefined;

  constructor(
    private readonly name: string,
    private readonly config: PostgresConfig,
    private readonly secrets: Secrets,
    private readonly log: ConnectorLog,
  ) {
    this.hosts = new HostList(config.hosts);
    this.passwords = new Passwords(secrets, config.password);
  }

  get isClosed(): boolean {
    return this.closed !== undefined;
  }

  /** A session of the first host that gives one. What is opened after the abort serves the next lookup. */
  async acquire(signal: AbortSignal): Promise<AcquiredSession> {
    let failure = failed('connection', 'no host');
    for (const host of this.hosts.inOrder()) {
      const connecting = this.connect(host);
      const result = await settleOn(signal, connecting);
      if (result === 'aborted') {
        connecting.then(
          (late) => late.kind === 'session' && late.session.giveBack(),
          () => undefined,
        );
        return { kind: 'aborted' };
      }
      if (result.kind === 'session') {
        this.returnToPreferred(host);
        return result;
      }
      failure = result;
      if (!result.ofHost) break;
    }
    return failure;
  }

  close(): Promise<void> {
    this.closed ??= Promise.allSettled([...this.pools.values()].map((pool) => this.end(pool))).then(() => undefined);
    return this.closed;
  }

  private async connect(host: PostgresHost): Promise<Exclude<AcquiredSession, { kind: 'aborted' }>> {
    if (this.isClosed) return failed('internal', 'the source is closed');
    const where = `${host.host}:${host.port}`;
    try {
      const pool = this.pools.get(host) ?? this.openPool(host);
      const client = await pool.connect();
      if (!(await this.isWanted(client))) {
        client.release(true);
        this.hosts.failed(host);
        return failed('connection', `${where}: is not ${this.config.server}`, true);
      }
      this.hosts.works(host);
      return { kind: 'session', session: this.lend(client, host, pool) };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const failure = this.failureOf(error, where);
      if (failure.ofHost && !this.isClosed) this.hosts.failed(host);
      return failure;
    }
  }

  private failureOf(error: Error, where: string): Failure {
    if (error instanceof UnusableSecret) return failed('credentials', error.message);
    if (error.message === waitedInVain) return failed('overloaded', 'every session is busy');
    if (error instanceof ProtocolError) return failed('malformed', `${where}: ${error.message}`, true);
    const sqlState = sqlStateOf(error);
    if (sqlState === undefined || isConnectionState(sqlState)) {
      const code = sqlState ?? ('code' in error && typeof error.code === 'string' ? error.code : error.message);
      return failed('connection', `${where}: ${code}`, true);
    }
    if (sqlState.startsWith('28')) {
      this.log.error({ source: this.name, host: where, sqlState }, 'the database refuses the credentials');
      return failed('credentials', `${where}: ${sqlState}`);
    }
    return isLackOfResources(sqlState)
      ? failed('overloaded', `${where}: ${sqlState}`, true)
      : failed('refused', `${where}: ${sqlState}`);
  }

  /** Whether the server of a session is of the kind that is wanted. A server can change it while sessions are open: a fail-over ends them. */
  private async isWanted(client: pg.PoolClient): Promise<boolean> {
    const { server, limits } = this.config;
    if (server === 'any' || this.known.has(client)) return true;
    const run = await runStatement(client, recovery, AbortSignal.timeout(limits.connect));
    if (run.kind !== 'rows' || (run.rows[0]?.[0] === 't') !== (server === 'standby')) return false;
    this.known.add(client);
    return true;
  }

  private openPool(host: PostgresHost): pg.Pool {
    const { database, user, limits } = this.config;
    const pool = new pg.Pool({
      ...host,
      database,
      user,
      ssl: this.ssl(host),
      Client: sessionClient({
        offer: (connect, isRefusal) => this.passwords.offer(connect, isRefusal),
        authorities: () => this.authorities(),
      }),
      max: limits.concurrency,
      connectionTimeoutMillis: limits.connect,
      idleTimeoutMillis: 300_000,
      maxLifetimeSeconds: 3_600,
      keepAlive: true,
      keepAliveInitialDelayMillis: 30_000,
      statement_timeout: limits.operation,
      application_name: `claimbridge ${this.name}`,
      options: `-c default_transaction_read_only=on -c lock_timeout=${limits.operation} -c DateStyle=ISO -c TimeZone=UTC`,
    });
    // Without a listener the loss of an idle connection would end the process.
    pool.on('error', () => undefined);
    const clients = new Set<pg.PoolClient>();
    this.clients.set(pool, clients);
    pool.on('connect', (client) => {
      clients.add(client);
      client.on('end', () => clients.delete(client));
    });
    this.pools.set(host, pool);
    return pool;
  }

  /** Read whenever a connection is opened, so that a new one needs no restart. An empty text would stand for the system's own. */
  private async authorities(): Promise<string | undefined> {
    const { tls: trust } = this.config;
    if (typeof trust === 'string' || trust.ca === undefined) return undefined;
    const text = await readSecret(this.secrets, trust.ca);
    if (text.trim() === '') throw new UnusableSecret(`${trust.ca}: is empty`);
    return text;
  }

  private ssl({ host }: PostgresHost): tls.ConnectionOptions | false {
    const { tls: trust } = this.config;
    if (trust === 'disable') return false;
    const servername = trust === 'verify-full' ? undefined : trust.servername;
    return {
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      checkServerIdentity: (_, certificate) => tls.checkServerIdentity(servername ?? host, certificate),
    };
  }

  private lend(client: pg.PoolClient, host: PostgresHost, pool: pg.Pool): Session {
    return {
      client,
      giveBack: () => client.release(),
      discard: (state) => {
        if (state === 'working') requestCancel(client, host);
        client.release(true);
        if (state === 'lost') this.giveUp(pool, host);
        if (state === 'working') void this.check(pool, host);
      },
    };
  }

  /**
   * After a statement without an answer: whether the other sessions still have a server at their end. Where they have none, they
   * are given up together, instead of one sign-in finding out about each.
   */
  private async check(pool: pg.Pool, host: PostgresHost): Promise<void> {
    if (this.pools.get(host) !== pool || this.isClosed || this.checks.has(host) || pool.idleCount === 0) return;
    this.checks.add(host);
    try {
      const client = await pool.connect();
      const run = await runStatement(client, ping, AbortSignal.timeout(this.config.limits.connect));
      client.release(run.kind !== 'rows');
      if (run.kind === 'rows') return;
    } catch {
      // No session at all: the same finding.
    } finally {
      this.checks.delete(host);
    }
    if (this.isClosed) return;
    this.hosts.failed(host);
    this.giveUp(pool, host);
    this.log.warn({ source: this.name, host: `${host.host}:${host.port}` }, 'the sessions have no server at their end; given up');
  }

  private giveUp(pool: pg.Pool, host: PostgresHost): void {
    if (this.pools.get(host) !== pool) return;
    this.pools.delete(host);
    void this.end(pool);
  }

  /** Sessions end when their statements have; a connection whose server does not answer the farewell is cut off. */
  private end(pool: pg.Pool): Promise<void> {
    const cutOff = (): void => {
      for (const client of this.clients.get(pool) ?? [])
        (client as unknown as { readonly connection: pg.Connection }).connection.stream.destroy();
    };
    setTimeout(cutOff, this.config.limits.operation + 1_000).unref();
    return pool.end();
  }

  private returnToPreferred(current: PostgresHost): void {
    for (const host of this.hosts.takeDue(current)) void this.tryAgain(host);
  }

  private async tryAgain(host: PostgresHost): Promise<void> {
    const result = await this.connect(host);
    if (result.kind !== 'session') return;
    result.session.giveBack();
    this.log.warn({ source: this.name, host: `${host.host}:${host.port}` }, 'back on a preferred host');
  }
}

function failed(reason: UnavailableReason, detail: string, ofHost = false): Failure {
  return { kind: 'failed', reason, detail, ofHost };
}

export const ping = { text: 'select 1', values: [] };

const recovery = { text: 'select pg_is_in_recovery()', values: [] };
