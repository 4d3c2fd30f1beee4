import type { Outcome } from '#claims';
import { describe, expect, it, vi } from 'vitest';
import { Password, admin, ask, database, later, patient, postgres, proxy, values } from './postgres-source.harness.js';

describe('values', () => {
  it.each([
    ['null::text', []],
    ["''", ['']],
    ['12345678901234567890.10::numeric', ['12345678901234567890.10']],
    ['9223372036854775807::bigint', ['9223372036854775807']],
    ['0.1::float8', ['0.1']],
    ['true', ['true']],
    ['array[true, null, false]', ['true', 'false']],
    ["date '2019-04-01'", ['2019-04-01']],
    ["timestamptz '2019-04-01 12:00:00.123456+02'", ['2019-04-01 10:00:00.123456+00']],
    ['\'{"a": [1, 2]}\'::json', ['{"a": [1, 2]}']],
    ['\'{"a":1}\'::jsonb', ['{"a": 1}']],
    ['\'["a", 12345678901234567890, 1.50, true, null, ""]\'::json', ['a', '12345678901234567890', '1.50', 'true', '']],
    ["'[]'::jsonb", []],
    ["'null'::jsonb", []],
    ["to_jsonb('O''Hara'::text)", ["O'Hara"]],
    ["'00112233-4455-6677-8899-AABBCCDDEEFF'::uuid", ['00112233-4455-6677-8899-aabbccddeeff']],
    ["'\\x00ff41'::bytea", [Buffer.of(0, 255, 65)]],
    ["array['\\x41', '\\x']::bytea[]", [Buffer.of(65), Buffer.of()]],
    ["array['a,b', 'c\"d', 'e\\f', '{}', null, '', 'NULL', ' g ']", ['a,b', 'c"d', 'e\\f', '{}', '', 'NULL', ' g ']],
    ["'{}'::text[]", []],
    ["'[0:1]={a,b}'::text[]", ['a', 'b']],
    ["'{x}'", ['{x}']],
    ['array[1, 2]::int[]', ['1', '2']],
    ["array['senior, staff', 'junior']::grade[]", ['senior, staff', 'junior']],
    ["'senior, staff'::grade", ['senior, staff']],
    ["array['(1,1),(0,0)', '(2,2),(1,1)']::box[]", ['(1,1),(0,0)', '(2,2),(1,1)']],
    ["array['192.0.2.1/24']::inet[]", ['192.0.2.1/24']],
  ])('of %s', async (expression, expected) => {
    const source = postgres({ it: `select ${expression} as v from people where upn = $1` });
    expect(await values(source, 'it')).toEqual(expected);
  });

  it('of an array with two dimensions are refused, and so are two columns of one name', async () => {
    const source = postgres({
      square: "select array[['a','b'],['c','d']] as v where $1 <> ''",
      twice: 'select 1 as v, 2 as "V" where $1 <> \'\'',
      nested: `select '[{"a": 1}]'::jsonb as v where $1 <> ''`,
    });
    expect(await values(source, 'nested')).toMatchObject({ kind: 'unavailable', reason: 'malformed' });
    expect(await values(source, 'square')).toMatchObject({ kind: 'unavailable', reason: 'malformed' });
    expect(await values(source, 'twice')).toMatchObject({ kind: 'unavailable', reason: 'malformed' });
    expect((await ask(source, 'twice')).kind).toBe('found');
  });

  it('of all rows, where many are asked for', async () => {
    const source = postgres({
      all: { statement: "select upn, name, age from people where $1 <> '' order by age", rows: 'many' },
    });
    expect(await values(source, 'all', 'UPN')).toEqual(['ben', 'adele']);
    expect(await values(source, 'all', 'name')).toEqual(['Adele']);
  });

  it('of a column that the statement lacks are missing, and the operator is told once', async () => {
    const source = postgres({ it: 'select name from people where upn = $1' });
    expect(await values(source, 'it', 'nome')).toEqual([]);
    expect(await values(source, 'it', 'nome')).toEqual([]);
    expect(source.logged).toEqual([{ source: 'billing-db', lookup: 'it', column: 'nome' }]);
  });
});

