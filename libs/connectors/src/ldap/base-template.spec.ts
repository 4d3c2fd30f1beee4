import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BaseTemplate } from './base-template.js';

function template(text: string): BaseTemplate {
  const result = BaseTemplate.parse(text);
  if (result.kind === 'refused') throw new Error(result.reason);
  return result.template;
}

function encoded(text: string, values: Record<string, string> = {}): string {
  const base = template(text).encode(new Map(Object.entries(values)));
  return base === 'impossible' ? base : base.name;
}

/** A name's values as a reader of RFC 4514 sees them, written independently of the encoder. */
function valuesOf(name: string): readonly string[] {
  const values: number[][] = [];
  for (let at = 0; at < name.length; at++) {
    const character = name[at]!;
    if (character === '=') values.push([]);
    else if (character === '\\') {
      values.at(-1)!.push(Number.parseInt(name.slice(at + 1, at + 3), 16));
      at += 2;
    } else if (character === ',' || character === '+') {
      at = name.indexOf('=', at) - 1;
    } else if (values.length > 0) values.at(-1)!.push(character.charCodeAt(0));
  }
  return values.map((bytes) => Buffer.from(bytes).toString());
}

describe('BaseTemplate', () => {
  it('leaves a base without a placeholder as it is', () => {
    for (const text of ['', 'dc=corp,dc=example', '<SID=S-1-5-21-1>', '<WKGUID=a9d1ca15768811d1aded00c04fd8d5cd,dc=corp>']) {
      expect(encoded(text)).toBe(text);
      expect(template(text).isFilled).toBe(false);
    }
  });

  it('writes identifiers as bytes', () => {
    expect(encoded('<SID={value:sid}>', { value: 'S-1-5-21-1' })).toBe('<SID=01020000000000051500000001000000>');
    expect(encoded('<guid={id:guid}>', { id: '00112233-4455-6677-8899-AABBCCDDEEFF' })).toBe(
      '<GUID=33221100554477668899aabbccddeeff>',
    );
    expect(template('<SID={value:sid}>').parameters).toEqual(new Set(['value']));
  });

  it('writes a value of a name escaped (RFC 4514 §2.4)', () => {
    expect(encoded('uid={uid},ou=People,dc=corp', { uid: 'adele' })).toBe('uid=adele,ou=People,dc=corp');
    expect(encoded('cn={cn} + ou={ou},dc=x', { cn: ' a,b', ou: 'ü#"' })).toBe('cn=\\20a\\2cb + ou=\\c3\\bc\\23\\22,dc=x');
  });

  it('never lets a value be more than a value', () => {
    const hostile = fc.constantFrom(',dc=evil', '+cn=x', '\\', '\\2c', '"', '<SID=1>', '=', '#04', ' ', '\0', '{b}', 'é', '𝄞');
    const value = fc.oneof(hostile, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }));
    fc.assert(
      fc.property(value, value, (a, b) => {
        fc.pre(a.isWellFormed() && b.isWellFormed());
        expect(valuesOf(encoded('cn={a},ou={b},dc=corp', { a, b }))).toEqual([a, b, 'corp']);
      }),
    );
  });

  it.each([
    ['<SID={value:sid}>', 'adele'],
    ['<SID={value:sid}>', 'S-1-5-21-1>'],
    ['<GUID={value:guid}>', '*'],
    ['cn={value}', '\ud800'],
    ['cn={value}', 'x'.repeat(2_000)],
  ])('knows nobody at %s for %j', (text, value) => {
    expect(encoded(text, { value })).toBe('impossible');
  });

  it('throws for a missing value: a defect of the caller', () => {
    expect(() => encoded('cn={value}')).toThrow('value');
    expect(() => encoded('<SID={value:sid}>')).toThrow('value');
  });

  it.each([
    ['{base}', 'whole attribute value'],
    ['cn={value}x,dc=x', 'whole attribute value'],
    ['cn=x{value},dc=x', 'whole attribute value'],
    ['{attribute}=x,dc=x', 'whole attribute value'],
    ['cn={value:sid},dc=x', 'not a placeholder here'],
    ['<SID={value}>', 'whole attribute value'],
    ['<SID={value:guid}>', '<SID=…> takes {value:sid}'],
    ['<SID={value:sid}>,dc=x', 'not a placeholder here'],
    ['cn={,dc=x', 'brace alone'],
    ['cn=},dc=x', 'brace alone'],
    ['cn={},dc=x', 'not a placeholder here'],
  ])('refuses %j', (text, reason) => {
    expect(BaseTemplate.parse(text)).toEqual({ kind: 'refused', reason: expect.stringContaining(reason) });
  });

  it('answers for any text, and never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}=,+<>:\\ asdiguSDIGU1') }), (text) => void BaseTemplate.parse(text)),
    );
  });
});
