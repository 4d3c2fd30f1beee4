import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EntryReader, binaryAttributes, valueRange } from './entry-attributes.js';
import type { EntryAttribute } from './ldap-connection.js';

const bytes = (...texts: string[]): Buffer[] => texts.map((text) => Buffer.from(text));
const usual = binaryAttributes([]);

type Part = [type: string, ...values: string[]];
const attributes = (...part: Part[]): EntryAttribute[] => part.map(([type, ...values]) => ({ type, values: bytes(...values) }));

function reading(projection: string[], ...parts: Part[][]): { reader: EntryReader; fits: boolean } {
  const reader = new EntryReader(projection, usual);
  const fits = parts.every((part) => reader.add(attributes(...part)));
  return { reader, fits };
}

function read(projection: string[], ...part: Part[]): unknown {
  const { reader } = reading(projection, part);
  expect(reader.remaining).toEqual([]);
  return Object.fromEntries(projection.flatMap((name) => (reader.values(name).length > 0 ? [[name, reader.values(name)]] : [])));
}

describe('EntryReader', () => {
  it('leaves out what was not asked for: subordinate types and tagged values that a server adds', () => {
    const all = ['name', 'cn', 'description'];
    expect(read(['name', 'description'], ['name', 'a'], ['cn', 'b'], ['description;lang-en', 'c'])).toEqual({ name: ['a'] });
    expect(read(['description;lang-en'], ['description;lang-en', 'c'])).toEqual({ 'description;lang-en': ['c'] });
    expect(read(all, ['NAME', 'a'])).toEqual({ name: ['a'] });
  });

  it('takes the transfer option binary for the attribute itself', () => {
    expect(read(['userCertificate'], ['userCertificate;binary', 'x'])).toEqual({ userCertificate: bytes('x') });
    expect(read(['other'], ['other;binary', 'x'])).toEqual({ other: bytes('x') });
  });

  it.each([
    'objectGUID',
    'objectSid',
    'mS-DS-ConsistencyGuid',
    'sIDHistory',
    'msExchMailboxGuid',
    'tokenGroups',
    'parentGUID',
    'nTSecurityDescriptor',
    'msDS-GenerationId',
    'photo',
  ])('keeps %s as bytes', (name) => {
    expect(read([name], [name.toUpperCase(), 'readable'])).toEqual({ [name]: bytes('readable') });
  });

  it.each(['userParameters', 'userPrincipalName', 'registeredAddress', 'msDS-PrincipalName'])('keeps %s as text', (name) => {
    expect(read([name], [name, 'readable'])).toEqual({ [name]: ['readable'] });
  });

  it('keeps a byte order mark, and bytes that are no text', () => {
    const reader = new EntryReader(['cn'], usual);
    reader.add([{ type: 'cn', values: [Buffer.from('\ufeffx'), Buffer.of(0xc3)] }]);
    expect(reader.values('CN')).toEqual(['\ufeffx', Buffer.of(0xc3)]);
    expect(reader.bytes).toBe(5);
  });

  it('asks for the values that did not come, and puts them together', () => {
    const { reader } = reading(['member', 'cn'], [['cn', 'x'], ['member'], ['member;range=0-1', 'a', 'b']]);
    expect(reader.remaining).toEqual(['member;range=2-*']);
    expect(reader.add(attributes(['member;range=2-3', 'c', 'd']))).toBe(true);
    expect(reader.remaining).toEqual(['member;range=4-*']);
    expect(reader.add(attributes(['member;range=4-*', 'e']))).toBe(true);
    expect(reader.remaining).toEqual([]);
    expect(reader.values('member')).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(reader.values('cn')).toEqual(['x']);
  });

  it('is done where the last part has no values any more', () => {
    const { reader, fits } = reading(['member'], [['member;range=0-1', 'a', 'b']], [['member;range=2-*']]);
    expect(fits).toBe(true);
    expect(reader.remaining).toEqual([]);
    expect(reader.values('member')).toEqual(['a', 'b']);
  });

  it('does not care for parts of what was not asked for', () => {
    expect(read(['cn'], ['member;range=0-1', 'a', 'b'], ['cn', 'y'])).toEqual({ cn: ['y'] });
    expect(read(['member'], ['member;range=0-*', 'x'])).toEqual({ member: ['x'] });
  });

  it.each<[string, Part[][]]>([
    ['an answer without the part that was asked for', [[['member;range=0-1', 'a', 'b']], []]],
    ['a part that does not begin where the last one ended', [[['member;range=0-1', 'a', 'b']], [['member;range=3-*', 'd']]]],
    ['the same part again', [[['member;range=0-1', 'a', 'b']], [['member;range=0-1', 'a', 'b']]]],
    ['a first part that is not the first', [[['member;range=1500-*', 'a']]]],
    ['fewer values than announced', [[['member;range=0-2', 'a']]]],
    ['more values than announced', [[['member;range=0-0', 'a', 'b']]]],
    [
      'an attribute twice',
      [
        [
          ['member', 'a'],
          ['member', 'b'],
        ],
      ],
    ],
  ])('refuses %s', (_name, parts) => {
    expect(reading(['member'], ...parts).fits).toBe(false);
  });

  it('puts together whatever a server cuts, and ends', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(cuts, (sizes) => {
        const values = Array.from({ length: sizes.reduce((sum, size) => sum + size, 0) }, (_, index) => `v${index}`);
        const reader = new EntryReader(['member'], usual);
        let from = 0;
        for (const [index, size] of sizes.entries()) {
          const end = index === sizes.length - 1 ? '*' : String(from + size - 1);
          expect(index === 0 || reader.remaining[0] === `member;range=${from}-*`).toBe(true);
          expect(reader.add(attributes([`member;range=${from}-${end}`, ...values.slice(from, from + size)]))).toBe(true);
          from += size;
        }
        expect(reader.remaining).toEqual([]);
        expect(reader.values('member')).toEqual(values);
      }),
    );
  });
});

describe('valueRange', () => {
  it('reads every range back', () => {
    fc.assert(
      fc.property(fc.nat(999_999_999), fc.option(fc.nat(999_999_999)), (from, to) => {
        const expected = to === null ? [from, Infinity] : to < from ? undefined : [from, to];
        expect(valueRange(`range=${from}-${to ?? '*'}`)).toEqual(expected);
      }),
    );
  });

  it.each([
    '',
    'range',
    'range=',
    'range=1',
    'range=-1',
    'range=a-b',
    'range=0-*x',
    'binary',
    'range=0-1-2',
    `range=${'9'.repeat(400)}-*`,
  ])('takes %j for no range', (option) => expect(valueRange(option)).toBeUndefined());

  it('answers for any text', () => {
    fc.assert(fc.property(fc.string(), (option) => void valueRange(option)));
  });
});
