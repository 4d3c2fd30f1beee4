import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparesAsItself, resemblance } from './string-preparation.js';

describe('comparesAsItself', () => {
  it.each([
    'adele.vance@corp.example',
    "O'Hara, Zoë (née Müller)",
    'Zoe\u0308',
    'ß',
    'İ',
    '渋谷',
    'аdele',
    '',
    'R & D',
    'CN=x\\,y',
  ])('holds for %j', (text) => expect(comparesAsItself(text)).toBe(true));

  it.each([
    'ＡＤＥＬＥ',
    'adele＠corp.example',
    'ﬀ',
    'a\u00adb',
    'a\u200bb',
    '\ufeffa',
    'a\u2060b',
    'a\u0000',
    'a\tb',
    ' a',
    'a ',
    'a\u3000b',
    '①',
    'ª',
    '\u212aate',
    '\u212bsa',
    'Zoe\u0308 Zoë',
    'Chief  Executive',
    'kate\ufffc',
    'kate\u1806',
    'a\u1680b',
  ])('does not for %j', (text) => expect(comparesAsItself(text)).toBe(false));

  it('holds for any printable ASCII without outer or repeated spaces', () => {
    const single = (text: string): string => text.split(' ').filter(Boolean).join(' ');
    fc.assert(fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => comparesAsItself(single(text))));
  });

  it('does not for any text with a character that is mapped, by the list of RFC 4518 §2.2', () => {
    const characters = [...toNothing, ...toSpace].filter((character) => character !== ' ');
    expect(characters.filter((character) => comparesAsItself(`ka${character}te`))).toEqual([]);
  });

  it('holds only for texts that are prepared as what they are', () => {
    const odd = fc.constantFrom(...toNothing, ...toSpace, 'K', 'Å', 'Ω', 'e', '\u0308', 'ｋ', 'ﬁ', '가', '\u1100', '\u1161');
    const text = fc.string({ unit: fc.oneof(odd, fc.string({ unit: 'binary', maxLength: 1 })), maxLength: 8 });
    fc.assert(
      fc.property(text, (given) => {
        fc.pre(given.isWellFormed() && comparesAsItself(given));
        expect([given.normalize('NFC'), given.normalize('NFD')]).toContain(given);
        expect(prepared(given)).toBe(given.normalize('NFC'));
      }),
      { numRuns: 2_000 },
    );
  });
});

/** RFC 4518 §2.2, as it is listed there. */
const ranges = (...pairs: readonly (readonly [number, number?])[]): readonly string[] =>
  pairs.flatMap(([from, to = from]) => Array.from({ length: to - from + 1 }, (_, index) => String.fromCodePoint(from + index)));
const toNothing = ranges(
  [0xad],
  [0x1806],
  [0x34f],
  [0x180b, 0x180d],
  [0xfe00, 0xfe0f],
  [0xfffc],
  [0x0, 0x8],
  [0xe, 0x1f],
  [0x7f, 0x84],
  [0x86, 0x9f],
  [0x6dd],
  [0x70f],
  [0x180e],
  [0x200b, 0x200f],
  [0x202a, 0x202e],
  [0x2060, 0x2063],
  [0x206a, 0x206f],
  [0xfeff],
  [0xfff9, 0xfffb],
  [0x1d173, 0x1d17a],
  [0xe0001],
  [0xe0020, 0xe007f],
);
const toSpace = ranges(
  [0x9, 0xd],
  [0x85],
  [0x20],
  [0xa0],
  [0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f],
  [0x205f],
  [0x3000],
);
const [nothing, space] = [new Set(toNothing), new Set(toSpace)];

/** RFC 4518 §2.2, §2.3 and §2.6.1, without the folding of case. */
function prepared(text: string): string {
  const mappedText = Array.from(text, (each) => (nothing.has(each) ? '' : space.has(each) ? ' ' : each)).join('');
  return mappedText.normalize('NFKC').split(' ').filter(Boolean).join(' ');
}

describe('what a directory found', () => {
  it.each([
    ['adele', ['Adele'], false],
    ['adele', ['x', 'ADELE'], false],
    ['zoë', ['Zoe\u0308'], false],
    ['νικος', ['ΝΙΚΟΣ'], false],
    ['adele', ['Adele '], false],
    ['adele', ['adéle'], true],
    ['adéle', ['adele'], true],
    ['ｂen', ['ben'], true],
    ['strasse', ['straße'], true],
    ['カ', ['か'], true],
    ['ıvan', ['Ivan'], true],
    ['adele', ['somebody else'], true],
    ['kate', ['ka\u{10ffff}te'], true],
    ['adéle', ['adele', 'adéle'], false],
    ['0512', ['512'], false],
    ['-1', ['1'], true],
    ['0512', ['512 '], true],
    ['S-1-5-21-1', [Buffer.from([1, 5])], false],
    ['adele', [], false],
    ['cn=Adele Vance , dc=corp', ['CN=adele\\20vance,DC=corp'], false],
    ['cn=Adéle,dc=corp', ['CN=Adele,DC=corp'], true],
    ['cn=\\e2\\80\\8badele,dc=corp', ['CN=Adele,DC=corp'], true],
    ['cn=Adele', ['CN=Adele,DC=corp'], true],
  ])('by %j with the values %j is found by likeness only: %j', (asked, values, expected) => {
    expect(resemblance(asked, 'cn', values) === 'alike').toBe(expected);
  });

  it('by an attribute that compares in another way is left to it', () => {
    expect(resemblance('+1 425 555-0100', 'TelephoneNumber', ['+14255550100'])).toBe('untold');
  });

  it('by a text in any case, and by no other', () => {
    const text = fc.string({ unit: fc.constantFrom(...'aAéÉeEßſkK\u212aиИ ıİçü') });
    const bare = (value: string): string => value.split(' ').filter(Boolean).join(' ').normalize('NFC');
    fc.assert(
      fc.property(text, text, (asked, value) => {
        const capital = asked.toUpperCase();
        expect(resemblance(asked, 'cn', [capital.toLowerCase() === asked ? capital : asked])).toBe('same');
        const same = bare(asked).localeCompare(bare(value), 'en-US', { sensitivity: 'accent' }) === 0;
        if (!same) expect(resemblance(asked, 'cn', [value])).toBe('alike');
      }),
    );
  });
});
