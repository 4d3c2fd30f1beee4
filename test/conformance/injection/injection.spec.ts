import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { HttpConnector, LdapConnector, PostgresConnector, StaticConnector, composeSource, type Connector } from '#connectors';
import { Secrets, type Outcome, type Source } from '#claims';
import { startDirectory, startHttpServer, startPostgres } from '#testing';
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
  const composed = composeSource(source, config, listener, 60_000).source;
  stack.defer(() => composed.close());
  return composed;
}

/** Values that a directory compares as they are, and takes as a name. */
const isName = (value: string): boolean => /^[!-~]+(?: [!-~]+)*$/.test(value) && value.length < 1_000;

/** An entry whose name is the value, for each that can be one. */
function entriesByName(): string {
  const entries = hostileValues.flatMap((value, index) => {
    if (!isName(value)) return [];
    const name = [...Buffer.from(value)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
    return [
      `dn: cn=${name},ou=Odd,dc=corp,dc=example\nobjectClass: user\ncn:: ${Buffer.from(value).toString('base64')}\ntag: tag ${index}\n`,
    ];
  });
  return ['dn: ou=Odd,dc=corp,dc=example\nobjectClass: organizationalUnit\nou: Odd\n', ...entries].join('\n');
}

beforeAll(async () => {
  const directory = await startDirectory({
    ldif: `${await readFile(path.join(seeds, 'directory.ldif'), 'utf8')}\n${entriesByName()}`,
  });
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
      name: { base: 'cn={upn},ou=Odd,dc=corp,dc=example', scope: 'base', parameters: ['upn'], filter: '(objectClass=*)' },
      below: { base: 'cn={upn},ou=Odd,dc=corp,dc=example', parameters: ['upn'], filter: '(|(cn={upn})(objectClass=*))' },
      sid: { base: '<SID={upn:sid}>', parameters: ['upn'], filter: '(objectClass=*)' },
      guid: { base: '<GUID={upn:guid}>', parameters: ['upn'], filter: '(objectClass=*)' },
    },
  });
  const api = await startHttpServer(({ target, body }) => {
    const { pathname, searchParams } = new URL(target, 'http://hr.example');
    const asked = body
      ? (JSON.parse(body) as { upn: string }).upn
      : (searchParams.get('upn') ?? decodeURIComponent(pathname.slice(1)));
    const index = hostileValues.indexOf(asked);
    return index < 0 ? { status: 404 } : { body: { tag: `tag ${index}` } };
  });
  stack.defer(() => api.stop());
  const requests = {
    'a path': { path: '/{upn}' },
    'a query': { query: { upn: '{upn}' } },
    'a body': { method: 'POST', body: { upn: '{upn}' } },
  };
  for (const [name, request] of Object.entries(requests))
    sources[name] = create(new HttpConnector(), 'hr-api', {
      type: 'http',
      url: api.url,
      allowClearText: true,
      allowAddresses: ['127.0.0.1/32'],
      lookups: { it: { parameters: ['upn'], request, attributes: { tag: '/tag' } } },
    });
  for (const ignoreCase of [false, true])
    sources[`a table, ignoreCase: ${ignoreCase}`] = create(new StaticConnector(), 'people', {
      type: 'static',
      records: hostileValues.map((upn, index) => ({ upn, tag: `tag ${index}` })),
      lookups: { it: { parameters: ['upn'], match: { upn: 'upn' }, ignoreCase } },
    });
});

afterAll(() => stack.disposeAsync());

/** As PostgreSQL writes a text whatever it holds. */
function literal(value: string): string {
  return `convert_from(decode('${Buffer.from(value).toString('hex')}', 'hex'), 'UTF8')`;
}

const ask = (source: Source, value: string, lookup = 'it'): Promise<Outcome> =>
  source.fetch(
    { lookup, parameters: new Map([['upn', value]]), projection: ['tag', 'displayName'] },
    new AbortController().signal,
  );

const nobody: Outcome = { kind: 'notFound', reason: 'noEntry' };

async function tagOf(source: Source, value: string, lookup?: string): Promise<readonly unknown[] | Outcome> {
  const outcome = await ask(source, value, lookup);
  return outcome.kind === 'found' ? outcome.attributes.get('tag') : outcome;
}

describe.each(hostileValues.map((value, index) => [JSON.stringify(value).slice(0, 40), value, index] as const))(
  'the value %s',
  (_name, value, index) => {
    it('finds its own row in PostgreSQL, and no other', async () => {
      const outcome = await ask(sources['PostgreSQL']!, value);
      if (value.includes('\0') || !value.isWellFormed()) expect(outcome).toEqual({ kind: 'notFound', reason: 'noEntry' });
      else expect(outcome.kind === 'found' && outcome.attributes.get('tag')).toEqual([`tag ${index}`]);
    });

    it.each(['a query', 'a body'])('finds its own entry of an HTTP API by %s, and no other', async (by) => {
      const impossible =
        value.includes('\0') || !value.isWellFormed() || (by === 'a query' && encodeURIComponent(value).length > 7_900);
      expect(await tagOf(sources[by]!, value)).toEqual(impossible ? nobody : [`tag ${index}`]);
    });

    it('finds its own entry of an HTTP API by a path, or nobody where it could be another path', async () => {
      const found = await tagOf(sources['a path']!, value);
      const unsafe = /[\p{Cc}/\\%]/u.test(value) || !value.isWellFormed() || encodeURIComponent(value).length > 7_900;
      expect(found).toEqual(unsafe ? nobody : [`tag ${index}`]);
    });

    it.each([false, true])('finds its own entry of a table, and no other (ignoreCase: %s)', async (ignoreCase) => {
      expect(await tagOf(sources[`a table, ignoreCase: ${ignoreCase}`]!, value)).toEqual([`tag ${index}`]);
    });

    it.each(['name', 'below'])(
      'finds its own entry of a directory as the base of a search (%s), and no other',
      async (lookup) => {
        expect(await tagOf(sources['LDAP']!, value, lookup)).toEqual(isName(value) ? [`tag ${index}`] : nobody);
      },
    );

    it('finds nobody as an identifier', async () => {
      for (const lookup of ['sid', 'guid']) expect(await ask(sources['LDAP']!, value, lookup)).toEqual(nobody);
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
