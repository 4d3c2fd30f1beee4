/** What the specs of this folder share: a database, and sources in front of it. */
import { Secrets, type Outcome, type Source } from '#claims';
import {
  startPostgres,
  startScriptedPostgres,
  startTcpProxy,
  type PostgresScript,
  type RunningPostgres,
  type ScriptedPostgres,
  type TcpProxy,
} from '#testing';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, vi } from 'vitest';
import { PostgresConnector } from './postgres-connector.js';

export let database: RunningPostgres;
export let admin: pg.Client;
beforeAll(async () => {
  database = await startPostgres({
    sql: [
      "create type grade as enum ('junior', 'senior, staff')",
      'create table people (upn text primary key, name text, age int)',
      "insert into people values ('adele', 'Adele', 42), ('ben', null, 7)",
      "create role reader login password 'reader password'",
      'grant select on people to reader',
    ],
  });
  const { host, port, user, password, database: name } = database;
  admin = new pg.Client({ host, port, user, password, database: name });
  await admin.connect();
});
afterAll(async () => {
  await admin?.end();
  await database?.stop();
});

const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const each of cleanUp.splice(0).toReversed()) await each();
});

export class Password extends Secrets {
  constructor(public text: string) {
    super();
  }
  override read(): Promise<string> {
    return Promise.resolve(this.text);
  }
}

type Statements = Record<string, string | { statement: string; rows?: 'many'; parameters?: string[] }>;

/** A source with a lookup for each statement; each has one parameter, `key`, unless it says otherwise. */
export function postgres(
  statements: Statements,
  {
    ports = [database.port],
    secrets = new Password(database.password),
    ...options
  }: { ports?: number[]; secrets?: Secrets; [key: string]: unknown } = {},
): Source & { logged: object[] } {
  const lookups = Object.entries(statements).map(([name, lookup]) => [
    name,
    { parameters: ['key'], ...(typeof lookup === 'string' ? { statement: lookup } : lookup) },
  ]);
  const connector = new PostgresConnector();
  const config = connector.config.parse({
    type: 'postgres',
    tenants: ['contoso'],
    hosts: ports.map((port) => ({ host: '127.0.0.1', port })),
    database: database.database,
    user: database.user,
    password: 'env:PASSWORD',
    tls: 'disable',
    limits: { operation: '10s', connect: '10s', concurrency: 5 },
    ...options,
    lookups: Object.fromEntries(lookups),
  });
  const logged: object[] = [];
  const note = (fields: object): void => void logged.push(fields);
  const source = connector.create('billing-db', config, { secrets, log: { warn: note, error: note } });
  cleanUp.push(() => source.close());
  return Object.assign(source, { logged });
}

export async function scripted(script: PostgresScript): Promise<ScriptedPostgres> {
  const running = await startScriptedPostgres(script);
  cleanUp.push(() => running.stop());
  return running;
}

export async function proxy(): Promise<TcpProxy> {
  const running = await startTcpProxy(database);
  cleanUp.push(() => running.stop());
  return running;
}

/** For `vi.waitFor`: nothing here depends on the machine's speed. */
export const eventually = { timeout: 20_000 };

export const patient = new AbortController().signal;

export function ask(
  source: Source,
  lookup: string,
  projection: string[] = [],
  key = 'adele',
  signal = patient,
): Promise<Outcome> {
  return source.fetch({ lookup, parameters: new Map([['key', key]]), projection }, signal);
}

export async function values(source: Source, lookup: string, column = 'v', key = 'adele'): Promise<readonly unknown[] | Outcome> {
  const outcome = await ask(source, lookup, [column], key);
  return outcome.kind === 'found'
    ? outcome.attributes.get(column).map((value) => (typeof value === 'string' ? value : Buffer.from(value)))
    : outcome;
}

/** Moves the clock that hold times are measured with. */
export function later(milliseconds: number): void {
  vi.restoreAllMocks();
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + milliseconds);
}
