import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { transformDocument } from '../mapping/transform-document.js';
import type { AttributeValue } from '../attributes.js';
import type { RegisteredSecret } from '../ports/secrets.js';
import { compileTransform } from './compile-transform.js';
import { NotTransformable, type Transform, type TransformCompiler } from './transform.js';
import { TooMuchWork, Work } from './work.js';

const key = new TextEncoder().encode('0123456789abcdef0123456789abcdef');
const compiler: TransformCompiler = {
  operand: (reference) => Number(reference.slice('o.'.length)),
  secret: () => ({ tenants: new Set(['t']), value: () => key }),
  refuse: (_path, reason) => {
    throw new Error(reason);
  },
};
const compile = (document: unknown): Transform => compileTransform(transformDocument.parse(document), compiler, []);

const scope = {
  operands: [],
  tenant: 't',
  application: 'a',
  keyOf: (secret: RegisteredSecret) => secret.value(),
  get work() {
    return Work.ofAnswer().claim();
  },
};

const run = (document: unknown, ...values: (string | Uint8Array)[]) =>
  compile(document).apply(values, { ...scope, operands: [['one'], ['two', 'three'], []] });

/** RFC 4514 §2.4. */
const escape = (text: string): string => text.replace(/[,+"\\<>;=]|^[ #]| $/g, (character) => `\\${character}`);

describe('transforms', () => {
  it.each([
    ['ToLowercase', ['Ada LOVELACE'], ['ada lovelace']],
    ['ToUppercase', ['cc-1'], ['CC-1']],
    ['ExtractMailPrefix', ['ada@corp.example', 'a@b@corp.example', 'no-at'], ['ada', 'a@b', 'no-at']],
    ['GroupName', ['CN=Finance-Admins,OU=Groups,DC=corp,DC=example'], ['Finance-Admins']],
    [
      'GroupName',
      ['cn=Finance\\, EMEA,OU=x', 'CN=A\\2CB,OU=x', 'CN=Z\\C3\\BCrich', 'CN=a+OU=b', 'plain'],
      ['Finance, EMEA', 'A,B', 'Zürich', 'a', 'plain'],
    ],
    ['First', ['b', 'a'], ['b']],
    ['First', [], []],
    ['Sort', ['b', 'B', 'a'], ['B', 'a', 'b']],
    ['Sort', ['😀', '\uff5e', 'a'], ['a', '\uff5e', '😀']],
    ['Unique', ['a', 'b', 'a'], ['a', 'b']],
    [{ Join: '; ' }, ['a', 'b'], ['a; b']],
    [{ Join: ';' }, [], []],
    [{ Split: ',' }, ['a,,b', 'c'], ['a', 'b', 'c']],
    [{ Map: { 'Finance-Admins': 'admin' } }, ['finance-admins', 'Other'], ['admin']],
    [{ Map: { a: 'x' }, otherwise: 'keep' }, ['A', 'b'], ['x', 'b']],
    [{ Map: { a: 'x' }, otherwise: { default: 'none' } }, ['a', 'b'], ['x', 'none']],
    [{ Join: '.', with: ['o.0'] }, ['a', 'b'], ['a.b.one']],
    [{ Join: '.', with: ['o.0', 'o.2'] }, ['a'], []],
    [{ Contains: '@Contoso.com' }, ['ada@contoso.com', 'bob@fabrikam.com'], ['ada@contoso.com']],
    [
      { Contains: '@contoso.com', then: { value: 'staff' }, otherwise: { from: 'o.0' } },
      ['ada@contoso.com', 'x'],
      ['staff', 'one'],
    ],
    [{ StartWith: 'us', otherwise: { default: 'abroad' } }, ['US-1', 'DE-2'], ['US-1', 'abroad']],
    [{ EndWith: '000', otherwise: 'keep', then: { from: 'o.0' } }, ['7000', '7001'], ['one', '7001']],
    [{ Extract: { after: 'Finance_' } }, ['Finance_BSimon', 'x'], ['BSimon']],
    [{ Extract: { before: '_US' }, otherwise: 'keep' }, ['BSimon_US', 'BSimon'], ['BSimon', 'BSimon']],
    [{ Extract: { after: 'Finance_', before: '_US' } }, ['Finance_BSimon_US'], ['BSimon']],
    [{ ExtractAlpha: 'prefix' }, ['BSimon_123', '1', 'Zoë1'], ['BSimon', '', 'Zoë']],
    [{ ExtractAlpha: 'suffix' }, ['123_Simon'], ['Simon']],
    [{ ExtractNumeric: 'prefix' }, ['123_BSimon'], ['123']],
    [{ ExtractNumeric: 'suffix' }, ['BSimon_123'], ['123']],
    [{ IfEmpty: { value: 'none' } }, [], ['none']],
    [{ IfEmpty: { value: 'none' } }, ['', ''], ['none']],
    [{ IfEmpty: { from: 'o.1' } }, ['a'], ['a']],
    [{ IfNotEmpty: { value: 'yes' } }, ['a'], ['yes']],
    [{ IfNotEmpty: { value: 'yes' } }, [], []],
    [{ IfNotEmpty: { value: 'yes' }, otherwise: { value: 'no' } }, [], ['no']],
    [{ Substring: { start: 6, length: 11 } }, ['PleaseExtractThisNow', 'short'], ['ExtractThis', '']],
    [{ Substring: { start: 6 } }, ['PleaseExtractThisNow'], ['ExtractThisNow']],
    [{ Substring: { start: 1, length: 1 } }, ['a😀b'], ['😀']],
    [
      { RegexReplace: "(?'domain'^.*?)(?i)(\\@fabrikam\\.com)$", with: '{domain}@xyz.com' },
      ['swmal@Fabrikam.com', 'x'],
      ['swmal@xyz.com', 'x'],
    ],
    [
      { RegexReplace: '^(?<name>[^@]*)', with: '{country}.{name}', parameters: { country: 'o.0' }, otherwise: 'drop' },
      ['ada@x'],
      ['one.ada'],
    ],
    [{ RegexReplace: '^(?<name>.)', with: '{name}{gone}', parameters: { gone: 'o.2' } }, ['ada'], ['']],
    [{ Filter: { startsWith: 'app-' } }, ['APP-1', 'other'], ['APP-1']],
    [{ Filter: { equals: ['A', 'b'], not: true } }, ['a', 'B', 'c'], ['c']],
    [{ Filter: { endsWith: 'x', contains: 'b' } }, ['abx', 'ax', 'b'], ['abx']],
    [{ Filter: { matches: '^[0-9]+$' } }, ['12', 'a1'], ['12']],
    [{ Format: 'date', from: 'fileTime' }, ['133774368000000000', '0', '9223372036854775807'], ['2024-11-30']],
    [
      { Format: 'dateTime', from: 'generalizedTime' },
      ['20261126004108.0Z', '202611260041+0130'],
      ['2026-11-26T00:41:08Z', '2026-11-25T23:11:00Z'],
    ],
    [
      { Format: 'dd.MM.yyyy HH:mm', from: 'iso' },
      ['2026-11-26T23:30:00-02:00', '2026-11-26'],
      ['27.11.2026 01:30', '26.11.2026 00:00'],
    ],
    [{ Format: 'epoch', from: 'epochMilliseconds' }, ['1764117668123'], ['1764117668']],
  ])('%j of %j gives %j', (document, values, expected) => {
    expect(run(document, ...values)).toEqual(expected);
  });

  it('formats the bytes of an objectGUID, an objectSid and an ImmutableID', () => {
    const guid = Uint8Array.from([
      0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
    ]);
    const sid = Uint8Array.from([1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0]);
    expect(run({ Format: 'guid' }, guid)).toEqual(['00112233-4455-6677-8899-aabbccddeeff']);
    expect(run({ Format: 'base64' }, guid)).toEqual(['MyIRAFVEd2aImaq7zN3u/w==']);
    expect(run({ Format: 'sid' }, sid)).toEqual(['S-1-5-32-544']);
  });

  it('refuses bytes where text is needed, and text where bytes are', () => {
    expect(() => run('ToLowercase', Uint8Array.of(1))).toThrow(NotTransformable);
    expect(() => run({ Format: 'guid' }, 'text')).toThrow(NotTransformable);
    expect(() => run({ Format: 'sid' }, Uint8Array.of(1, 9))).toThrow(NotTransformable);
  });

  it.each([
    ['Lowercase', 'is not a transform'],
    [{ Join: 1 }, 'expected string, received number'],
    [{ Join: ',', Split: ',' }, 'is not a known key'],
    [{ Jion: ',' }, 'is not a transform; there are'],
    [{ Map: { a: 'x', A: 'y' } }, 'has two entries that differ only in case'],
    [{ Join: ',', also: true }, '"path":["also"]'],
  ])('refuses the document %j', (document, reason) => {
    const result = transformDocument.safeParse(document);
    expect(result.success).toBe(false);
    expect(JSON.stringify(result.error?.issues)).toContain(reason);
  });

  it.each([
    [{ Format: 'date', from: 'iso' }, '2026-02-30'],
    [{ Format: 'date', from: 'generalizedTime' }, '20261301000000Z'],
    [{ Format: 'date', from: 'fileTime' }, '-1'],
    [{ Join: ',', with: ['o.0'] }, Uint8Array.of(1)],
  ])('%j cannot take %s', (document, value) => {
    expect(() => run(document, value)).toThrow(NotTransformable);
  });

  it('gives pseudonyms that differ by application and tenant, and hashes that nobody finds without the key', () => {
    const document = compile({ Pairwise: 'pairwise' });
    const [first] = document.apply(['ada'], scope);
    expect(first).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(document.apply(['ada'], scope)).toEqual([first]);
    for (const other of [
      { ...scope, application: 'b' },
      { ...scope, tenant: 'u' },
    ])
      expect(document.apply(['ada'], other)).not.toEqual([first]);
    // Lengths are part of the message: moving a letter from one part to the next makes another message.
    expect(document.apply(['aada'], { ...scope, application: '' })).not.toEqual([first]);
    expect(() => document.apply(['ada'], { ...scope, application: undefined })).toThrow(NotTransformable);
    expect(run({ Hash: 'sha256', secret: 's' }, 'ada')).toEqual([createHmac('sha256', key).update('ada').digest('hex')]);
    expect(String(run({ Hash: 'sha512', secret: 's' }, 'ada')[0])).toHaveLength(128);
  });

  it.each([
    [{ RegexReplace: 'a(?=b)', with: 'x' }, 'look-around'],
    [{ RegexReplace: '(?<!a)b', with: 'x' }, 'look-around'],
    [{ RegexReplace: '(a)\\1', with: 'x' }, 'back-reference'],
    [{ RegexReplace: '(?>a)', with: 'x' }, 'atomic'],
    [{ RegexReplace: 'a{1001}', with: 'x' }, 'more than 1,000'],
    [{ RegexReplace: 'a{0,900}b{0,900}c{0,900}', with: 'x' }, 'repeats'],
    [{ RegexReplace: '[', with: 'x' }, 'is not a regular expression'],
    [{ RegexReplace: 'a'.repeat(600), with: 'x' }, 'is longer than 512'],
    [{ RegexReplace: 'a', with: '{b}' }, 'neither a group nor a parameter b'],
    [{ RegexReplace: 'a', with: 'x', parameters: { c: 'o.0' } }, 'is not used'],
    [{ RegexReplace: '(?<c>a)', with: '{c}', parameters: { c: 'o.0' } }, 'is the name of a group too'],
    [{ Filter: { matches: '(?!x)' } }, 'look-around'],
  ])('refuses %j when the mapping compiles', (document, reason) => {
    expect(() => compile(document)).toThrow(reason);
  });

  it('ends a pattern that was made to be slow, and gives up on what would take too long', () => {
    const slow = { RegexReplace: '^(?<all>(a+)+)$', with: '{all}' };
    expect(run(slow, `${'a'.repeat(50_000)}!`)).toEqual([`${'a'.repeat(50_000)}!`]);
    expect(() => run(slow, ...Array<string>(50).fill('a'.repeat(20_000)))).toThrow(TooMuchWork);
  });

  it.each<[string, object | string, number, string]>([
    ['values that each become many', { Contains: 'a', then: { from: 'o.0' } }, 6_000, 'a'],
    ['values that each become long', { RegexReplace: 'a', with: '{p}', parameters: { p: 'o.1' } }, 6_000, 'a'],
    ['a long text for each value', { Join: ',', with: ['o.2'] }, 1, 'a'],
    ['very long values that are sorted', 'Sort', 6_000, 'a'.repeat(60_000)],
    ['very long values that are taken apart', { Split: 'b' }, 100, 'ab'.repeat(60_000)],
    ['very long values that are cut', { Substring: { start: 1 } }, 100, 'a'.repeat(60_000)],
    ['very many keyed hashes', { Hash: 'sha256', secret: 's' }, 60_000, 'a'],
  ])('gives up on %s', (_name, document, count, value) => {
    const operands = [Array<string>(6_000).fill('x'), ['x'.repeat(60_000)], Array<string>(500).fill('x'.repeat(60_000))];
    const values = Array<string>(count).fill(value);
    expect(() => compile(document).apply(values, { ...scope, operands })).toThrow(TooMuchWork);
  });

  it('has enough for somebody in very many groups', () => {
    const groups = Array.from({ length: 6_000 }, (_, index) => `CN=Group ${index},OU=Groups,OU=Departments,DC=corp,DC=example`);
    const { work } = scope;
    const chain = [{ Filter: { startsWith: 'cn=group', contains: 'groups' } }, 'GroupName', 'ToLowercase', 'Sort', 'Unique'];
    const applied = chain.reduce<readonly AttributeValue[]>(
      (values, document) => compile(document).apply(values, { ...scope, work }),
      groups,
    );
    expect(applied).toHaveLength(6_000);
  });

  it('writes every moment in every format so that it reads it again', () => {
    const moments = fc.date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(moments, (date) => {
        const seconds = Math.floor(date.getTime() / 1_000);
        const text = new Date(seconds * 1_000).toISOString();
        const dateTime = `${text.slice(0, 19)}Z`;
        expect(run({ Format: 'epoch', from: 'iso' }, dateTime)).toEqual([String(seconds)]);
        expect(run({ Format: 'dateTime', from: 'epoch' }, String(seconds))).toEqual([dateTime]);
        expect(run({ Format: 'dateTime', from: 'generalizedTime' }, text.replaceAll(/[-:T]/g, '').replace('.000', ''))).toEqual([
          dateTime,
        ]);
      }),
    );
  });

  it('gives no more than it says, for any values', () => {
    const documents = [
      'ToUppercase', 'ToLowercase', 'GroupName', 'First', 'Sort', 'Unique', 'ExtractMailPrefix',
      { Join: '; ' }, { Map: { a: 'long enough', b: 'c' } }, { Map: { a: 'x' }, otherwise: 'keep' },
      { Map: { a: 'x' }, otherwise: { default: 'default' } }, { Contains: 'a', then: { value: 'contained' }, otherwise: { default: 'other' } },
      { Extract: { after: 'a' }, otherwise: 'keep' }, { ExtractAlpha: 'prefix' }, { ExtractNumeric: 'suffix' }, { IfEmpty: { value: 'nothing' } },
      { IfNotEmpty: { value: 'something' } }, { Substring: { start: 1, length: 2 } }, { RegexReplace: '^.', with: 'constant' },
      { Filter: { contains: 'a' } }, { Hash: 'sha256', secret: 's' }, { Pairwise: 's' },
    ]; // prettier-ignore
    fc.assert(
      fc.property(
        fc.constantFrom(...documents),
        fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a', 'ab', 'ŉ'))),
        (document, values) => {
          const bytes = (texts: readonly unknown[]): number =>
            Math.max(0, ...texts.map((value) => Buffer.byteLength(String(value))));
          const bound = compile(document).bound({ values: values.length, bytes: bytes(values) });
          const result = run(document, ...values);
          expect(result.length).toBeLessThanOrEqual(bound.values);
          expect(bytes(result)).toBeLessThanOrEqual(bound.bytes);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('gives back the name that a distinguished name was made of', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ minLength: 1, unit: 'grapheme' }),
          fc.string({ minLength: 1, unit: fc.constantFrom(' ', '\\', ',', '#', 'a') }),
        ),
        fc.constantFrom('', ' ', '   '),
        (name, space) => {
          expect(run('GroupName', `CN=${space}${escape(name)}${space},OU=Groups,DC=corp`)).toEqual([name]);
          expect(run('GroupName', `CN=${escape(name)}`)).toEqual([name]);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('takes whatever a directory sends as a distinguished name', () => {
    const hostile = fc.string({ unit: fc.constantFrom('C', 'N', '=', ' ', '\\', ',', '2', 'c', '\ud800', 'é') });
    fc.assert(
      fc.property(hostile, (text) => {
        expect(run('GroupName', `CN=${text}`)).toHaveLength(1);
      }),
      { numRuns: 2_000 },
    );
  });
});