describe('limits', () => {
  it('stop an answer of too many rows or bytes', async () => {
    const source = postgres({
      rows: { statement: "select n as v from generate_series(1, 1000000) n where $1 <> ''", rows: 'many' },
      bytes: { statement: "select repeat('x', 2000000) as v where $1 <> ''", rows: 'many' },
      thousand: { statement: "select n as v from generate_series(1, 1000) n where $1 <> ''", rows: 'many' },
      one: "select n as v from generate_series(1, 1000000) n where $1 <> ''",
    });
    expect(await ask(source, 'rows', ['v'])).toMatchObject({ kind: 'unavailable', reason: 'limit' });
    expect(await ask(source, 'bytes', ['v'])).toMatchObject({ kind: 'unavailable', reason: 'limit' });
    expect(await values(source, 'thousand')).toHaveLength(1_000);
    expect(await ask(source, 'one', ['v'])).toEqual({ kind: 'ambiguous' });
  });

  it('end a slow statement at the server, when nobody waits and when its time is over', async () => {
    const source = postgres({ slow: "select pg_sleep(60), 'claimbridge-slow' where $1 <> ''" });
    const running = async (): Promise<number> => {
      const sql = "select 1 from pg_stat_activity where state = 'active' and query like 'select pg_sleep%claimbridge-slow%'";
      return (await admin.query(sql)).rows.length;
    };
    const abort = new AbortController();
    const waiting = ask(source, 'slow', [], 'adele', abort.signal);
    await vi.waitFor(async () => expect(await running()).toBe(1), { timeout: 15_000 });
    abort.abort();
    expect(await waiting).toEqual({ kind: 'unavailable', reason: 'timeout' });
    await vi.waitFor(async () => expect(await running()).toBe(0), { timeout: 15_000 });

    const bounded = postgres({ slow: "select pg_sleep(60) where $1 <> ''" }, { limits: { operation: '50ms' } });
    expect(await ask(bounded, 'slow')).toEqual({ kind: 'unavailable', reason: 'timeout', detail: '57014' });
  });

  it('keep a slow statement from harming the others', async () => {
    const source = postgres({ slow: "select pg_sleep(60) where $1 <> ''", quick: 'select name as v from people where upn = $1' });
    const abort = new AbortController();
    const slow = Array.from({ length: 4 }, () => ask(source, 'slow', [], 'adele', abort.signal));
    for (let round = 0; round < 20; round++) expect(await values(source, 'quick')).toEqual(['Adele']);
    abort.abort();
    for (const outcome of await Promise.all(slow)) expect(outcome).toMatchObject({ reason: 'timeout' });
    expect(await Promise.all(Array.from({ length: 20 }, () => values(source, 'quick')))).toEqual(
      Array.from({ length: 20 }, () => ['Adele']),
    );
  });
});

