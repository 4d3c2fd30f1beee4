import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparesAsItself, foundByLikeness } from './string-preparation.js';

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
  ])('does not for %j', (text) => expect(comparesAsItself(text)).toBe(false));

  it('holds for any printable ASCII without outer spaces', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => comparesAsItself(text.trim())));
  });
});

describe('what a directory found', () => {
  it.each([
    ['adele', ['Adele'], false],
    ['adele', ['x', 'ADELE'], false],
    ['zoë', ['Zoe\u0308'], false],
    ['adele', ['adéle'], true],
    ['adéle', ['adele'], true],
    ['ｂen', ['ben'], true],
    ['strasse', ['straße'], true],
    ['カ', ['か'], true],
    ['adéle', ['adele', 'adéle'], false],
    ['0512', ['512'], false],
    ['S-1-5-21-1', [Buffer.from([1, 5])], false],
    ['adele', [], false],
  ])('by %j with the values %j is found by likeness only: %j', (asked, values, expected) => {
    expect(foundByLikeness(asked, values)).toBe(expected);
  });
});
