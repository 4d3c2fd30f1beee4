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

const root = path.resolve(import.meta.dirname, '../../..');
const publisher = path.join(import.meta.dirname, 'publisher.ts');
/** How often a process is killed. CI takes what fits; the figure of docs/adr/0012 is of 200. */
const kills = Number(process.env['CLAIMBRIDGE_KILLS'] ?? 24);
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
  const child = spawn(
    process.execPath,
    ['--import', './tools/resolve-typescript.mjs', publisher, JSON.stringify({ options, password: database.password, name })],
    {
      cwd: root,
      env: { ...process.env, NODE_COMPILE_CACHE: path.join(tmpdir(), 'claimbridge-publisher') },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const ended = once(child, 'close');
  let told = 0;
  let spared = 1 + Math.floor(Math.random() * 10);
  let heardAt = 0;
  const lines = createInterface({ input: child.stdout }).on('line', (line) => {
    told = Number(line);
    const took = performance.now() - heardAt;
    heardAt = performance.now();
    // As long into the next change as it will take, at most.
    if (--spared === 0) setTimeout(() => child.kill('SIGKILL'), Math.random() * Math.min(took, 100));
  });
  const [, signal] = (await ended) as [number | null, NodeJS.Signals | null];
  lines.close();
  expect(signal).toBe('SIGKILL');
  return told;
}

async function rows<Row extends object>(sql: string): Promise<readonly Row[]> {
  return (await observer.query<Row>(sql)).rows;
}

interface Entry {
  readonly target: string;
  readonly action: string;
  readonly details: { readonly version: number; readonly number?: number; readonly revision?: string };
}

/** What a document must be like after what the audit says. */
function replay(entries: readonly Entry[]): object {
  const state = { published: null as number | null, deleted: false, drafted: false };
  for (const { action, details } of entries) {
    const published = details.number ?? null;
    if (action === 'mapping.draft.save') state.drafted = true;
    if (action === 'mapping.publish') Object.assign(state, { published, deleted: false, drafted: false });
    if (['mapping.rollback', 'mapping.restore'].includes(action)) Object.assign(state, { published, deleted: false });
    if (action === 'mapping.delete') Object.assign(state, { published: null, deleted: true });
  }
  return state;
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

    const audit = await rows<Entry>('select target, action, details from claimbridge.audit order by id');
    const present = await rows<{ name: string; version: number; published: number | null; deleted: boolean }>(
      'select name, version, published, deleted_at is not null as deleted from claimbridge.document order by name',
    );
    const revisions = await rows<{ name: string; number: number; revision: string }>(
      'select name, number, revision from claimbridge.revision order by name, number',
    );
    const drafts = await rows<{ name: string }>('select name from claimbridge.draft');
    expect(present).toHaveLength(documents);
    for (const { name, version, published, deleted } of present) {
      const own = audit.filter(({ target }) => target === name);
      // Every change wrote one entry and one version, and none that was told to its author is lost.
      expect(own.map(({ details }) => details.version)).toEqual(Array.from({ length: version }, (_, index) => index + 1));
      expect(version).toBeGreaterThanOrEqual(last.get(name)!);
      // Every entry of a new revision has its revision, and the other way round.
      const made = own.filter(({ action }) => ['mapping.publish', 'mapping.rollback'].includes(action));
      expect(made.map(({ details: { number, revision } }) => ({ name, number, revision }))).toEqual(
        revisions.filter((revision) => revision.name === name),
      );
      const drafted = drafts.some((draft) => draft.name === name);
      expect({ published, deleted, drafted }).toEqual(replay(own));
    }
    // Every publication was counted, and told once, in order.
    const publications = audit.filter(({ action }) => action !== 'mapping.draft.save').length;
    const counted = await rows<{ sequence: number }>('select sequence from claimbridge.publication');
    expect(counted).toEqual([{ sequence: publications }]);
    expect(publications).toBeGreaterThan(kills);
    await expect.poll(() => heard.length).toBe(publications);
    expect(heard).toEqual(Array.from({ length: publications }, (_, index) => index + 1));
    process.stdout.write(`${kills} kills, ${audit.length} changes, ${publications} publications\n`);
  });
});
