import {
  claimSetDocument,
  configurationIssues,
  identifyDocument,
  mappingDocument,
  type ClaimSetDocument,
  type ConfigurationIssue,
  type MappingDocument,
} from '../mapping/mapping-document.js';
import { durationText } from '../duration.js';
import { canonicalJson } from '../canonical-json.js';

/** What a difference is about. `mapping` and `claimSet` are the document itself: its name, its overflow rule. */
export type DifferenceKind =
  | 'mapping'
  | 'claimSet'
  | 'application'
  | 'client'
  | 'extension'
  | 'include'
  | 'lookup'
  | 'claim'
  | 'test';

/** A part of a thing that changed, such as a claim's `transform`; a side is absent where it does not have the part. */
export interface PartDifference {
  readonly part: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

export interface Difference {
  readonly kind: DifferenceKind;
  /** The claim's, lookup's or test's name, or the application's id; for `mapping` the mapping's name. */
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Each part that differs; of what was added or removed, each part that it has. */
  readonly parts: readonly PartDifference[];
}

export type MappingDiff =
  /** Empty: they mean the same, however they are written. */
  | { readonly kind: 'compared'; readonly differences: readonly Difference[] }
  /** One of them cannot be read as a mapping. */
  | { readonly kind: 'unreadable'; readonly side: 'before' | 'after'; readonly issues: readonly ConfigurationIssue[] };

/**
 * What changes from one mapping document to another, by claim, lookup, application and test. It compares what the documents mean:
 * the order of keys, of applications and of claims, the spelling of ids and durations, and defaults that are written out make no
 * difference; the order of transforms, of a list's values and of claims to drop does.
 *
 * @param before undefined: there was none
 * @param after undefined: there is none any more
 */
export function diffMappings(before: unknown, after: unknown): MappingDiff {
  const old = partsOf(before);
  if (old.kind === 'unreadable') return { ...old, side: 'before' };
  const present = partsOf(after);
  if (present.kind === 'unreadable') return { ...present, side: 'after' };
  const keys = new Set([...old.things.keys(), ...present.things.keys()]);
  const differences = [...keys].flatMap((key) => differenceOf(old.things.get(key), present.things.get(key)));
  return { kind: 'compared', differences: differences.toSorted(inReadingOrder) };
}

interface Thing {
  readonly kind: DifferenceKind;
  readonly name: string;
  readonly parts: Readonly<Record<string, unknown>>;
}

type Things =
  | { readonly kind: 'things'; readonly things: ReadonlyMap<string, Thing> }
  | { readonly kind: 'unreadable'; readonly issues: readonly ConfigurationIssue[] };

function partsOf(input: unknown): Things {
  if (input === undefined) return { kind: 'things', things: new Map() };
  const parsed = (identifyDocument(input).kind === 'claimSet' ? claimSetDocument : mappingDocument).safeParse(input);
  if (!parsed.success) return { kind: 'unreadable', issues: configurationIssues(parsed.error) };
  return { kind: 'things', things: new Map(thingsOf(parsed.data).map((thing) => [`${thing.kind}\n${thing.name}`, thing])) };
}

function thingsOf(document: MappingDocument | ClaimSetDocument): readonly Thing[] {
  const { tenant, lookups, claims, tests } = document;
  const plain = (kind: DifferenceKind, names: readonly string[]): readonly Thing[] =>
    names.map((each) => ({ kind, name: each, parts: {} }));
  const named = (kind: DifferenceKind, table: Readonly<Record<string, object>>): readonly Thing[] =>
    Object.entries(table).map(([each, parts]) => ({ kind, name: each, parts: { ...parts } }));
  return [
    ...('claimSet' in document
      ? [{ kind: 'claimSet' as const, name: document.claimSet, parts: { tenant } }]
      : [
          { kind: 'mapping' as const, name: document.name, parts: { tenant, overflow: document.overflow } },
          ...plain('application', document.applications),
          ...plain('client', document.clients ?? []),
          ...plain('extension', document.extensions ?? []),
          ...plain('include', document.include),
        ]),
    ...named('lookup', mapped(lookups, writtenLookup)),
    ...named('claim', mapped(claims, writtenClaim)),
    ...tests.map(({ name, ...test }) => ({ kind: 'test' as const, name, parts: writtenTest(test) })),
  ];
}

function mapped<Part>(table: Readonly<Record<string, Part>>, write: (part: Part) => object): Readonly<Record<string, object>> {
  return Object.fromEntries(Object.entries(table).map(([name, part]) => [name, write(part)]));
}

// As a document writes them: durations in words, answers of sources as they are given.

function writtenLookup({ keepLastKnown, ...lookup }: MappingDocument['lookups'][string]): object {
  return { ...lookup, ...(keepLastKnown !== undefined && { keepLastKnown: durationText(keepLastKnown) }) };
}

function writtenClaim({ whenUnavailable, ...claim }: MappingDocument['claims'][string]): object {
  const isStale = typeof whenUnavailable === 'object' && 'stale' in whenUnavailable;
  return {
    ...claim,
    whenUnavailable: isStale ? { ...whenUnavailable, stale: durationText(whenUnavailable.stale) } : whenUnavailable,
  };
}

function writtenTest({ given, ...test }: Omit<MappingDocument['tests'][number], 'name'>): Readonly<Record<string, unknown>> {
  const written = Object.entries(given).map(([alias, outcome]) => {
    if (typeof outcome === 'string') return [alias, outcome];
    if (outcome.kind === 'found') return [alias, outcome.attributes];
    const { kind: _kind, age, ...instead } = outcome;
    return [alias, { ...instead, ...(age !== undefined && { age: durationText(age) }) }];
  });
  return { ...test, given: Object.fromEntries(written) };
}

function differenceOf(before: Thing | undefined, after: Thing | undefined): readonly Difference[] {
  const { kind, name } = (after ?? before)!;
  const names = new Set([...Object.keys(before?.parts ?? {}), ...Object.keys(after?.parts ?? {})]);
  const parts = [...names].flatMap((part): PartDifference[] => {
    const [old, present] = [before?.parts[part], after?.parts[part]];
    if (canonicalJson(old) === canonicalJson(present)) return [];
    return [{ part, ...(old !== undefined && { before: old }), ...(present !== undefined && { after: present }) }];
  });
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  return change === 'changed' && parts.length === 0 ? [] : [{ kind, name, change, parts }];
}

const readingOrder: readonly DifferenceKind[] = [
  'mapping',
  'claimSet',
  'application',
  'client',
  'extension',
  'include',
  'lookup',
  'claim',
  'test',
];

function inReadingOrder(left: Difference, right: Difference): number {
  return readingOrder.indexOf(left.kind) - readingOrder.indexOf(right.kind);
}
