/** What the specs of this folder share: a database with the store's tables, and repositories in front of it. */
import { Secrets } from '#claims';
import { startPostgres, type RunningPostgres } from '#testing';
import pg from 'pg';
import { PostgresMappingRepository, type PostgresStoreOptions } from './postgres-mapping-repository.js';

export class Password extends Secrets {
  constructor(public text: string) {
    super();
  }
  override read(): Promise<string> {
    return Promise.resolve(this.text);
  }
}

export function optionsFor(database: RunningPostgres, change: Partial<PostgresStoreOptions> = {}): PostgresStoreOptions {
  const { host, port, user, database: name } = database;
  return {
    host,
    port,
    user,
    database: name,
    password: 'env:PASSWORD',
    tls: 'disable',
    connections: 4,
    connect: 2_000,
    operation: 10_000,
    polling: 10_000,
    migrate: false,
    ...change,
  };
}

export function repositoryFor(database: RunningPostgres, change: Partial<PostgresStoreOptions> = {}): PostgresMappingRepository {
  return new PostgresMappingRepository(optionsFor(database, change), new Password(database.password));
}

/** A session of the superuser. */
export async function connectTo({ host, port, user, password, database }: RunningPostgres): Promise<pg.Client> {
  const client = new pg.Client({ host, port, user, password, database });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** A new server with the store's tables. */
export async function startStore(): Promise<RunningPostgres> {
  const database = await startPostgres();
  const owner = repositoryFor(database);
  await owner.migrate();
  await owner.close();
  return database;
}
