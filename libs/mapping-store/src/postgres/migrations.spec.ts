import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Secrets } from '#claims';
import { selfSigned, startPostgres, type RunningPostgres } from '#testing';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ada, allow, changed, document } from '../mapping-repository.conformance.js';
import { PostgresMappingRepository } from './postgres-mapping-repository.js';
import { Password, connectTo, optionsFor, repositoryFor } from './postgres.harness.js';

let server: RunningPostgres;
let admin: pg.Client;
const key = { tenant: 'contoso', name: 'portal' };
beforeAll(async () => {
  server = await startPostgres();
  admin = await connectTo(server);
  await admin.query("create role owner login password 'owner'; create role service login password 'service'");
});
afterAll(async () => {
  await admin?.end();
  await server?.stop();
});

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).toReversed()) await each();
});

let count = 0;
/** A new, empty database of the owner. */
async function create(): Promise<RunningPostgres> {
  const name = `store${++count}`;
  await admin.query(`create database ${name} owner owner`);
  return { ...server, database: name };
}

class RolePassword extends Secrets {
  override read(reference: string): Promise<string> {
    return Promise.resolve(reference.replace('env:', ''));
  }
}

/** A repository whose service role owns nothing. */
function limited(database: RunningPostgres, migrate = false): PostgresMappingRepository {
  const options = optionsFor(database, {
    user: 'service',
    password: 'env:service',
    owner: { user: 'owner', password: 'env:owner' },
    migrate,
  });
  const repository = new PostgresMappingRepository(options, new RolePassword());
  cleanUp.push(() => repository.close());
  return repository;
}

async function publish(repository: PostgresMappingRepository, value = 'gold'): Promise<void> {
  const present = await repository.read(key);
  const version = present.kind === 'found' ? present.record.version : 0;
  const saved = changed(await repository.saveDraft(key, document('portal', value), version, ada));
  changed(await repository.publish(key, saved.version, '', ada, allow));
}

/** Tables, columns, functions, triggers and constraints, as text. */
async function shape(database: RunningPostgres): Promise<unknown> {
  const client = await connectTo(database);
  const { rows } = await client.query(`
    select c.relname as of, a.attname || ' ' || format_type(a.atttypid, a.atttypmod) as what
      from pg_attribute a join pg_class c on c.oid = a.attrelid
      where c.relnamespace = to_regnamespace('claimbridge') and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
    union all select conrelid::regclass::text, conname from pg_constraint where connamespace = to_regnamespace('claimbridge')
    union all select tgrelid::regclass::text, tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid
      where c.relnamespace = to_regnamespace('claimbridge') and not tgisinternal
    union all select tablename, indexname from pg_indexes where schemaname = 'claimbridge'
    union all select 'function', proname from pg_proc where pronamespace = to_regnamespace('claimbridge')
    order by 1, 2`);
  await client.end();
  return rows.filter(({ of }) => !String(of).includes('migration'));
}

