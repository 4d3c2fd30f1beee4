import { configurationIssues } from '#claims';
import { describe, expect, it } from 'vitest';
import { staticConfig } from './static-config.js';

const lookup = { parameters: ['upn'], match: { upn: 'upn' } };
const document = { type: 'static', tenants: ['contoso'], file: 'file:people.csv', lookups: { person: lookup } };

/** `path: reason` of everything that is refused. */
function refusals(changes: object): readonly string[] {
  const parsed = staticConfig.safeParse({ ...document, ...changes });
  return parsed.success ? [] : configurationIssues(parsed.error).map(({ path, reason }) => `${path.join('.')}: ${reason}`);
}

const withLookup = (changes: object): object => ({ lookups: { person: { ...lookup, ...changes } } });
const inline = (...records: object[]): object => ({ file: undefined, records });

describe('staticConfig', () => {
  it.each([
    ['file:people.csv', {}, 'csv'],
    ['file:people.CSV', {}, 'csv'],
    ['file:people.yml', {}, 'yaml'],
    ['file:people.json', {}, 'yaml'],
    ['file:people.txt', { format: 'csv' }, 'csv'],
  ])('knows what %s %j is', (file, changes, format) => {
    expect(staticConfig.parse({ ...document, file, ...changes }).reading).toEqual({ format, delimiter: ',', separators: {} });
  });

  it('takes the table itself', () => {
    const config = staticConfig.parse({ ...document, ...inline({ UPN: 'adele', roles: ['a', 'b'] }) });
    expect(config).toMatchObject({ file: undefined, table: { columns: new Set(['upn', 'roles']) } });
    expect(config.lookups['person']).toMatchObject({ ignoreCase: false, keys: [[['upn', 'upn']]], locate: [] });
  });

  it('takes a column for each locate rule', () => {
    const locate = [{ key: 'onPremisesUserPrincipalName', column: 'upn' }];
    expect(staticConfig.parse({ ...document, lookups: { person: { locate } } }).lookups['person']).toMatchObject({
      parameters: [],
      keys: [[['upn', 'value']]],
      locate: [{ key: 'onPremisesUserPrincipalName', when: {}, fallThrough: false }],
    });
  });

  it.each<[object, string]>([
    [{ extra: 1 }, 'extra: is not a known key'],
    [{ file: undefined }, 'file: is needed'],
    [{ records: [{ upn: 'a' }] }, 'file: is needed, or records instead of it'],
    [{ file: 'people.csv' }, 'file: must be file:PATH'],
    [{ file: 'file:people' }, 'format: is needed'],
    [{ file: 'file:people.yaml', delimiter: ';' }, 'delimiter: is of CSV'],
    [{ file: 'file:people.yaml', separators: { roles: ';' } }, 'separators: is of CSV'],
    [inline({ upn: 42 }), 'records.0.upn: must be text or a list of texts; write numbers in quotes'],
    [inline({ upn: 'a', UPN: 'b' }), 'records: has the column upn twice'],
    [inline({ name: 'a' }), 'lookups: there is no column upn'],
    [withLookup({ match: { upn: 'name' } }), 'lookups.person.match: must use exactly the parameters upn'],
    [withLookup({ match: {} }), 'lookups.person.match: must use exactly the parameters upn'],
    [withLookup({ parameters: ['upn', 'upn'] }), 'lookups.person.parameters: names a parameter twice'],
    [withLookup({ parameters: undefined }), 'lookups.person.locate: is missing'],
    [withLookup({ locate: [{ key: 'id', column: 'id' }] }), 'lookups.person.parameters: is not allowed beside locate'],
    [
      withLookup({ parameters: undefined, match: undefined, locate: [{ key: 'mail', column: 'mail' }] }),
      'lookups.person.locate.0.key: mail can be set',
    ],
  ])('refuses %j', (changes, reason) => {
    expect(refusals(changes)).toContainEqual(expect.stringContaining(reason));
  });
});
