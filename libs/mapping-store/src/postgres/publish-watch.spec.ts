import type { PublishCheck } from '#claims';
import { freePort, startTcpProxy, type RunningPostgres } from '#testing';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ada, allow, changed, document } from '../mapping-repository.conformance.js';
import type { PostgresMappingRepository, PostgresStoreOptions } from './postgres-mapping-repository.js';
import { connectTo, repositoryFor, startStore } from './postgres.harness.js';
import { PublishWatch } from './publish-watch.js';

let database: RunningPostgres;
let admin: pg.Client;
let author: PostgresMappingRepository;
beforeAll(async () => {
  database = await startStore();
  admin = await connectTo(database);
  author = repositoryFor(database);
});
afterAll(async () => {
  await author?.close();
  await admin?.end();
  await database?.stop();
});

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).toReversed()) await each();
});

let count = 0;
async function publish(): Promise<void> {
  const key = { tenant: 'contoso', name: `mapping-${++count}` };
  const { version } = changed(await author.saveDraft(key, document(key.name), 0, ada));
  changed(await author.publish(key, version, '', ada, allow));
}

const poll = { timeout: 20_000 };

/** A replica that counts what it hears. */
function follow(options: Partial<PostgresStoreOptions>, port = database.port) {
  const repository = repositoryFor({ ...database, port }, options);
  cleanUp.push(() => repository.close());
  const replica = { repository, heard: 0 };
  repository.onPublish(() => replica.heard++);
  return replica;
}

describe('PublishWatch', () => {
  it('is told by the database, without asking', async () => {
    const replica = follow({ polling: 3_600_000 });
    await expect.poll(() => replica.repository.following.listening, poll).toBe(true);
    await replica.repository.load();
    const before = replica.heard;
    await publish();
    await expect.poll(() => replica.heard, poll).toBe(before + 1);
  });

  it('listens again when its session was ended, and has missed nothing', async () => {
    const replica = follow({ polling: 3_600_000 });
    await expect.poll(() => replica.repository.following.listening, poll).toBe(true);
    for (let round = 0; round < 3; round++) {
      await replica.repository.load();
      const before = replica.heard;
      const { rowCount } = await admin.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'claimbridge publish watch'",
      );
      expect(rowCount).toBe(1);
      await expect.poll(() => replica.repository.following.listening, poll).toBe(false);
      await publish();
      await expect.poll(() => replica.heard, poll).toBeGreaterThan(before);
      await expect.poll(() => replica.repository.following.listening, poll).toBe(true);
    }
  });

  it('asks at its interval where it cannot listen, and listens as soon as it can', async () => {
    let refused = true;
    let heard = 0;
    const other = repositoryFor(database);
    cleanUp.push(() => other.close());
    const watch = new PublishWatch({
      connect: () => (refused ? Promise.reject(new Error('too many connections')) : connecting()),
      poll: async () =>
        (await admin.query<{ sequence: number }>('select sequence from claimbridge.publication')).rows[0]?.sequence,
      interval: 50,
      changed: () => heard++,
    });
    cleanUp.push(() => watch.close());
    const connecting = async () => {
      const { default: driver } = await import('pg');
      const { host, port, user, password, database: name } = database;
      const client = new driver.Client({ host, port, user, password, database: name });
      client.on('error', () => undefined);
      return client;
    };
    await expect.poll(() => watch.following.confirmedAt, poll).toBeDefined();
    const before = heard;
    await publish();
    await expect.poll(() => heard, poll).toBeGreaterThan(before);
    expect(watch.following.listening).toBe(false);
    refused = false;
    await expect.poll(() => watch.following.listening, poll).toBe(true);
  });

  it('finds out that the network swallows everything, and recovers', async () => {
    const proxy = await startTcpProxy(database);
    cleanUp.push(() => proxy.stop());
    const replica = follow({ polling: 200, operation: 300, connect: 300 }, proxy.port);
    await expect.poll(() => replica.repository.following.listening, poll).toBe(true);
    proxy.blackHole();
    await expect.poll(() => replica.repository.following.listening, poll).toBe(false);
    expect(await replica.repository.load()).toMatchObject({ kind: 'unavailable' });
    await publish();
    proxy.cut();
    await proxy.restore();
    await expect.poll(() => replica.repository.following.listening, poll).toBe(true);
    await expect
      .poll(async () => {
        const loaded = await replica.repository.load();
        return loaded.kind === 'loaded' && loaded.mappings.some(({ origin }) => origin === `contoso/mapping-${count}`);
      }, poll)
      .toBe(true);
  });

  it('tells of a database that was brought back to an earlier state', async () => {
    const replica = follow({ polling: 50 });
    await replica.repository.load();
    await expect.poll(() => replica.repository.following.confirmedAt, poll).toBeDefined();
    const before = replica.heard;
    await admin.query('alter table claimbridge.publication disable trigger tell');
    await admin.query('update claimbridge.publication set sequence = sequence - 1');
    await admin.query('alter table claimbridge.publication enable trigger tell');
    await expect.poll(() => replica.heard, poll).toBeGreaterThan(before);
  });
});

