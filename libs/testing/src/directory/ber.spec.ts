import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BerError, BerReader, boolean, element, integer, messageLength, octets, sequence, tags } from './ber.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('BER', () => {
  it('reads back what it writes', () => {
    const value = fc.record({
      number: fc.integer(),
      text: fc.string({ unit: 'grapheme' }),
      flag: fc.boolean(),
      bytes: fc.uint8Array(),
    });
    fc.assert(
      fc.property(value, ({ number, text, flag, bytes }) => {
        const reader = new BerReader(
          sequence(integer(number), octets(text), boolean(flag), element(0xa3, octets(bytes, 0x81))),
        ).inside();
        expect(reader.integer()).toBe(number);
        expect(reader.text()).toBe(text);
        expect(reader.boolean()).toBe(flag);
        expect(hex(reader.inside(0xa3).octets(0x81))).toBe(hex(bytes));
        expect(reader.done).toBe(true);
      }),
    );
  });

  it.each([
    [0, '020100'],
    [127, '02017f'],
    [128, '02020080'],
    [-128, '020180'],
    [-129, '0202ff7f'],
    [2_147_483_647, '02047fffffff'],
  ])('writes %i in the shortest form', (number, expected) => {
    expect(hex(integer(number))).toBe(expected);
  });

  it.each([
    [0x7f, '047f'],
    [0x80, '048180'],
    [0x100, '04820100'],
    [0x10000, '0483010000'],
  ])('writes the length %i', (length, expected) => {
    const written = octets(new Uint8Array(length));
    expect(hex(written.subarray(0, written.length - length))).toBe(expected);
    expect(new BerReader(written).octets()).toHaveLength(length);
  });

  it('tells the length of a message from its first bytes, and nothing earlier', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.uint8Array({ maxLength: 5 }), (content, more) => {
        const message = sequence(octets(content));
        const header = message.length - octets(content).length;
        for (let end = 0; end < header; end += 1) expect(messageLength(message.subarray(0, end), 1_000)).toBeUndefined();
        expect(messageLength(Buffer.concat([message, more]), 1_000)).toBe(message.length);
      }),
    );
  });

  it.each([
    ['another type', '0400'],
    ['an indefinite length', '30800000'],
    ['a length of five bytes', '30850000000001'],
    ['more than the limit', '308203e5'],
  ])('refuses a message with %s', (_, bytes) => {
    expect(() => messageLength(Buffer.from(bytes, 'hex'), 1_000)).toThrow(BerError);
  });

  it.each([
    ['a missing element', '', (reader: BerReader) => reader.octets()],
    ['a cut-off element', '040361', (reader: BerReader) => reader.octets()],
    ['another tag', '0401ff', (reader: BerReader) => reader.integer()],
    ['an empty integer', '0200', (reader: BerReader) => reader.integer()],
    ['a long integer', '02050000000001', (reader: BerReader) => reader.integer()],
    ['a text that is not UTF-8', '0401ff', (reader: BerReader) => reader.text()],
    ['a boolean of two bytes', '01020000', (reader: BerReader) => reader.boolean()],
  ])('refuses %s', (_, bytes, read) => {
    expect(() => read(new BerReader(Buffer.from(bytes, 'hex')))).toThrow(BerError);
  });

  it('throws nothing but a BerError, whatever the bytes', () => {
    const read = (bytes: Uint8Array): void => {
      const reader = new BerReader(bytes);
      while (!reader.done) {
        const { tag, content } = reader.element();
        if (tag === tags.sequence) read(content);
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          read(bytes);
          messageLength(bytes, 30);
        } catch (error) {
          expect(error).toBeInstanceOf(BerError);
        }
      }),
    );
  });
});