describe('migrations', () => {
  it('go up, down and up again, and leave nothing behind', async () => {
    const database = await create();
    const repository = repositoryFor(database);
    cleanUp.push(() => repository.close());
    const migrations = await repository.migrate();
    expect(migrations).toEqual(['CreateStore1764115200000', 'AddKind1764201600000', 'IndexAudit1764201600001']);
    const first = await shape(database);
    await publish(repository);
    expect(await repository.migrate()).toEqual([]);
    for (let left = migrations.length; left > 0; left--) await repository.revertMigration();
    expect(await shape(database)).toEqual([]);
    await repository.migrate();
    expect(await shape(database)).toEqual(first);
    await publish(repository);
    expect(await repository.load()).toMatchObject({ kind: 'loaded', mappings: [{ origin: 'contoso/portal' }] });
  });

  it('say of what the previous version wrote what it is', async () => {
    const database = await create();
    const repository = repositoryFor(database);
    cleanUp.push(() => repository.close());
    for (let left = (await repository.migrate()).length; left > 1; left--) await repository.revertMigration();
    const client = await connectTo(database);
    const write = async (name: string, content: object): Promise<void> => {
      await client.query('insert into claimbridge.document (tenant, name, version) values ($1, $2, 1)', ['contoso', name]);
      await client.query(
        `insert into claimbridge.revision (tenant, name, number, revision, content, applications, author, at, comment)
          values ('contoso', $1, 1, $1, $2, '{}', '{}', now(), '')`,
        [name, JSON.stringify(content)],
      );
      await client.query('update claimbridge.document set published = 1 where name = $1', [name]);
    };
    await write('early-set', { claimSet: 'early-set', claims: {} });
    await write('early-mapping', { name: 'early-mapping', claims: { claimSet: { value: 'x' } } });
    await repository.migrate();
    await write('late-set', { claims: { text: { value: '\0' } }, claimSet: 'late-set' });
    await client.end();
    expect(await repository.list({ limit: 10 })).toMatchObject({
      records: [
        { name: 'early-mapping', kind: 'mapping' },
        { name: 'early-set', kind: 'claimSet' },
        { name: 'late-set', kind: 'claimSet' },
      ],
    });
  });

  it('let the audit be asked for a mapping, a person or a time by an index', async () => {
    const database = await create();
    const repository = repositoryFor(database);
    cleanUp.push(() => repository.close());
    await repository.migrate();
    const client = await connectTo(database);
    cleanUp.push(() => client.end());
    await client.query(`
      insert into claimbridge.audit (at, actor, action, tenant, target, details)
        select now() - make_interval(mins => n), jsonb_build_object('id', n), 'mapping.publish', 'fabrikam', 'm' || n, '{}'
        from generate_series(1, 20000) n;
      analyze claimbridge.audit`);
    expect(await repository.audit({ limit: 3, tenant: 'fabrikam', target: 'm20000' })).toMatchObject({
      entries: [{ target: 'm20000' }],
    });
    expect(await repository.audit({ limit: 3, actor: '7' })).toMatchObject({ entries: [{ target: 'm7' }] });
    expect(await repository.audit({ limit: 3, from: new Date(Date.now() + 60_000) })).toMatchObject({ entries: [] });
    await repository.close();
    const used = async (): Promise<unknown> => {
      const { rows } = await client.query(
        "select indexrelname as name from pg_stat_user_indexes where indexrelname like 'audit\\_%' and idx_scan > 0 order by 1",
      );
      return rows.map(({ name }: { name: string }) => name);
    };
    await expect.poll(used).toEqual(expect.arrayContaining(['audit_actor', 'audit_at', 'audit_target']));
  });

  it('run once where replicas start together', async () => {
    const database = await create();
    const replicas = Array.from({ length: 5 }, () => repositoryFor(database, { migrate: true }));
    cleanUp.push(...replicas.map((replica) => () => replica.close()));
    const loaded = await Promise.all(replicas.map((replica) => replica.load()));
    expect(loaded).toEqual(replicas.map(() => ({ kind: 'loaded', mappings: [] })));
  });

  it('are not run by a service that was not told so', async () => {
    const repository = repositoryFor(await create());
    cleanUp.push(() => repository.close());
    expect(await repository.load()).toMatchObject({ kind: 'unavailable', detail: expect.stringContaining('run the migrations') });
  });

  it('let the previous version work on: what a later one adds disturbs nothing', async () => {
    const database = await create();
    const repository = repositoryFor(database);
    cleanUp.push(() => repository.close());
    await repository.migrate();
    await publish(repository);
    const client = await connectTo(database);
    for (const table of ['document', 'draft', 'revision', 'audit', 'publication'])
      await client.query(`alter table claimbridge.${table} add column later text, add column needed text not null default 'x'`);
    await client.query(`insert into claimbridge.migration (timestamp, name) values (9999999999999, 'Later9999999999999')`);
    await client.end();
    await publish(repository, 'silver');
    const restarted = repositoryFor(database, { migrate: true });
    cleanUp.push(() => restarted.close());
    expect(await restarted.revisions(key, { limit: 10 })).toMatchObject({ revisions: [{ number: 2 }, { number: 1 }] });
    expect(await restarted.audit({ limit: 10 })).toMatchObject({ kind: 'found' });
  });

  it('let a service work that may create nothing, once the owner has run them', async () => {
    const database = await create();
    const repository = limited(database);
    await repository.migrate();
    await publish(repository);
    expect(await limited(database, true).load()).toMatchObject({ kind: 'loaded', mappings: [{ origin: 'contoso/portal' }] });
  });
});