describe('a database that is down', () => {
  it('is told as such by every answer, at the start too, and is used as soon as it is there', async () => {
    const proxy = await startTcpProxy(database);
    proxy.refuse();
    cleanUp.push(() => proxy.stop());
    const replica = follow({ polling: 100 }, proxy.port);
    const { repository } = replica;
    const key = { tenant: 'contoso', name: 'portal' };
    const answers = await Promise.all([
      repository.load(),
      repository.list({ limit: 10 }),
      repository.read(key),
      repository.readDraft(key),
      repository.readRevision(key, 1),
      repository.revisions(key, { limit: 1 }),
      repository.saveDraft(key, document('portal'), 0, ada),
      repository.discardDraft(key, 1, ada),
      repository.publish(key, 1, '', ada, allow),
      repository.rollBack(key, 1, 1, '', ada, allow),
      repository.delete(key, 1, ada, allow),
      repository.restore(key, 1, ada, allow),
      repository.record({ at: new Date(), actor: ada, action: 'a', details: {} }),
      repository.audit({ limit: 1 }),
    ]);
    for (const answer of answers) expect(answer).toEqual({ kind: 'unavailable', detail: 'ECONNREFUSED' });
    await expect.poll(() => replica.heard, poll).toBeGreaterThan(0);
    const before = replica.heard;
    await proxy.restore();
    await expect.poll(() => replica.heard, poll).toBeGreaterThan(before);
    expect(await repository.load()).toMatchObject({ kind: 'loaded' });
    await expect.poll(() => repository.following.listening, poll).toBe(true);
  });

  it('that ends the session in the middle of a publish has published nothing, and says so', async () => {
    const repository = repositoryFor(database);
    cleanUp.push(() => repository.close());
    const key = { tenant: 'contoso', name: 'cut-off' };
    const saved = changed(await repository.saveDraft(key, document(key.name), 0, ada));
    const cutOff: PublishCheck = async () => {
      await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where state = 'idle in transaction'");
      await expect
        .poll(async () => {
          const sessions = await admin.query("select from pg_stat_activity where state = 'idle in transaction'");
          return sessions.rowCount;
        }, poll)
        .toBe(0);
      await new Promise((resolve) => setTimeout(resolve, 100));
      return [];
    };
    expect(await repository.publish(key, saved.version, '', ada, cutOff)).toMatchObject({ kind: 'unavailable' });
    expect(await repository.read(key)).toEqual({ kind: 'found', record: saved });
    changed(await repository.publish(key, saved.version, '', ada, allow));
  });

  it('that is not there at all is no defect', async () => {
    const repository = repositoryFor({ ...database, port: await freePort() });
    cleanUp.push(() => repository.close());
    expect(await repository.load()).toEqual({ kind: 'unavailable', detail: 'ECONNREFUSED' });
  });

  it('says which role or table is missing, and never a password', async () => {
    const stranger = repositoryFor({ ...database, password: 'wrong password' });
    const elsewhere = repositoryFor({ ...database, database: 'postgres' });
    cleanUp.push(
      () => stranger.close(),
      () => elsewhere.close(),
    );
    expect(await stranger.load()).toEqual({ kind: 'unavailable', detail: '28P01' });
    expect(await elsewhere.load()).toEqual({
      kind: 'unavailable',
      detail: '42P01: the tables are not those of this version; run the migrations',
    });
  });

  it('answers after it was closed that it is', async () => {
    const repository = repositoryFor(database);
    await repository.load();
    await repository.close();
    expect(await repository.load()).toEqual({ kind: 'unavailable', detail: 'the store is closed' });
  });
});
