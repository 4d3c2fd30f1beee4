import { stringify as toYaml } from 'yaml';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { longestText, readTable, type TableFormat } from './read-table.js';

function read(text: string, format: Partial<TableFormat> = {}) {
  const result = readTable(text, { format: 'csv', delimiter: ',', separators: {}, ...format });
  return result.kind === 'malformed' ? result.detail : result.table.records.map((record) => Object.fromEntries(record));
}
const yaml = (text: string) => read(text, { format: 'yaml' });

const name = fc.stringMatching(/^[a-z]{1,8}$/);
const cell = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\ufffd'));
const rows = fc
  .uniqueArray(name, { minLength: 1, maxLength: 4 })
  .chain((names) => fc.tuple(fc.constant(names), fc.array(fc.array(cell, { minLength: names.length, maxLength: names.length }))));

describe('CSV', () => {
  it('is read as RFC 4180 writes it', () => {
    const text = '\ufeffUPN,Name,Note\r\nadele,"Vance, Adele","says ""hi""\r\ntwice"\r\nben,,\r\n\r\n';
    expect(read(text)).toEqual([
      { upn: ['adele'], name: ['Vance, Adele'], note: ['says "hi"\r\ntwice'] },
      { upn: ['ben'], name: [], note: [] },
    ]);
  });

  it('gives every text as it is', () => {
    const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
    fc.assert(
      fc.property(rows, ([names, cells]) => {
        const text = [names, ...cells].map((row) => row.map(quoted).join(',')).join('\r\n');
        expect(read(text)).toEqual(
          cells.map((row) => Object.fromEntries(names.map((column, index) => [column, row[index] === '' ? [] : [row[index]]]))),
        );
      }),
    );
  });

  it('has lists where a separator is told', () => {
    expect(read('upn;roles;note\na;x | y||;1|2\nb;;', { delimiter: ';', separators: { Roles: '|' } })).toEqual([
      { upn: ['a'], roles: ['x', 'y'], note: ['1|2'] },
      { upn: ['b'], roles: [], note: [] },
    ]);
  });

  it.each([
    ['', 'no header'],
    ['upn\nZo\ufffd', 'not UTF-8'],
    ['upn,UPN\na,b', 'the column upn twice: case does not count'],
    ['upn,UPN', 'two columns of one name: case does not count'],
    ['upn,\na,b', 'a column without a name'],
    ['upn,name\nsecret', 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH, line 2'],
    ['upn\n"secret', 'CSV_QUOTE_NOT_CLOSED, line 2'],
    ['upn\n"secret"x', 'CSV_INVALID_CLOSING_QUOTE, line 2'],
  ])('%j is refused without a value', (text, detail) => {
    expect(read(text)).toBe(detail);
  });

  it('is refused where a separator is told of a column that is not there', () => {
    expect(read('upn\na', { separators: { roles: ';' } })).toBe('separators: there is no column roles');
  });

  it('is refused where it is too long', () => {
    expect(read(`upn\n${'x'.repeat(longestText.csv)}`)).toBe('longer than 2097152 characters');
  });
});

describe('YAML', () => {
  it('is a list of records; what is not quoted is the text that stands there', () => {
    const text =
      '- { UPN: adele, number: 0042, active: true, roles: [a, "", null, "null"], since: 2019-04-01 }\n- upn: ben\n  name: ~\n  x:\n';
    expect(yaml(text)).toEqual([
      { upn: ['adele'], number: ['0042'], active: ['true'], roles: ['a', 'null'], since: ['2019-04-01'] },
      { upn: ['ben'], name: [], x: [] },
    ]);
    expect(yaml('')).toEqual([]);
    expect(yaml('[]')).toEqual([]);
  });

  it('gives every text as it is', () => {
    fc.assert(
      fc.property(rows, ([names, cells]) => {
        const records = cells.map((row) => Object.fromEntries(names.map((column, index) => [column, row[index]!])));
        const expected = records.map((record) =>
          Object.fromEntries(Object.entries(record).map(([column, text]) => [column, text === '' ? [] : [text]])),
        );
        expect(yaml(JSON.stringify(records))).toEqual(expected);
        expect(yaml(toYaml(records, { defaultStringType: 'QUOTE_DOUBLE' }))).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['upn: adele', 'not a list of records'],
    ['- adele', 'item 1 is no record'],
    ['- { upn: { secret: 1 } }', 'item 1: upn is neither text nor a list of texts'],
    ['- { upn: [[secret]] }', 'item 1: upn is neither text nor a list of texts'],
    ['- { upn: &a secret }\n- { upn: *a }', 'item 2: upn is neither text nor a list of texts'],
    ['- { [a]: secret }', 'item 1 has a key that is no text'],
    ['- { upn: secret, upn: b }', 'DUPLICATE_KEY, line 1'],
    ['- { upn: secret, UPN: b }', 'the column upn twice: case does not count'],
    ['- { upn: "secret', 'MISSING_CHAR, line 1'],
  ])('%j is refused without a value', (text, detail) => {
    expect(yaml(text)).toBe(detail);
  });

  it('is refused where it is too long', () => {
    expect(yaml(`- ${'x'.repeat(longestText.yaml)}`)).toBe('longer than 131072 characters');
  });
});
