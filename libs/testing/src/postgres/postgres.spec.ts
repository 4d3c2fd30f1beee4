import { chmod, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startChildServer } from '../process/child-server.js';
import { startPostgres } from './postgres.js';

const seed = path.resolve(import.meta.dirname, '../../../../docker/seeds/billing.sql');
const main = path.join(import.meta.dirname, 'main.ts');

async function query(url: string, sql: string): Promise<readonly unknown[]> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

const refused = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', () => resolve(true));
  });

let temporary: string;

beforeAll(async () => {
  temporary = await mkdtemp(path.join(tmpdir(), 'claimbridge-spec-'));
  await chmod(temporary, 0o1777);
  vi.stubEnv('TMPDIR', temporary);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(temporary, { recursive: true });
});

const left = (): Promise<readonly string[]> => readdir(temporary);

const urlOf = (report: Readonly<Record<string, unknown>>): string =>
  `postgresql://${report['user']}:${report['password']}@${report['host']}:${report['port']}/${report['database']}`;

describe('startPostgres', () => {
  it('serves a fresh database with the given SQL, to its password only, until it is stopped', async () => {
    await using servers = new AsyncDisposableStack();
    const server = await startPostgres({ sql: [await readFile(seed, 'utf8'), 'create table "more" ()'], database: 'Bil ling' });
    servers.defer(() => server.stop());
    expect(await query(server.url, 'select tier from billing.accounts order by upn limit 1')).toEqual([{ tier: 'gold' }]);
    expect(await query(server.url, 'select current_database() as name, version() as version')).toMatchObject([
      { name: 'Bil ling', version: expect.stringMatching(/^PostgreSQL 18/) },
    ]);
    const [{ port, host, database, user }, password] = [server, 'wrong'];
    const intruder = new Client({ host, port, database, user, password });
    await expect(intruder.connect()).rejects.toMatchObject({ code: '28P01' });
    await server.stop();
    expect(await refused(server.port)).toBe(true);
    expect(await left()).toEqual([]);
  });

  it('refuses a port that is taken, and leaves nothing behind', async () => {
    await using servers = new AsyncDisposableStack();
    const server = await startPostgres();
    servers.defer(() => server.stop());
    await expect(startPostgres({ port: server.port })).rejects.toMatchObject({ code: 'start.port' });
    expect(await left()).toHaveLength(1);
  });

  it('rejects with the message of PostgreSQL where the SQL fails, and leaves nothing behind', async () => {
    await expect(startPostgres({ sql: ['select 1; selekt 2'] })).rejects.toThrow(/syntax error/);
    expect(await left()).toEqual([]);
  });
});

describe('the PostgreSQL process of the demo', () => {
  it.each(['SIGTERM', 'SIGINT', 'stdin'] as const)('announces itself and ends cleanly on %s', async (ending) => {
    const child = startChildServer(main, ['--sql', seed, '--database', 'billing']);
    const report = await child.ready;
    expect(report).toMatchObject({ ready: true, host: '127.0.0.1', database: 'billing', user: 'postgres' });
    expect(await query(urlOf(report), 'select count(*)::int as count from billing.accounts')).toEqual([{ count: 3 }]);
    if (ending === 'stdin') child.process.stdin?.end();
    else child.process.kill(ending);
    expect(await child.exited).toEqual({ code: 0, stderr: '' });
    expect(await refused(Number(report['port']))).toBe(true);
    expect(await left()).toEqual([]);
  });

  it('takes the server and its data with it even when it is killed', async () => {
    const child = startChildServer(main, []);
    const report = await child.ready;
    child.process.kill('SIGKILL');
    await child.exited;
    await expect.poll(() => refused(Number(report['port'])), { timeout: 10_000 }).toBe(true);
    await expect.poll(left, { timeout: 10_000 }).toEqual([]);
  });

  it('fails with a message where it cannot read its SQL', async () => {
    const { code, stderr } = await startChildServer(main, ['--sql', '/does/not/exist.sql']).exited;
    expect(code).toBe(1);
    expect(stderr).toContain('/does/not/exist.sql');
  });

  it.runIf(process.getuid?.() === 0)('runs as a user who is not root', async () => {
    const child = startChildServer(main, [], { uid: 65534, gid: 65534, env: { ...process.env, HOME: temporary } });
    const report = await child.ready;
    expect(await query(urlOf(report), 'select 1 as one')).toEqual([{ one: 1 }]);
    child.process.stdin?.end();
    expect(await child.exited).toEqual({ code: 0, stderr: '' });
  });
});
