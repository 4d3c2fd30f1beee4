import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TableIndex, type Table } from './table.js';

function table(...rows: Record<string, string[]>[]): Table {
  const records = rows.map((row) => new Map(Object.entries(row)));
  return { columns: new Set(rows.flatMap((row) => Object.keys(row))), records };
}

describe('TableIndex', () => {
  const people = table(
    { company: ['contoso'], number: ['1', '2'], name: ['Adele'] },
    { company: ['contoso'], number: ['3'], name: ['Ben'] },
    { company: ['fabrikam'], number: ['1'], name: ['Cy'] },
    { company: ['fabrikam'], number: ['3', '3'], name: ['Di'] },
    { company: [], number: ['9'], name: ['Nobody'] },
  );
  const by = (columns: string[], ignoreCase = false) => {
    const index = new TableIndex(people, { columns, ignoreCase });
    return (...texts: string[]) => {
      const found = index.find(texts);
      return found instanceof Map ? found.get('name')![0] : found;
    };
  };

  it('finds by each value of a column, and tells one and several apart', () => {
    const number = by(['NUMBER']);
    expect(['1', '2', '3', '4'].map((text) => number(text))).toEqual(['several', 'Adele', 'several', undefined]);
  });

  it('finds by several columns together', () => {
    const key = by(['company', 'number']);
    expect([key('contoso', '1'), key('fabrikam', '1'), key('fabrikam', '3'), key('contoso', '9')]).toEqual([
      'Adele',
      'Cy',
      'Di',
      undefined,
    ]);
  });

  it('never takes two texts for others that join to the same', () => {
    const two = fc.tuple(fc.string(), fc.string());
    fc.assert(
      fc.property(two, two, ([a, b], [c, d]) => {
        const index = new TableIndex(table({ a: [a], b: [b] }), { columns: ['a', 'b'], ignoreCase: false });
        expect(index.find([c, d]) !== undefined).toBe(a === c && b === d);
      }),
    );
  });

  it('ignores case where that is said', () => {
    expect([by(['company', 'number'])('CONTOSO', '1'), by(['company', 'number'], true)('CONTOSO', '1')]).toEqual([
      undefined,
      'Adele',
    ]);
  });
});
