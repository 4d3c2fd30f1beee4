import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { LdapConnector, PostgresConnector, composeSource, type Connector } from '#connectors';
import { Secrets, type Outcome, type Source } from '#claims';
import { startDirectory, startPostgres } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostileValues } from './corpus.js';

const seeds = path.resolve(import.meta.dirname, '../../../docker/seeds');
const stack = new AsyncDisposableStack();
const sources: Record<string, Source> = {};

class DemoSecrets extends Secrets {
  override async read(): Promise<string> {
    return 'demo-directory-password';
  }
}

function create(connector: Connector, name: string, document: object): Source {
  const config = connector.config.parse({ tenants: ['contoso'], limits: { operation: '10s' }, ...document });
  const silent = { warn: () => undefined, error: () => undefined };
  const source = connector.create(name, config, { secrets: new DemoSecrets(), log: silent });
  const listener = { fetched: () => undefined, answered: () => undefined, circuit: () => undefined };
  const composed = composeSource(source, config, listener).source;
  stack.defer(() => composed.close());
  return composed;
}

beforeAll(async () => {
  const directory = await startDirectory({ ldif: await readFile(path.join(seeds, 'directory.ldif'), 'utf8') });
  stack.defer(() => directory.stop());
  const postgres = await startPostgres({
    sql: [
      'create table people (upn text primary key, tag text)',
      `insert into people values ${hostileValues
        .flatMap((value, index) => (value.includes('\0') || !value.isWellFormed() ? [] : [`(${literal(value)}, 'tag ${index}')`]))
        .join(', ')}`,
    ],
  });
  stack.defer(() => postgres.stop());
  const { host, port, database, user } = postgres;
  const password = class extends DemoSecrets {
    override async read(): Promise<string> {
      return postgres.password;
    }
  };
  const config = new PostgresConnector().config.parse({
    type: 'postgres',
    tenants: ['contoso'],
    hosts: [{ host, port }],
    database,
    user,
    password: 'env:PASSWORD',
    tls: 'disable',
    limits: { operation: '10s' },
    lookups: { it: { parameters: ['upn'], statement: 'select tag from people where upn = $1' } },
  });
  const silent = { warn: () => undefined, error: () => undefined };
  const people = new PostgresConnector().create('db', config, { secrets: new password(), log: silent });
  stack.defer(() => people.close());
  sources['PostgreSQL'] = people;
  sources['LDAP'] = create(new LdapConnector(), 'ad', {
    type: 'ldap',
    urls: [directory.url],
    allowClearText: true,
    bind: { dn: 'cn=claimbridge,ou=Services,dc=corp,dc=example', password: 'env:PASSWORD' },
    lookups: {
      it: {
        base: 'ou=People,dc=corp,dc=example',
        parameters: ['upn'],
        filter: '(&(objectClass=user)(userPrincipalName={upn}))',
      },
    },
  });
});

afterAll(() => stack.disposeAsync());

/** As PostgreSQL writes a text whatever it holds. */
function literal(value: string): string {
  return `convert_from(decode('${Buffer.from(value).toString('hex')}', 'hex'), 'UTF8')`;
}

const ask = (source: Source, value: string): Promise<Outcome> =>
  source.fetch(
    { lookup: 'it', parameters: new Map([['upn', value]]), projection: ['tag', 'displayName'] },
    new AbortController().signal,
  );

describe.each(hostileValues.map((value, index) => [JSON.stringify(value).slice(0, 40), value, index] as const))(
  'the value %s',
  (_name, value, index) => {
    it('finds its own row in PostgreSQL, and no other', async () => {
      const outcome = await ask(sources['PostgreSQL']!, value);
      if (value.includes('\0') || !value.isWellFormed()) expect(outcome).toEqual({ kind: 'notFound', reason: 'noEntry' });
      else expect(outcome.kind === 'found' && outcome.attributes.get('tag')).toEqual([`tag ${index}`]);
    });

    it('finds nobody in a directory', async () => {
      const outcome = await ask(sources['LDAP']!, value);
      if (value === 'adele.vance@corp.example') expect(outcome.kind).toBe('found');
      else expect(outcome).toEqual({ kind: 'notFound', reason: 'noEntry' });
    });
  },
);

it('the tables are as they were', async () => {
  const outcome = await ask(sources['PostgreSQL']!, hostileValues[0]!);
  expect(outcome.kind).toBe('found');
});
