import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Secrets } from '#claims';
import { openPostgresMappings, type PostgresStoreOptions } from '#mapping-store';
import { startPostgres, type RunningPostgres } from '#testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectWhole, killDuring } from './whole.js';

const root = path.resolve(import.meta.dirname, '../../..');
const publisher = path.join(import.meta.dirname, 'publisher.ts');
const kills = Number(process.env['CLAIMBRIDGE_KILLS'] ?? 200);
const documents = 4;

let database: RunningPostgres;
let observer: pg.Client;
let options: PostgresStoreOptions;
const heard: number[] = [];

class Password extends Secrets {
  override read(): Promise<string> {
    return Promise.resolve(database.password);
  }
}

beforeAll(async () => {
  database = await startPostgres();
  const { host, port, user, password, database: name } = database;
  options = {
    host,
    port,
    user,
    database: name,
    password: 'env:PASSWORD',
    tls: 'disable',
    connections: 2,
    connect: 10_000,
    operation: 30_000,
    polling: 10_000,
    migrate: false,
  };
  const owner = await openPostgresMappings(options, new Password());
  await owner.migrate();
  await owner.close();
  observer = new pg.Client({ host, port, user, password, database: name });
  observer.on('notification', ({ payload }) => heard.push(Number(payload)));
  await observer.connect();
  await observer.query('listen claimbridge_publish');
});
afterAll(async () => {
  await observer?.end();
  await database?.stop();
});

/** Lets a process publish and kills it, at a random moment of one of its changes. @returns the last version that it was told */
async function publishAndKill(name: string): Promise<number> {
  const child = spawn(process.execPath, [publisher, JSON.stringify({ options, password: database.password, name })], {
    cwd: root,
    env: { ...process.env, NODE_COMPILE_CACHE: path.join(tmpdir(), 'claimbridge-publisher') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  let told = 0;
  let spared = 1 + Math.floor(Math.random() * 5);
  let heardAt = 0;
  const lines = createInterface({ input: child.stdout }).on('line', (line) => {
    told = Number(line);
    const took = performance.now() - heardAt;
    heardAt = performance.now();
    if (--spared === 0) killDuring(took, () => child.kill('SIGKILL'));
  });
  const [, signal] = (await ended) as [number | null, NodeJS.Signals | null];
  lines.close();
  expect(signal).toBe('SIGKILL');
  return told;
}

describe('a process that is killed while it publishes', () => {
  it(`leaves no half of anything, ${kills} times`, { timeout: 600_000 }, async () => {
    const last = new Map<string, number>();
    await Promise.all(
      Array.from({ length: documents }, async (_, index) => {
        const name = `mapping-${index}`;
        for (let count = index; count < kills; count += documents) {
          const told = await publishAndKill(name);
          expect(told).toBeGreaterThan(last.get(name) ?? 0);
          last.set(name, told);
        }
      }),
    );

    expect(last.size).toBe(documents);
    const { changes, publications } = await expectWhole(observer, last);
    // Each was told once, in order.
    expect(publications).toBeGreaterThan(kills);
    await expect.poll(() => heard.length).toBe(publications);
    expect(heard).toEqual(Array.from({ length: publications }, (_, index) => index + 1));
    process.stdout.write(`${kills} kills, ${changes} changes, ${publications} publications\n`);
  });
});
