import { CsvError, parse as parseCsv } from 'csv-parse/sync';
import { isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { Table, TableRecord } from './table.js';

export type ReadTable =
  | { readonly kind: 'read'; readonly table: Table }
  /** `detail` holds codes, lines and the names of columns; never a value. */
  | { readonly kind: 'malformed'; readonly detail: string };

export interface TableFormat {
  readonly format: 'csv' | 'yaml';
  /** Between the columns of CSV. */
  readonly delimiter: string;
  /** By column: what stands between its values. CSV has no lists. */
  readonly separators: Readonly<Record<string, string>>;
}

/** In characters. Sign-ins wait while a file is parsed, so it must be done in a fraction of a second; YAML takes longer. */
export const longestText = { csv: 2 * 1024 * 1024, yaml: 128 * 1024 };

class Malformed extends Error {}

/** The table that a text holds. Values are the text that stands there: `0042` and `true` in YAML too; an empty one is none. */
export function readTable(text: string, { format, delimiter, separators }: TableFormat): ReadTable {
  return attempt(() => {
    // What is not UTF-8 was replaced when the file was read, and would be somebody's claim.
    if (text.includes('\ufffd')) throw new Malformed('not UTF-8');
    if (text.length > longestText[format]) throw new Malformed(`longer than ${longestText[format]} characters`);
    return format === 'csv' ? csvTable(text, delimiter, separators) : yamlTable(text);
  });
}

/** The table that the configuration itself holds. */
export function tableOfRecords(records: readonly Readonly<Record<string, string | readonly string[]>>[]): ReadTable {
  return attempt(() =>
    tableOf(records.map((record) => Object.entries(record).map(([name, value]) => [name, [value].flat()] as const))),
  );
}

function attempt(read: () => Table): ReadTable {
  try {
    return { kind: 'read', table: read() };
  } catch (error) {
    if (error instanceof Malformed) return { kind: 'malformed', detail: error.message };
    if (error instanceof CsvError)
      return { kind: 'malformed', detail: `${error.code}${'lines' in error ? `, line ${String(error['lines'])}` : ''}` };
    throw error;
  }
}

/** @throws Malformed where a record names a column twice */
function tableOf(rows: readonly (readonly (readonly [string, readonly string[]])[])[]): Table {
  const columns = new Set<string>();
  const records = rows.map((row): TableRecord => {
    const record = new Map<string, readonly string[]>();
    for (const [name, values] of row) {
      const column = name.toLowerCase();
      if (record.has(column)) throw new Malformed(`the column ${column} twice: case does not count`);
      columns.add(column);
      record.set(
        column,
        values.filter((value) => value !== ''),
      );
    }
    return record;
  });
  return { columns, records };
}

/** RFC 4180, with a header. */
function csvTable(text: string, delimiter: string, separators: Readonly<Record<string, string>>): Table {
  const [header, ...rows] = parseCsv(text, { bom: true, delimiter, skip_empty_lines: true }) as string[][];
  if (!header) throw new Malformed('no header');
  if (header.includes('')) throw new Malformed('a column without a name');
  const separatorOf = new Map(Object.entries(separators).map(([column, separator]) => [column.toLowerCase(), separator]));
  const names = header.map((name) => name.toLowerCase());
  for (const column of separatorOf.keys())
    if (!names.includes(column)) throw new Malformed(`separators: there is no column ${column}`);
  const split = (value: string, column: string): readonly string[] => {
    const separator = separatorOf.get(column);
    return separator === undefined ? [value] : value.split(separator).map((each) => each.trim());
  };
  const { records } = tableOf(rows.map((row) => names.map((column, index) => [column, split(row[index]!, column)] as const)));
  if (new Set(names).size < names.length) throw new Malformed('two columns of one name: case does not count');
  return { columns: new Set(names), records };
}

/** A list of records. Plain scalars are taken as they are written, except that null is no value. */
function yamlTable(text: string): Table {
  const document = parseDocument(text, { schema: 'failsafe', prettyErrors: true, uniqueKeys: true });
  const [error] = document.errors;
  if (error) throw new Malformed(`${error.code}${error.linePos ? `, line ${error.linePos[0].line}` : ''}`);
  const list = document.contents;
  if (list === null) return { columns: new Set(), records: [] };
  if (!isSeq(list)) throw new Malformed('not a list of records');
  return tableOf(
    list.items.map((item, index) => {
      if (!isMap(item)) throw new Malformed(`item ${index + 1} is no record`);
      return item.items.map(({ key, value }) => {
        if (!isScalar(key) || typeof key.value !== 'string') throw new Malformed(`item ${index + 1} has a key that is no text`);
        const values = (isSeq(value) ? value.items : [value]).map((node) => {
          if (node === null) return '';
          if (!isScalar(node) || typeof node.value !== 'string')
            throw new Malformed(`item ${index + 1}: ${key.value as string} is neither text nor a list of texts`);
          return node.type === 'PLAIN' && /^(?:~|null|Null|NULL)$/.test(node.value) ? '' : node.value;
        });
        return [key.value, values] as const;
      });
    }),
  );
}
