import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldCase } from './fold-case.js';

describe('foldCase', () => {
  it.each([
    ['ADELE', 'adele'],
    ['ZOË', 'zoë'],
    ['ΣΟΦΟΣ', 'σοφοσ'],
    ['ИВАН', 'иван'],
  ])('makes %s the same as %s', (capital, small) => {
    expect(foldCase(capital)).toBe(foldCase(small));
  });

  it.each([
    ['the Kelvin sign', '\u212A', 'k'],
    ['the Ångström sign', '\u212B', 'å'],
    ['the Ohm sign', '\u2126', 'ω'],
    ['the long s', 'ſ', 's'],
    ['the dotless i', 'ı', 'i'],
    ['the capital i with a dot', 'İ', 'i'],
    ['the capital sharp s', 'ẞ', 'ss'],
    ['a ligature', 'ﬁ', 'fi'],
    ['a full-width letter', 'ａ', 'a'],
    ['a Cyrillic letter', 'а', 'a'],
    ['another composition', 'e\u0301', 'é'],
  ])('does not take %s for a letter', (_, alike, letter) => {
    for (const one of [alike, alike.toUpperCase(), alike.toLowerCase()].filter((each) => each.normalize() !== letter))
      if (one !== letter && one !== letter.toUpperCase()) expect(foldCase(one)).not.toBe(foldCase(letter));
    expect(foldCase(alike)).not.toBe(foldCase(letter));
  });

  it('changes nothing but single letters to single letters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const folded = foldCase(text);
        expect(Array.from(folded)).toHaveLength(Array.from(text).length);
        expect(foldCase(folded)).toBe(folded);
      }),
    );
  });
});
