import type { Secrets } from '#claims';
import { PostgresClient } from '#postgres-client';
import pg from 'pg';
import {
  AbstractLogger,
  DataSource,
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  TypeORMError,
  type DataSourceOptions,
} from 'typeorm';
import { clientConfig, type DatabaseOptions } from './database-options.js';
import { AuditRow, DocumentRow, DraftRow, PublicationRow, RevisionRow, schema } from './entities.js';
import { CreateStore1764115200000 } from './migrations/1764115200000-create-store.js';
import { AddKind1764201600000 } from './migrations/1764201600000-add-kind.js';
import { IndexAudit1764201600001 } from './migrations/1764201600001-index-audit.js';

const migrations = [CreateStore1764115200000, AddKind1764201600000, IndexAudit1764201600001];

/** Held while the tables are changed: replicas that start together migrate one after the other. */
const migrationLock = 4_770_915_300_001n;

/** What went wrong is thrown as well; statements and their parameters are nobody's. */
class Silence extends AbstractLogger {
  protected override writeLog(): void {}
}

/** The store's database, opened when it is first used and again whenever it was lost. */
export class MappingDatabase {
  private opening: Promise<DataSource> | undefined;
  private current: DataSource | undefined;
  private migrated = false;
  private closed = false;

  constructor(
    private readonly options: DatabaseOptions,
    private readonly secrets: Secrets,
    /** Whether the tables are brought up to date before they are first used. */
    private readonly migratesItself = false,
  ) {}

  /**
   * What the work answers, or why the database could not do it. A connection that failed is never used again.
   * @throws what the work throws, where it is not the database's failure
   */
  async use<Answer>(work: (source: DataSource) => Promise<Answer>): Promise<Answer | { kind: 'unavailable'; detail: string }> {
    let source: DataSource | undefined;
    try {
      source = await this.open();
      return await work(source);
    } catch (error) {
      // Another statement may have found out before, and closed what this one used.
      const failure = source?.isInitialized === false ? lost : failureOf(error);
      if (failure === undefined) throw error;
      if (failure.connectionLost && source) this.discard(source);
      return { kind: 'unavailable', detail: failure.detail };
    }
  }

  /** A session of its own, not yet connected. */
  async client(purpose: string, options: DatabaseOptions = this.options): Promise<pg.Client> {
    return new PostgresClient({
      ...(await clientConfig(options, this.secrets)),
      application_name: `claimbridge ${purpose}`,
    });
  }

  /** Brings the tables up to date, and lets the service's role use them. @returns the names of the migrations that were run */
  async migrate(): Promise<readonly string[]> {
    return this.alone(async (source) => {
      const done = await source.runMigrations({ transaction: 'all' });
      const { owner, user } = this.options;
      if (owner && owner.user !== user) await source.query('select claimbridge.grant_service($1)', [user]);
      return done.map(({ name }) => name);
    });
  }

  /** Takes back the last migration. What it had added is lost. */
  async revert(): Promise<void> {
    await this.alone((source) => source.undoLastMigration({ transaction: 'all' }));
  }

  /** Waits for what is under way; a connection whose server does not answer any more is left behind. */
  async close(): Promise<void> {
    this.closed = true;
    const opening = this.opening;
    this.opening = undefined;
    const source = await opening?.catch(() => undefined);
    if (source?.isInitialized)
      await Promise.race([source.destroy(), new Promise((resolve) => setTimeout(resolve, 2_000).unref())]);
  }

  private open(): Promise<DataSource> {
    if (this.closed) return Promise.reject(new Error('the store is closed'));
    this.opening ??= this.openNow().catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }

  private async openNow(): Promise<DataSource> {
    if (this.migratesItself && !this.migrated) {
      await this.migrate();
      this.migrated = true;
    }
    return (this.current = await this.createSource(this.options));
  }

  private async createSource(wanted: DatabaseOptions): Promise<DataSource> {
    const { host, port, database, user, ...session } = await clientConfig(wanted, this.secrets);
    const options: DataSourceOptions = {
      type: 'postgres',
      driver: pg,
      host: host!,
      port: port!,
      database: database!,
      username: user!,
      schema,
      entities: [DocumentRow, DraftRow, RevisionRow, AuditRow, PublicationRow],
      migrations,
      migrationsTableName: 'migration',
      installExtensions: false,
      synchronize: false,
      logger: new Silence(),
      poolSize: wanted.connections,
      poolErrorHandler: () => undefined,
      extra: { ...session, Client: PostgresClient, maxLifetimeSeconds: 3_600, idleTimeoutMillis: 300_000 },
    };
    return new DataSource(options).initialize();
  }

  private discard(source: DataSource): void {
    // Whoever comes late must not throw away what was opened since.
    if (source === this.current) this.opening = undefined;
    if (source.isInitialized) source.destroy().catch(() => undefined);
  }

  private async alone<Answer>(work: (source: DataSource) => Promise<Answer>): Promise<Answer> {
    // Another replica's migration, or one over a large table, may take as long as it takes.
    const patient = { ...this.options, ...this.options.owner, operation: 0, connections: 1 };
    const holder = await this.client('migrations', patient);
    await holder.connect();
    try {
      await holder.query('select pg_advisory_lock($1)', [migrationLock]);
      const { rowCount } = await holder.query('select from pg_namespace where nspname = $1', [schema]);
      if (rowCount === 0) await holder.query(`create schema ${schema}`);
      const source = await this.createSource(patient);
      try {
        return await work(source);
      } finally {
        await source.destroy();
      }
    } finally {
      await holder.end();
    }
  }
}

/** A table, a schema, a column. */
const missing = new Set<string | undefined>(['42P01', '3F000', '42703']);

const lost = { detail: 'the connection was lost', connectionLost: true };

/** The database's own failures; undefined for a defect. Messages of the server may quote values, so only those about names are told. */
function failureOf(error: unknown): { readonly detail: string; readonly connectionLost: boolean } | undefined {
  // A connection that ends between two statements takes its runner along.
  if (error instanceof QueryRunnerAlreadyReleasedError) return lost;
  const cause = error instanceof QueryFailedError ? error.driverError : error;
  if (cause instanceof pg.DatabaseError) {
    const { code = 'unknown error', message } = cause;
    if (missing.has(code))
      return { detail: `${code}: the tables are not those of this version; run the migrations`, connectionLost: false };
    return { detail: code.startsWith('42') ? `${code}: ${message}` : code, connectionLost: /^(08|57P)/.test(code) };
  }
  if (cause instanceof TypeORMError) return { detail: cause.name, connectionLost: false };
  // What the driver itself finds is a plain error without a code: a limit of time, a connection that ended.
  if (!(cause instanceof Error) || cause instanceof TypeError || cause instanceof RangeError) return undefined;
  if ('code' in cause && typeof cause.code === 'string') return { detail: cause.code, connectionLost: true };
  // The pool’s word for: all sessions are in use. They are well.
  if (cause.message === 'timeout exceeded when trying to connect')
    return { detail: 'every session is in use', connectionLost: false };
  return cause.constructor === Error ? { detail: cause.message, connectionLost: true } : undefined;
}
