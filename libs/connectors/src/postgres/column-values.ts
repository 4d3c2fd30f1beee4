import type { AttributeValue } from '#claims';

/** How the text that PostgreSQL sends for a column becomes values. */
export interface ColumnType {
  readonly element: 'text' | 'boolean' | 'bytes' | 'json';
  /** The character between the elements of an array; undefined where the column is not an array. */
  readonly delimiter: string | undefined;
}

const text: ColumnType = { element: 'text', delimiter: undefined };
const texts: ColumnType = { element: 'text', delimiter: ',' };

/** Types by the numbers that PostgreSQL gives its own (pg_type.dat). */
const ownTypes: ReadonlyMap<number, ColumnType> = new Map<number, ColumnType>([
  [16, { element: 'boolean', delimiter: undefined }],
  [17, { element: 'bytes', delimiter: undefined }],
  [1000, { element: 'boolean', delimiter: ',' }],
  [1001, { element: 'bytes', delimiter: ',' }],
  [114, { element: 'json', delimiter: undefined }],
  [3802, { element: 'json', delimiter: undefined }],
  // "char", name, integers, text, oid, floating point, character types, dates and times, numeric, uuid, inet
  ...[18, 19, 20, 21, 23, 25, 26, 700, 701, 869, 1042, 1043, 1082, 1083, 1114, 1184, 1186, 1266, 1700, 2950].map(
    (oid) => [oid, text] as const,
  ),
  // their arrays
  ...[
    199, 1002, 1003, 1005, 1007, 1009, 1014, 1015, 1016, 1021, 1022, 1028, 1041, 1115, 1182, 1183, 1185, 1187, 1231, 1270, 2951,
    3807,
  ].map((oid) => [oid, texts] as const),
]);

/** What the server is asked about types that are not its own, such as an enumeration's array. */
export const unknownTypesStatement =
  "select oid::text, case when typinput = 'array_in'::regproc then typdelim::text end from pg_type where oid = any($1::oid[])";

/**
 * The types that one session's columns can have. Another session's server, or the same one after a restore, may have given its numbers
 * to other types.
 */
export class ColumnTypes {
  private readonly learnt = new Map<number, ColumnType>();

  get(type: number): ColumnType | undefined {
    return ownTypes.get(type) ?? this.learnt.get(type);
  }

  /** Takes the rows of `unknownTypesStatement`. */
  learn(rows: readonly (readonly (string | null)[])[]): void {
    for (const [oid, delimiter] of rows) this.learnt.set(Number(oid), delimiter == null ? text : { element: 'text', delimiter });
  }
}

/**
 * The values of a field that is not null. Undefined where it is an array of more than one dimension, JSON with
 * objects or lists in a list, or not readable.
 */
export function columnValues(type: ColumnType, field: string): readonly AttributeValue[] | undefined {
  if (type.element === 'json' && type.delimiter === undefined) return jsonValues(field);
  if (type.delimiter === undefined) return [value(type, field)];
  return arrayElements(field, type.delimiter)?.map((element) => value(type, element));
}

/** A JSON list has several values, null none, and an object is one text. Numbers keep their digits. */
function jsonValues(field: string): readonly AttributeValue[] | undefined {
  // A number becomes the text that stands in the document.
  const keepDigits = (_key: string, parsed: unknown, context?: { readonly source?: string }): unknown =>
    typeof parsed === 'number' ? (context?.source ?? String(parsed)) : parsed;
  let document: unknown;
  try {
    document = JSON.parse(field, keepDigits);
  } catch {
    return undefined;
  }
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) return [field];
  const values: string[] = [];
  for (const item of Array.isArray(document) ? (document as unknown[]) : [document]) {
    if (item === null) continue;
    if (typeof item === 'object') return undefined;
    values.push(String(item));
  }
  return values;
}

function value({ element }: ColumnType, field: string): AttributeValue {
  if (element === 'boolean') return field === 't' ? 'true' : 'false';
  if (element === 'bytes' && field.startsWith('\\x')) return new Uint8Array(Buffer.from(field.slice(2), 'hex'));
  return field;
}

/**
 * The elements of an array's text form (PostgreSQL manual §8.15.6), without its nulls. Undefined where it has more than one
 * dimension or is not readable.
 */
export function arrayElements(literal: string, delimiter: string): readonly string[] | undefined {
  const body = /^(?:\[-?\d+:-?\d+\]=)?\{([^]*)\}$/.exec(literal)?.[1];
  if (body === undefined) return undefined;
  const elements: string[] = [];
  for (let position = 0; position < body.length; position++) {
    let element = '';
    const quoted = body[position] === '"';
    if (quoted) {
      for (position++; body[position] !== '"'; position++) {
        if (body[position] === '\\') position++;
        if (position >= body.length) return undefined;
        element += body[position];
      }
      position++;
    } else {
      for (; position < body.length && body[position] !== delimiter; position++) {
        if (body[position] === '{' || body[position] === '}' || body[position] === '"') return undefined;
        if (body[position] === '\\') position++;
        element += body[position] ?? '';
      }
      if (element === '') return undefined;
    }
    if (quoted || element.toUpperCase() !== 'NULL') elements.push(element);
    if (position < body.length && body[position] !== delimiter) return undefined;
    if (position === body.length - 1) return undefined;
  }
  return elements;
}
