import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DistinguishedName } from './distinguished-name.js';

const key = (text: string): string | undefined => DistinguishedName.parse(text)?.key;

/** A value as RFC 4514 §2.4 writes it. */
const escaped = (value: string): string =>
  value
    .replace(/["+,;<=>\\]/g, '\\$&')
    .replaceAll('\0', '\\00')
    .replace(/^[ #]/, '\\$&')
    .replace(/ $/, '\\ ');

const prepared = (text: string): string => text.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ').trim();

describe('a distinguished name', () => {
  it.each([
    ['CN=Adele Vance,DC=corp', 'cn=adele  vance , dc = CORP'],
    [String.raw`cn=Works Council\, EMEA,dc=corp`, String.raw`cn=Works Council\2c EMEA,dc=corp`],
    [String.raw`cn=M\c3\bcller`, 'cn=MÜLLER'],
    ['cn=a+ou=b,dc=c', 'ou=B + cn=A,dc=c'],
    ['cn=a;dc=b', 'cn=a,dc=b'],
    ['2.5.4.3=x', 'OID.2.5.4.3=x'],
    [String.raw`cn=\#1`, 'cn=#1'],
    ['', '  '],
  ])('%j equals %j', (one, other) => {
    expect(key(one)).toBe(key(other));
    expect(key(one)).toBeTypeOf('string');
  });

  it.each([
    ['cn=a,dc=b', 'cn=a'],
    ['cn=a,dc=b', 'dc=b,cn=a'],
    [String.raw`cn=a\,dc=b`, 'cn=a,dc=b'],
    [String.raw`cn=a\+ou=b`, 'cn=a+ou=b'],
    ['cn=a', 'sn=a'],
  ])('%j differs from %j', (one, other) => {
    expect(key(one)).not.toBe(key(other));
  });

  it.each([
    'a',
    '=a',
    'cn',
    ',',
    'cn=a,',
    'cn=a,,dc=b',
    'cn=a+',
    String.raw`cn=\x`,
    'cn=\\',
    'cn="a"',
    'cn=<a>',
    '1.=a',
    'grace@corp.example',
  ])('%j is none', (text) => {
    expect(DistinguishedName.parse(text)).toBeUndefined();
  });

  it('reads any value that is escaped, and keeps different ones apart', () => {
    const value = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text.trim() !== '');
    fc.assert(
      fc.property(value, value, (one, other) => {
        expect(key(`cn=${escaped(one)},dc=x`)).toBeTypeOf('string');
        expect(key(`cn=${escaped(one)},dc=x`) === key(`cn=${escaped(other)},dc=x`)).toBe(prepared(one) === prepared(other));
      }),
    );
  });

  it('knows what it lies within', () => {
    const [person, people, corp, other] = ['cn=a,ou=people,dc=corp', 'OU=People,DC=corp', 'dc=corp', 'dc=rp'].map((text) =>
      DistinguishedName.parse(text)!,
    );
    expect(person!.isWithin(people!)).toBe(true);
    expect(person!.isWithin(corp!)).toBe(true);
    expect(person!.isWithin(person!)).toBe(true);
    expect(person!.isWithin(DistinguishedName.root)).toBe(true);
    expect(person!.isWithin(other!)).toBe(false);
    expect(corp!.isWithin(person!)).toBe(false);
    expect(person!.parent.key).toBe(people!.key);
    expect(corp!.parent.key).toBe(DistinguishedName.root.key);
  });
});
