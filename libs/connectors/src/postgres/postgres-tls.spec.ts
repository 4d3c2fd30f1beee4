import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Secrets, type Outcome, type Source } from '#claims';
import { selfSigned, startPostgres, type RunningPostgres } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresConnector } from './postgres-connector.js';

let database: RunningPostgres;
let folder: string;

class Files extends Secrets {
  override async read(reference: string): Promise<string> {
    return reference === 'env:PASSWORD' ? database.password : readFile(reference.slice('file:'.length), 'utf8');
  }
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-postgres-tls-'));
  const [server, stranger] = await Promise.all([selfSigned(), selfSigned()]);
  await writeFile(path.join(folder, 'ca.pem'), server.cert);
  await writeFile(path.join(folder, 'stranger.pem'), stranger.cert);
  database = await startPostgres({ tls: server });
});
afterAll(async () => {
  await database?.stop();
  await rm(folder, { recursive: true, force: true });
});

function sourceOf(tls: unknown): Source {
  const connector = new PostgresConnector();
  const config = connector.config.parse({
    type: 'postgres',
    tenants: ['contoso'],
    hosts: [{ host: database.host, port: database.port }],
    database: database.database,
    user: database.user,
    password: 'env:PASSWORD',
    tls,
    limits: { connect: '10s', operation: '10s', concurrency: 1 },
    lookups: {
      it: {
        parameters: ['key'],
        statement: 'select ssl::text as secured from pg_stat_ssl where pid = pg_backend_pid() and $1 = $1',
      },
      end: { parameters: ['key'], statement: 'select pg_terminate_backend(pg_backend_pid()) as ended where $1 = $1' },
    },
  });
  const silent = { warn: () => undefined, error: () => undefined };
  return connector.create('billing-db', config, { secrets: new Files(), log: silent });
}

const fetch = (source: Source, lookup = 'it'): Promise<Outcome> =>
  source.fetch({ lookup, parameters: new Map([['key', 'x']]), projection: ['secured'] }, new AbortController().signal);

async function ask(tls: unknown): Promise<Outcome> {
  const source = sourceOf(tls);
  try {
    return await fetch(source);
  } finally {
    await source.close();
  }
}

describe('TLS to the database', () => {
  const ca = (name: string): string => `file:${path.join(folder, name)}`;

  it.each([
    ['with its authority', () => ({ ca: ca('ca.pem') }), 'true'],
    ['by another of its names', () => ({ ca: ca('ca.pem'), servername: 'localhost' }), 'true'],
    ['left out, where that is said', () => 'disable', 'false'],
  ])('is used %s', async (_how, tls, secured) => {
    const outcome = await ask(tls());
    expect(outcome.kind === 'found' && outcome.attributes.get('secured')).toEqual([secured]);
  });

  it.each([
    ['with another authority', () => ({ ca: ca('stranger.pem') }), /SELF_SIGNED|VERIFY/],
    ['with no authority but the system’s', () => 'verify-full', /SELF_SIGNED|VERIFY/],
    ['by a name that is not its own', () => ({ ca: ca('ca.pem'), servername: 'db.corp.example' }), /ALTNAME/],
  ])('is refused %s', async (_how, tls, detail) => {
    expect(await ask(tls())).toMatchObject({ kind: 'unavailable', reason: 'connection', detail: expect.stringMatching(detail) });
  });

  it('is judged by the authorities that are in the file when a connection is opened', async () => {
    const file = path.join(folder, 'changing.pem');
    const put = (name: string): Promise<void> => copyFile(path.join(folder, name), file);
    await put('stranger.pem');
    const source = sourceOf({ ca: `file:${file}` });
    expect(await fetch(source)).toMatchObject({ reason: 'connection', detail: expect.stringMatching(/SELF_SIGNED|VERIFY/) });
    await put('ca.pem');
    expect((await fetch(source)).kind).toBe('found');
    await put('stranger.pem');
    expect((await fetch(source)).kind).toBe('found');
    expect(await fetch(source, 'end')).toMatchObject({ reason: 'connection' });
    expect(await fetch(source)).toMatchObject({ reason: 'connection', detail: expect.stringMatching(/SELF_SIGNED|VERIFY/) });
    await writeFile(file, ' \n');
    expect(await fetch(source)).toMatchObject({ reason: 'credentials', detail: expect.stringContaining('is empty') });
    await rm(file);
    expect(await fetch(source)).toMatchObject({ reason: 'credentials' });
    await put('ca.pem');
    expect((await fetch(source)).kind).toBe('found');
    await source.close();
  });
});
