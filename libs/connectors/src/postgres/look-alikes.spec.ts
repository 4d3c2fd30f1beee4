import { readFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, database, postgres, values } from './postgres-source.harness.js';

const root = path.resolve(import.meta.dirname, '../../../..');
const shipped = ['libs/connectors/README.md', 'docs/guides/configuration.md', 'docker/seeds/claimbridge.yaml'];

/** What readers take over: the statement by which an example finds somebody whatever the case. */
async function statementOf(file: string): Promise<string> {
  const text = await readFile(path.join(root, file), 'utf8');
  const statements = [...text.matchAll(/^ *statement: (select .*\blower\(.*)$/gm)].map(([, statement]) => statement!);
  expect([file, statements]).toEqual([file, [expect.stringContaining('$1')]]);
  return statements[0]!;
}

const name = 'lowering_every_letter';
let accounts: pg.Client;

beforeAll(async () => {
  // Here lower() makes a k of the Kelvin sign; in the database of the other specs (C) it knows ASCII alone.
  await admin.query(
    `create database ${name} template template0 locale_provider builtin builtin_locale 'C.UTF-8' encoding 'UTF8'`,
  );
  const { host, port, user, password } = database;
  accounts = new pg.Client({ host, port, user, password, database: name });
  await accounts.connect();
  await accounts.query(await readFile(path.join(root, 'docker/seeds/billing.sql'), 'utf8'));
  await accounts.query(
    `insert into billing.accounts (upn, tier, customer_since)
      select letter || '@corp.example', letter, '2020-01-01' from unnest($1::text[]) as letter`,
    [['k', 'i', 's', 'a', 'ss', 'fi', 'å', 'ω', 'é', 'zoë']],
  );
});
afterAll(() => accounts?.end());

describe.each(shipped)('the statement of %s', (file) => {
  const tier = async (upn: string): Promise<unknown> => {
    const source = postgres({ it: await statementOf(file) }, { database: name });
    return values(source, 'it', 'tier', upn);
  };

  it.each(['K', 'k', 'I', 'S', 'A', 'SS', 'FI', 'å', 'ω', 'é', 'ZOë'])('finds %s, whatever the case of ASCII', async (letter) => {
    expect(await tier(`${letter}@CORP.example`)).toEqual([letter.toLowerCase()]);
  });

  it.each([
    ['the Kelvin sign', '\u212A'],
    ['the Ångström sign', '\u212B'],
    ['the Ohm sign', '\u2126'],
    ['the long s', 'ſ'],
    ['the dotless i', 'ı'],
    ['the capital i with a dot', 'İ'],
    ['the capital sharp s', 'ẞ'],
    ['a ligature', 'ﬁ'],
    ['a full-width letter', 'ａ'],
    ['a Cyrillic letter', 'а'],
    ['another composition', 'e\u0301'],
  ])('finds nobody by %s', async (_what, alike) => {
    expect(await tier(`${alike}@corp.example`)).toEqual({ kind: 'notFound', reason: 'noEntry' });
  });

  it('uses the index of the column', async () => {
    await accounts.query('set enable_seqscan = off');
    const { rows } = await accounts.query<{ 'QUERY PLAN': string }>(
      `explain ${(await statementOf(file)).replace('$1', "'adele'")}`,
    );
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('Index Cond');
  });
});
