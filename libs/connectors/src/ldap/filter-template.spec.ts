import fc from 'fast-check';
import { BerWriter, FilterParser, SearchRequest } from 'ldapts';
import { describe, expect, it } from 'vitest';
import { FilterTemplate } from './filter-template.js';

function template(text: string): FilterTemplate {
  const result = FilterTemplate.parse(text);
  if (result.kind === 'refused') throw new Error(result.reason);
  return result.template;
}

function encoded(text: string, values: Record<string, string> = {}): Buffer {
  const filter = template(text).encode(new Map(Object.entries(values)));
  if (filter === 'impossible') throw new Error('impossible');
  return filter.bytes;
}

/** Tags and lengths as a decoder reads them, and the leaves' bytes: [tag, content]. */
type Node = readonly [tag: number, content: Buffer | readonly Node[]];

function decode(bytes: Buffer): readonly Node[] {
  const nodes: Node[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const tag = bytes[offset]!;
    const first = bytes[offset + 1]!;
    const extra = first < 0x80 ? 0 : first & 0x7f;
    const length = extra === 0 ? first : bytes.readUIntBE(offset + 2, extra);
    const start = offset + 2 + extra;
    const content = bytes.subarray(start, start + length);
    if (content.length < length) throw new Error('truncated');
    nodes.push([tag, tag & 0x20 ? decode(content) : content]);
    offset = start + length;
  }
  return nodes;
}

describe('FilterTemplate', () => {
  it('encodes as RFC 4511 §4.5.1 says', () => {
    expect(encoded('(&(objectClass=user)(!(cn=a*b*c))(mail=*))').toString('hex')).toBe(
      ['a02e', 'a313040b6f626a656374436c617373040475736572', 'a211a40f0402636e3009800161810162820163', '87046d61696c'].join(''),
    );
  });

  it('agrees with ldapts about every kind of filter', () => {
    const text = '(|(&(a=1)(b>=2)(c<=3))(d~=4)(!(e=5))(f=*)(g=x*y*z)(h=*y*)(member:1.2.840.113556.1.4.1941:=cn=x)(:2.4.6.8:=y))';
    const writer = new BerWriter();
    FilterParser.parseString(text).write(writer);
    expect(decode(encoded(text))).toEqual(decode(writer.buffer));
  });

  it('writes dnAttributes as the standard and its default say', () => {
    expect(decode(encoded('(o:DN:=x)'))).toEqual([
      [
        0xa9,
        [
          [0x82, Buffer.from('o')],
          [0x83, Buffer.from('x')],
          [0x84, Buffer.of(0xff)],
        ],
      ],
    ]);
  });

  it('is written into a search request unchanged, whatever its length', () => {
    for (const length of [0, 1, 100, 127, 128, 300, 70_000]) {
      const filter = template('(cn={value})').encode(new Map([['value', 'x'.repeat(length)]]));
      if (filter === 'impossible') throw new Error('impossible');
      const message = new SearchRequest({ messageId: 1, baseDN: 'dc=x', filter, attributes: [] }).write();
      expect(message.includes(filter.bytes)).toBe(true);
    }
  });

  it('never lets a value change the structure', () => {
    const text = '(&(objectClass=user)(|(cn={first})(sn>={second}))(!(member:caseExactMatch:={first})))';
    const hostile = fc.constantFrom('*', ')(objectClass=*', '\\2a', '\0', '(|(cn=*', '', '￿', '𝄞', 'x'.repeat(500), '{second}');
    const value = fc.oneof(hostile, fc.string({ unit: 'binary', maxLength: 300 }));
    const structure = (first: string, second: string): readonly Node[] => [
      [
        0xa0,
        [
          [
            0xa3,
            [
              [4, Buffer.from('objectClass')],
              [4, Buffer.from('user')],
            ],
          ],
          [
            0xa1,
            [
              [
                0xa3,
                [
                  [4, Buffer.from('cn')],
                  [4, Buffer.from(first)],
                ],
              ],
              [
                0xa5,
                [
                  [4, Buffer.from('sn')],
                  [4, Buffer.from(second)],
                ],
              ],
            ],
          ],
          [
            0xa2,
            [
              [
                0xa9,
                [
                  [0x81, Buffer.from('caseExactMatch')],
                  [0x82, Buffer.from('member')],
                  [0x83, Buffer.from(first)],
                ],
              ],
            ],
          ],
        ],
      ],
    ];
    fc.assert(
      fc.property(value, value, (first, second) => {
        expect(decode(encoded(text, { first, second }))).toEqual(structure(first, second));
      }),
    );
  });

  it('reads back any literal that is escaped as RFC 4515 says', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        const escaped = [...bytes].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
        expect(decode(encoded(`(cn=${escaped})`))).toEqual([
          [
            0xa3,
            [
              [4, Buffer.from('cn')],
              [4, Buffer.from(bytes)],
            ],
          ],
        ]);
      }),
    );
  });

  it('knows its placeholders and writes identifiers as bytes', () => {
    const both = template('(&(objectSid={value:sid})(objectGUID={id:guid})(cn={value}))');
    expect(both.parameters).toEqual(new Set(['value', 'id']));
    const sid = encoded('(objectSid={value:sid})', { value: 'S-1-5-21-1' });
    expect(sid.toString('hex')).toContain('01020000000000051500000001000000');
  });

  it.each([
    ['(objectSid={value:sid})', 'adele'],
    ['(objectGUID={value:guid})', '*'],
    ['(cn={value})', '\ud800'],
  ])('finds nobody by %s for %j', (text, value) => {
    expect(template(text).encode(new Map([['value', value]]))).toBe('impossible');
  });

  it('shows no value to a log', () => {
    const filter = template('(cn={value})').encode(new Map([['value', 'adele']]));
    expect(`${String(filter)} ${JSON.stringify(filter)}`).not.toContain('adele');
  });

  it('throws for a missing value: a defect of the caller', () => {
    expect(() => template('(cn={value})').encode(new Map())).toThrow('value');
  });

  it.each([
    ['', 'is missing'],
    ['cn=x', '( is missing'],
    ['(cn=x', ') is missing'],
    ['(cn=x))', 'goes on'],
    ['(&)', 'no filter'],
    ['(!(a=1)(b=2))', 'more than one'],
    ['(cn)', 'comparison'],
    ['(=x)', 'name of an attribute'],
    ['({value}=x)', 'placeholder cannot be one'],
    ['(cn={value}*)', 'whole value'],
    ['(cn=x{value})', 'whole value'],
    ['(cn={value:upper})', 'no format upper'],
    ['(cn={})', 'whole value'],
    ['(cn=a\\zz)', 'backslash'],
    ['(cn=a**b)', '** is not'],
    ['(cn>=a*)', 'asterisk'],
    ['(cn:=x(y)', ') is missing'],
    ['(:=x)', 'matching rule'],
    [`${'(!'.repeat(40)}(a=1)${')'.repeat(40)}`, 'nested'],
    ['(|(objectSid={value:sid})(cn={value}))', 'only below &'],
    ['(!(objectGUID={value:guid}))', 'only below &'],
  ])('refuses %j', (text, reason) => {
    expect(FilterTemplate.parse(text)).toEqual({ kind: 'refused', reason: expect.stringContaining(reason) });
  });

  it('answers for any text, and never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'()&|!=*\\:{}~<> ab1') }), (text) => void FilterTemplate.parse(text)),
    );
  });
});
