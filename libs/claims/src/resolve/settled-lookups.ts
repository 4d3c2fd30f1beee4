import type { Attributes, AttributeValue } from '../attributes.js';
import { notFound, unavailable, type Found, type NotFound, type Outcome } from '../outcome.js';
import type { Origin, PlannedLookup } from '../plan/plan.js';
import { certainKey, type Subject } from '../subject.js';
import type { LookupAccount } from './resolution.js';

/** What a lookup of a request came to: the outcome that counts, and what a claim may use instead if it says so. */
export interface Settled {
  readonly outcome: Outcome;
  /** What a fallback answered while the lookup was unavailable. */
  readonly fallback?: Found | NotFound;
  /** A parameter came from a fallback, so the outcome is degraded as a whole. */
  readonly degraded: boolean;
  readonly account: LookupAccount;
  /** What was asked by, with its values: for who may see them, and for no log. */
  readonly asked?: Readonly<Record<string, string>>;
}

/** A value on its way to a claim or to a parameter. */
export type Value =
  | {
      readonly kind: 'values';
      readonly values: readonly AttributeValue[];
      readonly by?: 'stale' | 'degraded';
      readonly age?: number;
    }
  | { readonly kind: 'missing'; readonly by?: 'stale' | 'degraded'; readonly age?: number }
  | { readonly kind: 'unavailable' };

/** What a reader takes besides the source's own answer. */
export interface Acceptance {
  /** How old a last known value may be, in milliseconds; 0: none. */
  readonly stale: number;
  readonly degraded: boolean;
}

/** The parameters of a lookup, or the outcome where one of them has no usable value. */
export type Inputs =
  | { readonly kind: 'ready'; readonly parameters: ReadonlyMap<string, string>; readonly degraded: boolean }
  /** Some are last known values only; `age` is that of the oldest. */
  | { readonly kind: 'lastKnown'; readonly parameters: ReadonlyMap<string, string>; readonly age: number }
  | Outcome;

/** The parameters that the mapping fills, from the answers that count or from what the lookup accepts instead. */
export function parametersOf(
  { inputs }: PlannedLookup,
  subject: Subject | undefined,
  settled: ReadonlyMap<string, Settled>,
  acceptance: Acceptance,
): Inputs {
  const parameters = new Map<string, string>();
  let absent: Outcome | undefined;
  let degraded = false;
  let age: number | undefined;
  for (const [parameter, origin] of inputs) {
    const value = keyOf(origin, subject, settled, acceptance);
    if (value.kind === 'unavailable') return unavailable('input');
    if (value.by === 'degraded') degraded = true;
    if (value.by === 'stale') age = Math.max(age ?? 0, value.age!);
    if (value.kind === 'missing') {
      absent ??= notFound(origin.kind === 'subject' && subject === undefined ? 'noSubject' : 'noKey');
      continue;
    }
    const [text] = value.values;
    if (value.values.length !== 1 || typeof text !== 'string') return unavailable('input', `${parameter} is not one text`);
    parameters.set(parameter, text);
  }
  if (absent) return age === undefined && !degraded ? absent : unavailable('input');
  return age === undefined ? { kind: 'ready', parameters, degraded } : { kind: 'lastKnown', parameters, age };
}

/** As `valueOf`, where the value is to find somebody. */
function keyOf(...[origin, subject, settled, acceptance]: Parameters<typeof valueOf>): Value {
  const uncertain = origin.kind === 'subject' && subject && certainKey(subject, origin.property) === undefined;
  return uncertain ? { kind: 'missing' } : valueOf(origin, subject, settled, acceptance);
}

/** The value behind a reference, from the answer that counts or from what the reader accepts instead. */
export function valueOf(
  origin: Origin,
  subject: Subject | undefined,
  settled: ReadonlyMap<string, Settled>,
  acceptance: Acceptance,
): Value {
  if (origin.kind === 'subject') {
    const text = subject?.[origin.property];
    return text === undefined ? { kind: 'missing' } : { kind: 'values', values: [text] };
  }
  const { outcome, fallback, degraded } = settled.get(origin.alias)!;
  if (outcome.kind === 'ambiguous') return { kind: 'unavailable' };
  if (outcome.kind !== 'unavailable') {
    if (!degraded) return valueIn(outcome, origin.attribute);
    return acceptance.degraded ? { ...valueIn(outcome, origin.attribute), by: 'degraded' } : { kind: 'unavailable' };
  }
  if (fallback && acceptance.degraded) return { ...valueIn(fallback, origin.attribute), by: 'degraded' };
  const { lastKnown } = outcome;
  if (!lastKnown || lastKnown.age > acceptance.stale || (degraded && !acceptance.degraded)) return { kind: 'unavailable' };
  return { ...present(lastKnown.attributes, origin.attribute), by: 'stale', age: lastKnown.age };
}

type KnownValue = Exclude<Value, { kind: 'unavailable' }>;

function valueIn(outcome: Found | NotFound, attribute: string): KnownValue {
  return outcome.kind === 'found' ? present(outcome.attributes, attribute) : { kind: 'missing' };
}

/** Empty texts are no values: Entra's treatment of them is undocumented. */
function present(attributes: Attributes, name: string): KnownValue {
  const all = attributes.get(name);
  const values = all.every(isNotEmpty) ? all : all.filter(isNotEmpty);
  return values.length === 0 ? { kind: 'missing' } : { kind: 'values', values };
}

const isNotEmpty = (value: AttributeValue): boolean => value.length > 0;
