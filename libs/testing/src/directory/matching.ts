import type { Entry, StoredAttribute } from './entry.js';
import type { Comparison, Extensible, Filter, Substrings } from './filter.js';
import type { PrepareText } from './prepared-text.js';
import { matchingKey, syntaxOf, type Syntax } from './syntax.js';

/** Undefined: neither true nor false, as with an attribute that the directory does not know (RFC 4511 §4.5.1.7). */
export type Verdict = boolean | undefined;

/** What matching asks of the directory. */
export interface Surroundings {
  /** False also for what must not be compared. */
  isKnown(attribute: string): boolean;
  entryByKey(key: string): Entry | undefined;
  /** How texts are prepared before they are compared. */
  readonly prepare: PrepareText;
}

type Matcher = (entry: Entry) => Verdict;

const undefinedMatch: Matcher = () => undefined;

/** Rules of Active Directory ([MS-ADTS] §3.1.1.3.4.4). */
const bitAnd = '1.2.840.113556.1.4.803';
const bitOr = '1.2.840.113556.1.4.804';
const inChain = '1.2.840.113556.1.4.1941';

/** Prepares a filter for many entries: assertion values are read once. */
export function compileFilter(filter: Filter, surroundings: Surroundings): Matcher {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const matchers = filter.filters.map((inner) => compileFilter(inner, surroundings));
      return filter.kind === 'and' ? (entry) => every(matchers, entry) : (entry) => some(matchers, entry);
    }
    case 'not': {
      const matcher = compileFilter(filter.filter, surroundings);
      return (entry) => negated(matcher(entry));
    }
    case 'present':
      return onAttribute(filter.attribute, surroundings, () => true);
    case 'substrings':
      return substrings(filter, surroundings);
    case 'extensible':
      return extensible(filter, surroundings);
    default:
      return comparison(filter.kind, filter.attribute, filter.value, surroundings);
  }
}

const negated = (verdict: Verdict): Verdict => (verdict === undefined ? undefined : !verdict);

function every(matchers: readonly Matcher[], entry: Entry): Verdict {
  let result: Verdict = true;
  for (const matcher of matchers) {
    const verdict = matcher(entry);
    if (verdict === false) return false;
    if (verdict === undefined) result = undefined;
  }
  return result;
}

function some(matchers: readonly Matcher[], entry: Entry): Verdict {
  return negated(
    every(
      matchers.map((matcher) => (inner: Entry) => negated(matcher(inner))),
      entry,
    ),
  );
}

/** Asks `test` where the entry has the attribute; false where only others have it, undefined where nobody has or may know. */
function onAttribute(attribute: string, { isKnown }: Surroundings, test: (stored: StoredAttribute) => Verdict): Matcher {
  const name = attribute.toLowerCase();
  if (!isKnown(name)) return undefinedMatch;
  return ({ attributes }) => {
    const stored = attributes.get(name);
    return stored === undefined ? false : test(stored);
  };
}

function comparison(kind: Comparison, attribute: string, value: Uint8Array, surroundings: Surroundings): Matcher {
  const syntax = syntaxOf(attribute);
  const asserted = matchingKey(syntax, value, surroundings.prepare);
  if (asserted === undefined) return undefinedMatch;
  if (kind === 'equality' || kind === 'approximate') {
    return onAttribute(attribute, surroundings, ({ keys }) => keys.includes(asserted));
  }
  if (syntax === 'name' || syntax === 'octets' || syntax === 'sid') return undefinedMatch;
  const wanted = kind === 'greaterOrEqual' ? [0, 1] : [0, -1];
  return onAttribute(attribute, surroundings, ({ keys }) =>
    keys.some((key) => key !== undefined && wanted.includes(order(syntax, key, asserted))),
  );
}

/** Numbers by value, texts by their bytes, whatever they look like (caseIgnoreOrderingMatch, RFC 4517 §4.2.12). */
function order(syntax: Syntax, left: string, right: string): number {
  if (syntax !== 'integer') return Buffer.compare(Buffer.from(left), Buffer.from(right));
  const [a, b] = [BigInt(left), BigInt(right)];
  return a < b ? -1 : a > b ? 1 : 0;
}

const decode = (part: Uint8Array): string => new TextDecoder().decode(part).normalize('NFKC').toLowerCase();

function substrings({ attribute, initial, any, final }: Substrings, surroundings: Surroundings): Matcher {
  if (syntaxOf(attribute) !== 'text') return undefinedMatch;
  const [start, end] = [initial, final].map((part) => (part === undefined ? '' : decode(part)));
  const middle = any.map(decode);
  const holds = (key: string): boolean => {
    if (!key.startsWith(start!) || !key.endsWith(end!) || key.length < start!.length + end!.length) return false;
    let rest = key.slice(start!.length, key.length - end!.length);
    for (const part of middle) {
      const at = rest.indexOf(part);
      if (at < 0) return false;
      rest = rest.slice(at + part.length);
    }
    return true;
  };
  return onAttribute(attribute, surroundings, ({ keys }) => keys.some((key) => key !== undefined && holds(key)));
}

/** `dnAttributes` is ignored, as Active Directory does. */
function extensible({ rule, attribute, value }: Extensible, surroundings: Surroundings): Matcher {
  if (attribute === undefined) return undefinedMatch;
  switch (rule) {
    case undefined:
      return comparison('equality', attribute, value, surroundings);
    case bitAnd:
    case bitOr:
      return bits(rule, attribute, value, surroundings);
    case inChain:
      return chain(attribute, value, surroundings);
    default:
      return undefinedMatch;
  }
}

function bits(rule: string, attribute: string, value: Uint8Array, surroundings: Surroundings): Matcher {
  const asserted = matchingKey('integer', value);
  if (asserted === undefined || syntaxOf(attribute) !== 'integer') return undefinedMatch;
  const mask = BigInt(asserted);
  const holds = (key: string): boolean => (rule === bitAnd ? (BigInt(key) & mask) === mask : (BigInt(key) & mask) !== 0n);
  return onAttribute(attribute, surroundings, ({ keys }) => keys.some((key) => key !== undefined && holds(key)));
}

/** Whether the asserted name is reached by following the attribute from entry to entry. */
function chain(attribute: string, value: Uint8Array, surroundings: Surroundings): Matcher {
  const target = matchingKey('name', value);
  if (target === undefined || syntaxOf(attribute) !== 'name') return undefinedMatch;
  const name = attribute.toLowerCase();
  return onAttribute(attribute, surroundings, ({ keys }) => {
    const seen = new Set(keys);
    for (const key of seen) {
      if (key === target) return true;
      const next = key === undefined ? undefined : surroundings.entryByKey(key);
      for (const further of next?.attributes.get(name)?.keys ?? []) seen.add(further);
    }
    return false;
  });
}
