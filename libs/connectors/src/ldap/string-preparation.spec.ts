import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparesAsItself } from './string-preparation.js';

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
