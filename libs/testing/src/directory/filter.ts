import { BerError, BerReader, textOf } from './ber.js';

/** A search filter (RFC 4511 §4.5.1.7). Assertion values are bytes: what they mean depends on the attribute. */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly filters: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter }
  | { readonly kind: Comparison; readonly attribute: string; readonly value: Uint8Array }
  | { readonly kind: 'present'; readonly attribute: string }
  | Substrings
  | Extensible;

export type Comparison = 'equality' | 'greaterOrEqual' | 'lessOrEqual' | 'approximate';

export interface Substrings {
  readonly kind: 'substrings';
  readonly attribute: string;
  readonly initial?: Uint8Array;
  readonly any: readonly Uint8Array[];
  readonly final?: Uint8Array;
}

export interface Extensible {
  readonly kind: 'extensible';
  readonly rule?: string;
  readonly attribute?: string;
  readonly value: Uint8Array;
  readonly dnAttributes: boolean;
}

/** Context-specific tags of the Filter CHOICE. */
export const filterTags = {
  and: 0xa0,
  or: 0xa1,
  not: 0xa2,
  equality: 0xa3,
  substrings: 0xa4,
  greaterOrEqual: 0xa5,
  lessOrEqual: 0xa6,
  present: 0x87,
  approximate: 0xa8,
  extensible: 0xa9,
} as const;

const comparisons: ReadonlyMap<number, Comparison> = new Map(
  (['equality', 'greaterOrEqual', 'lessOrEqual', 'approximate'] as const).map((kind) => [filterTags[kind], kind]),
);

const deepest = 100;

/** Reads the next element as a filter. Throws a BerError where it is none, or nested more than 100 deep. */
export function readFilter(reader: BerReader, depth = 0): Filter {
  if (depth > deepest) throw new BerError('a filter is nested too deeply');
  const { tag, content } = reader.element();
  const inside = new BerReader(content);
  const comparison = comparisons.get(tag);
  if (comparison) return { kind: comparison, attribute: inside.text(), value: inside.octets() };
  switch (tag) {
    case filterTags.and:
    case filterTags.or: {
      const filters: Filter[] = [];
      while (!inside.done) filters.push(readFilter(inside, depth + 1));
      return { kind: tag === filterTags.and ? 'and' : 'or', filters };
    }
    case filterTags.not:
      return { kind: 'not', filter: readFilter(inside, depth + 1) };
    case filterTags.present:
      return { kind: 'present', attribute: textOf(content) };
    case filterTags.substrings:
      return readSubstrings(inside);
    case filterTags.extensible:
      return readExtensible(inside);
    default:
      throw new BerError('a filter has an unknown kind');
  }
}

function readSubstrings(reader: BerReader): Substrings {
  const attribute = reader.text();
  const parts = reader.inside();
  const any: Uint8Array[] = [];
  const initial = parts.next === 0x80 ? parts.octets(0x80) : undefined;
  while (parts.next === 0x81) any.push(parts.octets(0x81));
  const final = parts.next === 0x82 ? parts.octets(0x82) : undefined;
  if (!parts.done) throw new BerError('a substring filter has its parts out of order');
  if (initial === undefined && final === undefined && any.length === 0) throw new BerError('a substring filter has no parts');
  return { kind: 'substrings', attribute, any, ...(initial && { initial }), ...(final && { final }) };
}

function readExtensible(reader: BerReader): Extensible {
  const rule = reader.next === 0x81 ? reader.text(0x81) : undefined;
  const attribute = reader.next === 0x82 ? reader.text(0x82) : undefined;
  const value = reader.octets(0x83);
  const dnAttributes = reader.next === 0x84 ? reader.boolean(0x84) : false;
  return {
    kind: 'extensible',
    value,
    dnAttributes,
    ...(rule !== undefined && { rule }),
    ...(attribute !== undefined && { attribute }),
  };
}
