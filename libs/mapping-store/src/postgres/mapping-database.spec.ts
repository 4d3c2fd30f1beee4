import { fatal, letIn, serverMessage, startScriptedPostgres, type RunningPostgres } from '#testing';
import type { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { ada, allow, changed, document } from '../mapping-repository.conformance.js';
import { InForce } from './in-force.js';
import { MappingDatabase } from './mapping-database.js';
import { Password, connectTo, optionsFor, repositoryFor, startStore } from './postgres.harness.js';

let database: RunningPostgres;
beforeAll(async () => {
  database = await startStore();
});
afterAll(() => database?.stop());

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).toReversed()) await each();
});

function open(): MappingDatabase {
  const opened = new MappingDatabase(optionsFor(database), new Password(database.password));
  cleanUp.push(() => opened.close());
  return opened;
}

it.each([
  ['asks for GSSAPI', { say: serverMessage('R', Buffer.from([0, 0, 0, 7])) }, 'Unknown authenticationOk message type 7'],
  ['sends an error without an end', { say: serverMessage('E', Buffer.from('SFATAL\0')) }, 'without an end'],
  ['ends each session as it begins', { say: Buffer.concat([letIn, fatal('57P01')]), end: true as const }, ''],
])('a server that %s is unavailable, for the pool and for a session of its own', async (_what, answer, detail) => {
  const server = await startScriptedPostgres(() => answer);
  cleanUp.push(() => server.stop());
  const store = new MappingDatabase({ ...optionsFor(database), port: server.port }, new Password('password'));
  cleanUp.push(() => store.close());
  const asked = await store.use(async (source) => source.query('select 1'));
  expect(asked).toMatchObject({ kind: 'unavailable' });
  const client = await store.client('publications');
  await expect(client.connect().then(() => client.query('select 1'))).rejects.toThrow(detail);
  await client.end().catch(() => undefined);
});

const found = (source: DataSource) => Promise.resolve({ kind: 'found' as const, source });

it('a loss that is noticed late takes nothing away from those who came since', async () => {
  const store = open();
  const noticed = Promise.withResolvers<never>();
  const late = store.use(() => noticed.promise);
  expect(await store.use(() => Promise.reject(new Error('lost')))).toEqual({ kind: 'unavailable', detail: 'lost' });
  const fresh = await store.use(found);
  noticed.reject(new Error('lost'));
  expect(await late).toMatchObject({ kind: 'unavailable' });
  expect(await store.use(found)).toEqual(fresh);
});

it('sessions that are all in use are no lost connection: what runs in them goes on', async () => {
  const repository = repositoryFor(database, { connections: 1, connect: 200 });
  cleanUp.push(() => repository.close());
  const key = { tenant: 'contoso', name: 'slow' };
  const { version } = changed(await repository.saveDraft(key, document(key.name), 0, ada));
  const checked = Promise.withResolvers<readonly []>();
  const checking = Promise.withResolvers<void>();
  const publishing = repository.publish(key, version, '', ada, () => {
    checking.resolve();
    return checked.promise;
  });
  await checking.promise;
  expect(await repository.load()).toEqual({ kind: 'unavailable', detail: 'every session is in use' });
  checked.resolve([]);
  expect(await publishing).toMatchObject({ kind: 'changed' });
  expect(await repository.load()).toMatchObject({ kind: 'loaded' });
});

it('publications that wait for one another leave a session for those who read', async () => {
  const repository = repositoryFor(database, { connections: 2, connect: 1_000 });
  cleanUp.push(() => repository.close());
  const versions = new Map<string, number>();
  for (const name of ['first', 'second', 'third'])
    versions.set(name, changed(await repository.saveDraft({ tenant: 'contoso', name }, document(name), 0, ada)).version);
  const checked = Promise.withResolvers<readonly []>();
  const all = [...versions].map(([name, version]) =>
    repository.publish({ tenant: 'contoso', name }, version, '', ada, () => checked.promise),
  );
  expect(await repository.load()).toMatchObject({ kind: 'loaded' });
  checked.resolve([]);
  for (const publication of await Promise.all(all)) expect(publication.kind).toBe('changed');
});

it('a store without its number of publications is unavailable, and says why', async () => {
  const repository = repositoryFor(database);
  cleanUp.push(() => repository.close());
  const key = { tenant: 'contoso', name: 'numberless' };
  const { version } = changed(await repository.saveDraft(key, document(key.name), 0, ada));
  const client = await connectTo(database);
  const { rows } = await client.query('delete from claimbridge.publication returning sequence');
  const unavailable = { kind: 'unavailable', detail: 'EntityNotFoundError' };
  expect(await repository.load()).toEqual(unavailable);
  expect(await repository.publish(key, version, '', ada, allow)).toEqual(unavailable);
  await client.query('insert into claimbridge.publication (sequence) values ($1)', [rows[0].sequence]);
  await client.end();
  expect(await repository.publish(key, version, '', ada, allow)).toMatchObject({ kind: 'changed' });
});

it('what a check reads of a tenant is not kept: it may be refused', async () => {
  const repository = repositoryFor(database);
  cleanUp.push(() => repository.close());
  const key = { tenant: 'contoso', name: 'candidate' };
  const { version } = changed(await repository.saveDraft(key, document(key.name), 0, ada));
  changed(await repository.publish(key, version, '', ada, allow));
  const contents = await open().use(async ({ manager }) => {
    const inForce = new InForce();
    const find = vi.spyOn(manager, 'find');
    const calls: number[] = [];
    for (const tenant of ['contoso', 'contoso', undefined, 'contoso', undefined]) {
      await inForce.read(manager, tenant);
      calls.push(find.mock.calls.length);
    }
    return { kind: 'found' as const, calls };
  });
  expect(contents).toEqual({ kind: 'found', calls: [1, 2, 3, 3, 3] });
});
