import { configurationIssues } from '#claims';
import { describe, expect, it } from 'vitest';
import { postgresConfig } from './postgres-config.js';

const lookup = { parameters: ['upn'], statement: 'select tier from accounts where upn = $1' };
const document = {
  type: 'postgres',
  tenants: ['contoso'],
  hosts: [{ host: 'db1.corp.example' }],
  database: 'billing',
  user: 'claimbridge',
  password: 'file:/run/secrets/billing',
  lookups: { tier: lookup },
};

/** `path: reason` of everything that is refused. */
function refusals(changes: object): readonly string[] {
  const parsed = postgresConfig.safeParse({ ...document, ...changes });
  return parsed.success ? [] : configurationIssues(parsed.error).map(({ path, reason }) => `${path.join('.')}: ${reason}`);
}

const withLookup = (changes: object): object => ({ lookups: { tier: { ...lookup, ...changes } } });

describe('postgresConfig', () => {
  it('fills in what is not said, TLS with verification first of all', () => {
    const config = postgresConfig.parse(document);
    expect(config).toMatchObject({ tls: 'verify-full', hosts: [{ host: 'db1.corp.example', port: 5432 }] });
    expect(config.limits).toEqual({ operation: 500, connect: 1_000, concurrency: 10, queue: 256 });
    expect(config.lookups['tier']).toMatchObject({ rows: 'one', arguments: ['upn'], parameters: ['upn'], locate: [] });
  });

  it('binds the key of a locate rule as $1', () => {
    const locate = [{ key: 'onPremisesUserPrincipalName' }];
    const config = postgresConfig.parse({ ...document, lookups: { tier: { locate, statement: 'select 1 where a = $1' } } });
    expect(config.lookups['tier']).toMatchObject({
      arguments: ['value'],
      parameters: [],
      locate: [{ key: 'onPremisesUserPrincipalName', when: {}, fallThrough: false }],
    });
  });

  it.each<[object, string]>([
    [{ extra: 1 }, 'extra: is not a known key'],
    [{ password: 'hunter2' }, 'password: must be env:NAME or file:PATH'],
    [{ tls: 'prefer' }, 'tls: must be verify-full, disable or'],
    [{ tls: { ca: '/etc/ca.pem' } }, 'tls'],
    [{ hosts: [] }, 'hosts:'],
    [withLookup({ statement: 'select $1, $2' }), 'lookups.tier.statement: must use exactly $1'],
    [withLookup({ statement: "select '$1'" }), 'lookups.tier.statement: must use exactly $1'],
    [withLookup({ statement: 'select $2', parameters: ['a', 'b'] }), 'lookups.tier.statement: must use exactly $1, $2'],
    [withLookup({ parameters: ['a', 'a'], statement: 'select $1, $2' }), 'lookups.tier.parameters: names a parameter twice'],
    [withLookup({ parameters: undefined }), 'lookups.tier.locate: is missing'],
    [withLookup({ locate: [{ key: 'id' }] }), 'lookups.tier.parameters: is not allowed beside locate'],
    [withLookup({ parameters: undefined, locate: [{ key: 'mail' }] }), 'lookups.tier.locate.0.key: mail can be set'],
    [withLookup({ rows: 'first' }), 'lookups.tier.rows:'],
  ])('refuses %j', (changes, reason) => {
    expect(refusals(changes)).toContainEqual(expect.stringContaining(reason));
  });
});