describe('what the database refuses', () => {
  it('is told by its code, and by its words only where they cannot quote a value', async () => {
    const source = postgres({
      typo: 'select nome from people where upn = $1',
      cast: 'select 1 from people where age = cast($1 as int)',
      write: 'with gone as (delete from people where upn = $1 returning 1) select * from gone',
    });
    expect(await ask(source, 'typo')).toEqual({
      kind: 'unavailable',
      reason: 'refused',
      detail: '42703: column "nome" does not exist',
    });
    expect(await ask(source, 'cast', [], 'secret')).toEqual({ kind: 'unavailable', reason: 'refused', detail: '22P02' });
    expect(await ask(source, 'write')).toEqual({ kind: 'unavailable', reason: 'refused', detail: '25006' });
    expect((await admin.query('select 1 from people')).rows).toHaveLength(2);
  });

  it('is its rights too', async () => {
    await admin.query('create table if not exists secrets (v text)');
    const source = postgres(
      { it: 'select v from secrets where v = $1' },
      { user: 'reader', secrets: new Password('reader password') },
    );
    expect(await ask(source, 'it')).toMatchObject({ reason: 'refused', detail: '42501: permission denied for table secrets' });
  });

  it('leaves no connection behind, however often somebody asks', async () => {
    const password = new Password('wrong');
    const through = await proxy();
    const source = postgres({ it: 'select name as v from people where upn = $1' }, { ports: [through.port], secrets: password });
    for (let round = 0; round < 20; round++) expect(await ask(source, 'it')).toMatchObject({ reason: 'credentials' });
    await vi.waitFor(() => expect([through.connections, through.accepted]).toEqual([0, 1]), { timeout: 15_000 });
    password.text = '';
    for (let round = 0; round < 20; round++) expect(await ask(source, 'it')).toMatchObject({ reason: 'credentials' });
    await vi.waitFor(() => expect([through.connections, through.accepted]).toEqual([0, 1]), { timeout: 15_000 });
  });

  it('is a password that is wrong: offered once, however many ask at once, and again after 10 s, 5 minutes, then 10', async () => {
    const through = await proxy();
    const source = postgres(
      { it: 'select name as v from people where upn = $1' },
      { ports: [through.port], secrets: new Password('wrong'), limits: { connect: '2s', concurrency: 10 } },
    );
    const askAll = (): Promise<readonly Outcome[]> => Promise.all(Array.from({ length: 10 }, () => ask(source, 'it')));
    for (const [minutes, accepted] of [
      [0, 1],
      [0.1, 1],
      [0.5, 2],
      [4, 2],
      [9, 3],
      [18, 3],
      [25, 4],
    ] as const) {
      later(minutes * 60_000);
      for (const outcome of await askAll()) expect(outcome).toMatchObject({ kind: 'unavailable', reason: 'credentials' });
      expect([minutes, through.accepted]).toEqual([minutes, accepted]);
    }
  });

  it('is a password that was taken and is not any more: offered once, and the new one at once', async () => {
    const through = await proxy();
    const password = new Password('before');
    await admin.query("create role changing login password 'before'; grant select on people to changing");
    const source = postgres(
      { it: 'select name as v from people where upn = $1' },
      { ports: [through.port], user: 'changing', secrets: password, limits: { connect: '2s', concurrency: 10 } },
    );
    const askAll = (): Promise<readonly unknown[]> => Promise.all(Array.from({ length: 10 }, () => values(source, 'it')));
    expect(await askAll()).toEqual(Array.from({ length: 10 }, () => ['Adele']));
    await admin.query("alter role changing password 'after'");
    const opened = through.accepted;
    later(2_000);
    through.cut();
    for (const outcome of await askAll()) expect(outcome).toMatchObject({ reason: 'credentials' });
    expect(through.accepted).toBe(opened + 1);
    password.text = 'after';
    expect(await askAll()).toEqual(Array.from({ length: 10 }, () => ['Adele']));
  });

  it('is a password that is wrong: not offered again at once, and the new one is', async () => {
    const password = new Password('wrong');
    const through = await proxy();
    const source = postgres({ it: 'select name as v from people where upn = $1' }, { ports: [through.port], secrets: password });
    expect(await ask(source, 'it')).toMatchObject({ kind: 'unavailable', reason: 'credentials' });
    expect(await source.probe(patient)).toMatchObject({ kind: 'down', reason: 'credentials' });
    expect(await ask(source, 'it')).toMatchObject({ reason: 'credentials', detail: 'refused before; not tried again yet' });
    expect(JSON.stringify(source.logged)).not.toContain('wrong');
    password.text = database.password;
    expect(await values(source, 'it')).toEqual(['Adele']);
    expect(await ask(postgres({ it: 'select $1' }, { secrets: new Password('') }), 'it')).toMatchObject({
      reason: 'credentials',
    });
  });
});

describe('the session', () => {
  const settings = 'select current_setting($1) as v';

  it.each([
    ['statement_timeout', '700ms'],
    ['lock_timeout', '700ms'],
    ['default_transaction_read_only', 'on'],
  ])('has the setting %s = %s', async (name, expected) => {
    const source = postgres({ it: settings }, { limits: { operation: '700ms', connect: '300ms', concurrency: 5 } });
    expect(await values(source, 'it', 'v', name)).toEqual([expected]);
  });

  it.each([
    [true, '2'],
    [false, '0'],
  ])('keeps its statements where prepared is %s: %s', async (prepared, expected) => {
    const source = postgres(
      {
        it: 'select name as v from people where upn = $1',
        kept: "select count(*) as v from pg_prepared_statements where statement like '%people%' and $1 <> ''",
      },
      { prepared, limits: { operation: '5s', connect: '300ms', concurrency: 1 } },
    );
    expect(await values(source, 'it')).toEqual(['Adele']);
    expect(await values(source, 'it')).toEqual(['Adele']);
    expect(await values(source, 'kept')).toEqual([expected]);
  });

  it.each([
    ['primary', 'found'],
    ['any', 'found'],
    ['standby', 'unavailable'],
  ])('is one of a server that is %s: %s', async (server, kind) => {
    const source = postgres({ it: 'select name as v from people where upn = $1' }, { server });
    const outcome = await ask(source, 'it');
    expect(outcome.kind).toBe(kind);
    if (kind === 'unavailable')
      expect(outcome).toMatchObject({ reason: 'connection', detail: expect.stringContaining('is not standby') });
  });
});