describe('the service’s role', () => {
  let client: pg.Client;
  let repository: PostgresMappingRepository;
  let database: RunningPostgres;
  beforeAll(async () => {
    database = await create();
    const owner = limited(database);
    await owner.migrate();
    await publish(owner);
    await owner.close();
    client = await connectTo({ ...database, user: 'service', password: 'service' });
  });
  afterAll(() => client?.end());

  it.each([
    'select * from claimbridge.audit',
    "update claimbridge.audit set action = 'nothing'",
    'delete from claimbridge.audit',
    'truncate claimbridge.audit',
    "update claimbridge.revision set content = '{}'",
    'delete from claimbridge.revision',
    'truncate claimbridge.revision cascade',
    'delete from claimbridge.document',
    'delete from claimbridge.publication',
    'drop table claimbridge.draft',
    'alter table claimbridge.audit disable trigger immutable',
    'create table claimbridge.mine ()',
    'insert into claimbridge.migration (timestamp, name) values (1, $$x$$)',
    "select claimbridge.grant_service('service')",
  ])('may not: %s', async (statement) => {
    await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' });
  });

  it('writes the audit, and reads it through a function that can be withheld', async () => {
    repository = limited(database);
    expect(await repository.record({ at: new Date(), actor: ada, action: 'cache.erase', details: { entries: 1 } })).toEqual({
      kind: 'recorded',
    });
    expect(await repository.audit({ limit: 1 })).toMatchObject({ kind: 'found', entries: [{ action: 'cache.erase' }] });
    const owner = await connectTo({ ...database, user: 'owner', password: 'owner' });
    await owner.query('revoke execute on function claimbridge.read_audit from service');
    await owner.end();
    expect(await repository.audit({ limit: 1 })).toMatchObject({
      kind: 'unavailable',
      detail: expect.stringContaining('permission denied for function read_audit'),
    });
    expect(await repository.record({ at: new Date(), actor: ada, action: 'cache.erase', details: {} })).toEqual({
      kind: 'recorded',
    });
  });

  it.each(['audit', 'revision'])('the owner too changes no row of %s by mistake', async (table) => {
    const owner = await connectTo({ ...database, user: 'owner', password: 'owner' });
    for (const statement of [`update claimbridge.${table} set at = now()`, `delete from claimbridge.${table}`])
      await expect(owner.query(statement)).rejects.toMatchObject({ code: '23001', message: `${table} is never changed` });
    await owner.end();
  });
});

describe('the connection', () => {
  it('takes a new password when the old one was changed', async () => {
    const database = await create();
    const secrets = new Password(server.password);
    const repository = new PostgresMappingRepository(optionsFor(database, { migrate: true }), secrets);
    cleanUp.push(() => repository.close());
    expect(await repository.load()).toMatchObject({ kind: 'loaded' });
    await admin.query("alter role postgres password 'another'");
    secrets.text = 'another';
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [database.database]);
    await expect.poll(async () => (await repository.load()).kind).toBe('loaded');
    await admin.query(`alter role postgres password '${server.password}'`);
  });

  it('is encrypted, and to whom it should be', async () => {
    const [own, stranger] = await Promise.all([selfSigned(), selfSigned()]);
    const folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-store-tls-'));
    cleanUp.push(() => rm(folder, { recursive: true, force: true }));
    await Promise.all([
      writeFile(path.join(folder, 'own.pem'), own.cert),
      writeFile(path.join(folder, 'stranger.pem'), stranger.cert),
    ]);
    const secured = await startPostgres({ tls: own });
    cleanUp.push(() => secured.stop());
    const authorities = new Map([
      ['file:own', own.cert],
      ['file:stranger', stranger.cert],
      ['env:PASSWORD', secured.password],
    ]);
    class Authorities extends Secrets {
      override read(reference: string): Promise<string> {
        return Promise.resolve(authorities.get(reference)!);
      }
    }
    const load = async (tls: 'verify-full' | { ca: string; servername?: string }) => {
      const repository = new PostgresMappingRepository(optionsFor(secured, { tls, migrate: true }), new Authorities());
      cleanUp.push(() => repository.close());
      return repository.load();
    };
    expect(await load({ ca: 'file:own' })).toMatchObject({ kind: 'loaded' });
    expect(await load({ ca: 'file:own', servername: 'db.corp.example' })).toEqual({
      kind: 'unavailable',
      detail: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    for (const tls of ['verify-full', { ca: 'file:stranger' }] as const)
      expect(await load(tls)).toMatchObject({ kind: 'unavailable', detail: expect.stringMatching(/CERT/) });
  });
});
