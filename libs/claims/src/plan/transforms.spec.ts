import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { transformDocument } from '../mapping/transform-document.js';
import { compileTransform, NotTransformable, type Transform, type TransformCompiler } from './transforms.js';

const key = new TextEncoder().encode('0123456789abcdef0123456789abcdef');
const compiler: TransformCompiler = {
  operand: (reference) => Number(reference.slice('o.'.length)),
  secret: () => ({ tenants: new Set(['t']), value: () => key }),
  refuse: (_path, reason) => {
    throw new Error(reason);
  },
};
const compile = (document: unknown): Transform => compileTransform(transformDocument.parse(document), compiler, []);

const run = (document: unknown, ...values: (string | Uint8Array)[]) =>
  compile(document).apply(values, { operands: [['one'], ['two', 'three'], []], tenant: 't', application: 'a' });

const escape = (text: string): string => text.replace(/[,+"\\<>;=]/g, (character) => `\\${character}`);

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
    ['Unique', ['a', 'b', 'a'], ['a', 'b']],
    [{ Join: '; ' }, ['a', 'b'], ['a; b']],
    [{ Join: ';' }, [], []],
    [{ Split: ',' }, ['a,,b', 'c'], ['a', 'b', 'c']],
    [{ Map: { 'Finance-Admins': 'admin' } }, ['finance-admins', 'Other'], ['admin']],
    [{ Map: { a: 'x' }, otherwise: 'keep' }, ['A', 'b'], ['x', 'b']],
    [{ Map: { a: 'x' }, otherwise: { default: 'none' } }, ['a', 'b'], ['x', 'none']],
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
    [{ Join: 1 }, 'is not the transform Join as it is written: Join: '],
    [{ Join: ',', Split: ',' }, 'is not the transform Join as it is written: Split is not a known key'],
    [{ Jion: ',' }, 'must be the name of a transform'],
    [{ Map: { a: 'x', A: 'y' } }, 'has two entries that differ only in case'],
    [{ Join: ',', also: true }, 'also'],
  ])('refuses the document %j', (document, reason) => {
    const result = transformDocument.safeParse(document);
    expect(result.success).toBe(false);
    expect(JSON.stringify(result.error?.issues)).toContain(reason);
  });

  it('gives back the name that a distinguished name was made of', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => text.trim() === text),
        (name) => {
          expect(run('GroupName', `CN=${escape(name)},OU=Groups,DC=corp`)).toEqual([name]);
        },
      ),
    );
  });
});
