import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guidBytes, sidBytes } from './identifiers.js';

/** The opposite direction, written independently of the encoders. */
function sidText(bytes: Buffer): string {
  const parts = Array.from({ length: bytes[1]! }, (_, index) => bytes.readUInt32LE(8 + 4 * index));
  return `S-${bytes[0]}-${bytes.readUIntBE(2, 6)}-${parts.join('-')}`;
}

function guidText(bytes: Buffer): string {
  const part = (start: number, end: number): string => bytes.toString('hex', start, end);
  const reversed = (start: number, end: number): string => Buffer.from(bytes.subarray(start, end).toReversed()).toString('hex');
  return [reversed(0, 4), reversed(4, 6), reversed(6, 8), part(8, 10), part(10, 16)].join('-');
}

describe('sidBytes', () => {
  it('writes the example of Active Directory', () => {
    expect(sidBytes('S-1-5-21-1004336348-1177238915-682003330-512')?.toString('hex')).toBe(
      '010500000000000515000000dcf4dc3b833d2b46828ba62800020000',
    );
  });

  it('round-trips every SID', () => {
    const sid = fc.tuple(
      fc.integer({ min: 0, max: 2 ** 48 - 1 }),
      fc.array(fc.nat(2 ** 32 - 1), { minLength: 1, maxLength: 15 }),
    );
    fc.assert(
      fc.property(sid, ([authority, parts]) => {
        const text = ['S-1', authority, ...parts].join('-');
        expect(sidText(sidBytes(text)!)).toBe(text);
      }),
    );
  });

  it.each([
    '',
    'S-1-5',
    'S-2-5-21',
    'S-1-5-4294967296',
    'S-1-281474976710656-1',
    'S-1-5-21-',
    'S-1-5-21)(objectClass=*',
    '*',
    `S-1-5${'-1'.repeat(16)}`,
  ])('refuses %j', (text) => expect(sidBytes(text)).toBeUndefined());
});

describe('guidBytes', () => {
  it('writes the first three groups little-endian', () => {
    expect(guidBytes('00112233-4455-6677-8899-AABBCCDDEEFF')?.toString('hex')).toBe('33221100554477668899aabbccddeeff');
  });

  it('round-trips every GUID', () => {
    fc.assert(
      fc.property(fc.uuid(), (text) => {
        expect(guidText(guidBytes(text)!)).toBe(text);
      }),
    );
  });

  it.each([
    '',
    '00112233445566778899aabbccddeeff',
    '{00112233-4455-6677-8899-aabbccddeeff}',
    '00112233-4455-6677-8899-aabbccddeefg',
  ])('refuses %j', (text) => expect(guidBytes(text)).toBeUndefined());
});
