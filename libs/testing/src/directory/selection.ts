import type { Entry } from './entry.js';
import type { LdifAttribute } from './ldif.js';
import { isSecret } from './syntax.js';

export type SelectedAttribute = readonly [name: string, values: readonly Uint8Array[]];

export interface SelectionOptions {
  readonly typesOnly: boolean;
  /** How many values of one attribute go out at once, as Active Directory's MaxValRange. */
  readonly valueRange: number;
}

const range = /^([^;]+);range=(\d{1,9})-(\*|\d{1,9})$/i;

/**
 * The attributes of an entry that a search asks for (RFC 4511 §4.5.1.8), in the server's own spelling. One with more values than
 * `valueRange` is answered in Active Directory's way: the plain name without values, and the first values as `name;range=0-1499`;
 * the client asks for the rest by `name;range=1500-*` ([MS-ADTS] §3.1.1.3.1.3.3).
 */
export function selectAttributes(
  entry: Entry,
  requested: readonly string[],
  options: SelectionOptions,
): readonly SelectedAttribute[] {
  const readable = [...entry.attributes.values()].filter(({ name }) => !isSecret(name));
  const all = requested.length === 0 || requested.includes('*');
  const wanted = new Set(requested.map((name) => name.toLowerCase()));
  const whole = readable.filter(({ name }) => all || wanted.has(name.toLowerCase()));
  const parts = requested.flatMap((name) => {
    const [, base, from, to] = range.exec(name) ?? [];
    const attribute = readable.find((candidate) => candidate.name.toLowerCase() === base?.toLowerCase());
    return attribute ? part(attribute, Number(from), to === '*' ? Infinity : Number(to), options.valueRange) : [];
  });
  const selected = [...whole.flatMap((attribute) => inRange(attribute, options.valueRange)), ...parts];
  return options.typesOnly ? selected.map(([name]) => [name, []] as const) : selected;
}

function inRange(attribute: LdifAttribute, limit: number): readonly SelectedAttribute[] {
  const { name, values } = attribute;
  return values.length <= limit ? [[name, values]] : [[name, []], ...part(attribute, 0, Infinity, limit)];
}

function part({ name, values }: LdifAttribute, from: number, to: number, limit: number): readonly SelectedAttribute[] {
  const end = Math.min(to + 1, from + limit, values.length);
  if (from >= end) return [];
  return [[`${name};range=${from}-${end === values.length ? '*' : end - 1}`, values.slice(from, end)]];
}
