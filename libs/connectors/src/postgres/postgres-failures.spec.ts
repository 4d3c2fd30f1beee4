import { fatal, letIn, serverMessage, startPostgres } from '#testing';
import { describe, expect, it, vi } from 'vitest';
import { admin, ask, database, eventually, patient, postgres, proxy, scripted, values } from './postgres-source.harness.js';

const byUpn = { it: 'select name as v from people where upn = $1' };
const oneSession = { limits: { connect: '10s', operation: '10s', concurrency: 1 } };

const int16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const int32 = (value: number): Buffer => Buffer.from([0, 0, value >> 8, value & 255]);

const broken: Readonly<Record<string, Buffer>> = {
  'asks for GSSAPI': serverMessage('R', int32(7)),
  'describes more columns than there are': serverMessage('T', int16(300)),
  'sends an error without an end': serverMessage('E', Buffer.from('SFATAL\0')),
};

describe('a server that speaks no PostgreSQL', () => {
  it.each(Object.entries(broken))('and %s is left for another one', async (_what, message) => {
    const first = await scripted(() => ({ say: message }));
    const both = postgres(byUpn, { ...oneSession, ports: [first.port, database.port] });
    expect(await values(both, 'it')).toEqual(['Adele']);
    const alone = postgres(byUpn, { ...oneSession, ports: [first.port] });
    expect(await ask(alone, 'it')).toMatchObject({ kind: 'unavailable', reason: 'malformed' });
    expect(await alone.probe(patient)).toMatchObject({ kind: 'down', reason: 'malformed' });
  });

  it.each(Object.entries(broken))('once it is asked, and %s, is asked again over another session', async (_what, message) => {
    const server = await scripted((piece) => ({ say: piece === 1 ? letIn : message }));
    const source = postgres(byUpn, { ...oneSession, ports: [server.port] });
    expect(await ask(source, 'it')).toMatchObject({ kind: 'unavailable', reason: 'malformed' });
    expect(server.accepted).toBe(2);
    expect(await source.probe(patient)).toMatchObject({ kind: 'down', reason: 'malformed' });
  });

  it('when it is asked to cancel harms nobody', async () => {
    const working = Promise.withResolvers<void>();
    const server = await scripted((piece, connection) => {
      if (connection > 1) return { say: broken['sends an error without an end']! };
      if (piece === 1) return { say: letIn };
      working.resolve();
      return undefined;
    });
    const source = postgres(byUpn, { ...oneSession, ports: [server.port] });
    const abort = new AbortController();
    const asked = ask(source, 'it', [], 'adele', abort.signal);
    await working.promise;
    abort.abort();
    expect(await asked).toMatchObject({ reason: 'timeout' });
    await vi.waitFor(() => expect([server.accepted, server.connections]).toEqual([2, 0]), eventually);
  });
});

describe('a session that ends', () => {
  it('in one piece with its beginning is lost, and nothing else is', async () => {
    const server = await scripted(() => ({ say: Buffer.concat([letIn, fatal('57P01')]), end: true }));
    const source = postgres(byUpn, { ...oneSession, ports: [server.port] });
    expect(await ask(source, 'it')).toMatchObject({ kind: 'unavailable', reason: 'connection' });
    expect(server.accepted).toBe(2);
  });

  it('while the types of columns are asked for is lost, and another one is asked', async () => {
    const column = Buffer.concat([Buffer.from('v\0'), int32(0), int16(0), int32(60_000), int16(1), int32(0), int16(0)]);
    const row = Buffer.concat([int16(1), int32(1), Buffer.from('x')]);
    const answer = Buffer.concat([
      serverMessage('1'),
      serverMessage('2'),
      serverMessage('T', Buffer.concat([int16(1), column])),
      serverMessage('D', row),
      serverMessage('C', Buffer.from('SELECT 1\0')),
      serverMessage('Z', Buffer.from('I')),
    ]);
    const server = await scripted((piece) => {
      if (piece > 2) return { say: fatal('57P01'), end: true };
      return { say: piece === 1 ? letIn : answer };
    });
    const source = postgres(byUpn, { ...oneSession, ports: [server.port] });
    expect(await ask(source, 'it', ['v'])).toMatchObject({ kind: 'unavailable', reason: 'connection' });
    expect(server.accepted).toBe(2);
  });
});

