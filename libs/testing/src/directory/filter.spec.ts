import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BerError, BerReader, boolean, element, octets, sequence } from './ber.js';
import { filterTags, readFilter, type Filter } from './filter.js';

/** The filter in BER, written from RFC 4511 §4.5.1.7 alone. */
function written(filter: Filter): Uint8Array {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return element(filterTags[filter.kind], ...filter.filters.map(written));
    case 'not':
      return element(filterTags.not, written(filter.filter));
    case 'present':
      return octets(filter.attribute, filterTags.present);
    case 'substrings': {
      const { attribute, initial, any, final } = filter;
      const parts = [
        ...(initial ? [octets(initial, 0x80)] : []),
        ...any.map((part) => octets(part, 0x81)),
        ...(final ? [octets(final, 0x82)] : []),
      ];
      return element(filterTags.substrings, octets(attribute), sequence(...parts));
    }
    case 'extensible': {
      const { rule, attribute, value, dnAttributes } = filter;
      return element(
        filterTags.extensible,
        ...(rule === undefined ? [] : [octets(rule, 0x81)]),
        ...(attribute === undefined ? [] : [octets(attribute, 0x82)]),
        octets(value, 0x83),
        ...(dnAttributes ? [boolean(true, 0x84)] : []),
      );
    }
    default:
      return element(filterTags[filter.kind], octets(filter.attribute), octets(filter.value));
  }
}

const attribute = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const value = fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes));
const optional = <Type>(arbitrary: fc.Arbitrary<Type>): fc.Arbitrary<Type | undefined> =>
  fc.option(arbitrary, { nil: undefined });

const { filter: anyFilter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4 },
    fc.record({ kind: fc.constantFrom('equality', 'greaterOrEqual', 'lessOrEqual', 'approximate'), attribute, value }),
    fc.record({ kind: fc.constant('present'), attribute }),
    fc
      .record({
        kind: fc.constant('substrings'),
        attribute,
        initial: optional(value),
        any: fc.array(value),
        final: optional(value),
      })
      .filter(({ initial, any, final }) => initial !== undefined || any.length > 0 || final !== undefined),
    fc.record({
      kind: fc.constant('extensible'),
      rule: optional(fc.constant('1.2.840.113556.1.4.803')),
      attribute: optional(attribute),
      value,
      dnAttributes: fc.boolean(),
    }),
    fc.record({ kind: fc.constantFrom('and', 'or'), filters: fc.array(tie('filter'), { maxLength: 3 }) }),
    fc.record({ kind: fc.constant('not'), filter: tie('filter') }),
  ) as fc.Arbitrary<Filter>,
}));

describe('a search filter', () => {
  it('is read back from its BER', () => {
    fc.assert(
      fc.property(anyFilter, (filter) => {
        expect(readFilter(new BerReader(written(filter)))).toEqual(filter);
      }),
    );
  });

  it('is refused with a BerError where it is none, whatever the bytes', () => {
    const tag = fc.constantFrom(...Object.values(filterTags));
    fc.assert(
      fc.property(tag, fc.uint8Array({ maxLength: 20 }), (first, content) => {
        try {
          readFilter(new BerReader(element(first, content)));
        } catch (error) {
          expect(error).toBeInstanceOf(BerError);
        }
      }),
    );
  });

  it.each([
    ['an unknown kind', element(0xaa)],
    ['substrings without parts', element(filterTags.substrings, octets('cn'), sequence())],
    ['substrings out of order', element(filterTags.substrings, octets('cn'), sequence(octets('b', 0x82), octets('a', 0x80)))],
  ])('is refused with %s', (_, bytes) => {
    expect(() => readFilter(new BerReader(bytes))).toThrow(BerError);
  });

  it('is refused where it is nested too deeply, before the stack is', () => {
    let nested = octets('cn', filterTags.present);
    for (let depth = 0; depth < 20_000; depth += 1) nested = element(filterTags.not, nested);
    expect(() => readFilter(new BerReader(nested))).toThrow(BerError);
  });
});
