import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrayElements, columnValues } from './column-values.js';

/** PostgreSQL's array_out: quotes where it must, with backslashes before quotes and backslashes. */
function arrayText(elements: readonly (string | null)[], delimiter: string): string {
  const written = elements.map((element) => {
    if (element === null) return 'NULL';
    const plain =
      element !== '' && !/[{}"\\\s]/.test(element) && !element.includes(delimiter) && element.toUpperCase() !== 'NULL';
    return plain ? element : `"${element.replace(/["\\]/g, '\\$&')}"`;
  });
  return `{${written.join(delimiter)}}`;
}

describe('arrayElements', () => {
  it('reads back what PostgreSQL writes, without the nulls', () => {
    const element = fc.oneof(
      fc.constantFrom('null', 'NULL', '', ' ', '"', '\\', '{}', ',', ';', null),
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'ab{},;"\\ ') }),
    );
    fc.assert(
      fc.property(fc.array(element), fc.constantFrom(',', ';'), (elements, delimiter) => {
        expect(arrayElements(arrayText(elements, delimiter), delimiter)).toEqual(elements.filter((each) => each !== null));
      }),
    );
  });

  it('reads bounds', () => expect(arrayElements('[0:1]={a,b}', ',')).toEqual(['a', 'b']));

  it.each(['', '{', 'a', '{{a},{b}}', '{a,}', '{,a}', '{"a}', '{a"b"}', '{"a"b}', '[1:1][1:1]={{a}}'])(
    'cannot read %j',
    (literal) => {
      expect(arrayElements(literal, ',')).toBeUndefined();
    },
  );

  it('answers for any text, and never throws', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'{},"\\aN[]:=1') }), (text) => void arrayElements(text, ',')));
  });
});

describe('columnValues', () => {
  it('writes booleans as words and reads bytes', () => {
    expect(columnValues({ element: 'boolean', delimiter: ',' }, '{t,f,NULL}')).toEqual(['true', 'false']);
    expect(columnValues({ element: 'bytes', delimiter: undefined }, '\\x00ff')).toEqual([Uint8Array.of(0, 255)]);
    expect(columnValues({ element: 'bytes', delimiter: ',' }, '{"\\\\x41","\\\\x"}')).toEqual([
      Uint8Array.of(0x41),
      Uint8Array.of(),
    ]);
  });
});