describe('a host that has no place for a session', () => {
  it('is left for another one, and not tried by each lookup', async () => {
    const full = await scripted(() => ({ say: fatal('53300'), end: true }));
    const source = postgres(byUpn, { ...oneSession, ports: [full.port, database.port] });
    for (let round = 0; round < 12; round++) expect(await values(source, 'it')).toEqual(['Adele']);
    expect(full.accepted).toBe(1);
  });

  it('is overloaded where there is no other, and so are all of them', async () => {
    const full = await scripted(() => ({ say: fatal('53300'), end: true }));
    const fuller = await scripted(() => ({ say: fatal('53300'), end: true }));
    const source = postgres(byUpn, { ...oneSession, ports: [full.port, fuller.port] });
    expect(await ask(source, 'it')).toMatchObject({ kind: 'unavailable', reason: 'overloaded', detail: /: 53300$/ });
    expect([full.accepted, fuller.accepted]).toEqual([1, 1]);
  });
});

describe('a statement', () => {
  it('that PostgreSQL cannot do is refused, and costs no session', async () => {
    const through = await proxy();
    const bad = 'select distinct name from people where upn = $1 for update';
    const source = postgres({ ...byUpn, bad }, { ...oneSession, ports: [through.port] });
    for (let round = 0; round < 10; round++)
      expect(await ask(source, 'bad')).toEqual({ kind: 'unavailable', reason: 'refused', detail: '0A000' });
    expect(await values(source, 'it')).toEqual(['Adele']);
    expect(through.accepted).toBe(1);
  });

  it('whose table has changed goes on in each of the sessions that had prepared it', async () => {
    await admin.query("create table widened (upn text, v text); insert into widened values ('adele', 'before')");
    const through = await proxy();
    const source = postgres({ it: 'select * from widened where upn = $1' }, { ports: [through.port] });
    const askAll = (): Promise<readonly unknown[]> => Promise.all(Array.from({ length: 5 }, () => values(source, 'it')));
    await askAll();
    await admin.query("alter table widened add column w int; update widened set v = 'after'");
    for (let round = 0; round < 2; round++) expect(await askAll()).toEqual(Array.from({ length: 5 }, () => ['after']));
    expect(through.accepted).toBe(5);
  });

  it('that the session has no more is prepared again', async () => {
    await admin.query(`create function forget(text) returns text language plpgsql as $$
      begin execute 'deallocate all'; return $1; end $$`);
    const through = await proxy();
    const source = postgres({ ...byUpn, forget: 'select forget($1) as v' }, { ...oneSession, ports: [through.port] });
    for (const lookup of ['it', 'forget', 'it', 'it', 'forget', 'forget', 'it'])
      expect(await values(source, lookup)).toEqual([lookup === 'it' ? 'Adele' : 'adele']);
    expect(through.accepted).toBe(1);
  });

  it('that is taken back once, as by a standby that has to catch up, is asked again', async () => {
    await admin.query(`create function at_second_try(text, lock int) returns text language plpgsql as $$
      begin
        if exists (select from pg_locks where locktype = 'advisory' and objid = lock) then return $1; end if;
        perform pg_advisory_lock(lock);
        raise 'canceling statement due to conflict with recovery' using errcode = '40001';
      end $$`);
    await admin.query(`create function never() returns text language plpgsql as $$
      begin raise 'again' using errcode = '40001'; end $$`);
    const through = await proxy();
    const statements = { once: 'select at_second_try($1, 4001) as v', never: 'select never() as v where $1 = $1' };
    const source = postgres(statements, { ...oneSession, ports: [through.port] });
    expect(await values(source, 'once')).toEqual(['adele']);
    expect(await ask(source, 'never')).toEqual({ kind: 'unavailable', reason: 'refused', detail: '40001' });
    expect(through.accepted).toBe(1);
  });
});

it('the types of columns are those of the server that answers', async () => {
  await admin.query("create type level as enum ('x'); create table levels (upn text, v level[])");
  await admin.query("insert into levels values ('adele', array['x']::level[])");
  const { rows } = await admin.query<{ array: number }>("select typarray as array from pg_type where typname = 'level'");
  const number = rows[0]!.array;
  const copy = await startPostgres({
    sql: [
      // Each large object has the next number; a type's comes behind that of its array.
      `do $$ begin while lo_create(0) < ${number - 2} loop end loop; end $$`,
      "create type label as enum ('{x}'); create table levels (upn text, v label)",
      "insert into levels values ('adele', '{x}')",
      `do $$ begin assert (select oid from pg_type where typname = 'label') = ${number}; end $$`,
      `alter role ${database.user} password '${database.password}'`,
    ],
  });
  try {
    const through = await proxy();
    const source = postgres({ it: 'select v from levels where upn = $1' }, { ...oneSession, ports: [through.port, copy.port] });
    expect(await values(source, 'it')).toEqual(['x']);
    through.refuse();
    through.cut();
    expect(await values(source, 'it')).toEqual(['{x}']);
  } finally {
    await copy.stop();
  }
});
