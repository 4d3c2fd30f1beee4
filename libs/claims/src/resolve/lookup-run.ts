import type { Attributes, AttributeValue } from '../attributes.js';
import { describeDefect } from '../defect.js';
import { notFound, unavailable, type Found, type NotFound, type Outcome } from '../outcome.js';
import type { AskedLookup, Origin, Plan, PlannedLookup } from '../plan/plan.js';
import type { Keeping, LookupQuery } from '../ports/source.js';
import { holds } from '../subject-test.js';
import { certainKey, type Subject, type SubjectProperty } from '../subject.js';
import type { Deadline } from './deadline.js';
import type { LookupAccount, ResolveOptions } from './resolution.js';

/** What a lookup of a request came to: the outcome that counts, and what a claim may use instead if it says so. */
export interface Settled {
  readonly outcome: Outcome;
  /** What a fallback answered while the lookup was unavailable. */
  readonly fallback?: Found | NotFound;
  /** A parameter came from a fallback, so the outcome is degraded as a whole. */
  readonly degraded: boolean;
  readonly account: LookupAccount;
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

type Inputs =
  | { readonly kind: 'ready'; readonly parameters: ReadonlyMap<string, string>; readonly degraded: boolean }
  /** Some are last known values only; `age` is that of the oldest. */
  | { readonly kind: 'lastKnown'; readonly parameters: ReadonlyMap<string, string>; readonly age: number }
  | Outcome;

/** The lookups of one request: independent ones in parallel, dependent ones as soon as their inputs are there. */
export class LookupRun {
  private readonly settled = new Map<string, Promise<Settled>>();

  constructor(
    private readonly plan: Plan,
    private readonly subject: Subject | undefined,
    private readonly deadline: Deadline,
    private readonly options: ResolveOptions,
  ) {}

  /** Every lookup's end, by its alias. Settles by the deadline. */
  async settle(): Promise<ReadonlyMap<string, Settled>> {
    for (const lookup of this.plan.lookups) this.settled.set(lookup.alias, this.lookUp(lookup));
    const ends = await Promise.all(this.settled.values());
    return new Map(this.plan.lookups.map(({ alias }, index) => [alias, ends[index]!]));
  }

  private async lookUp(lookup: PlannedLookup): Promise<Settled> {
    const inputs = needsOthers(lookup)
      ? await this.inputs(lookup)
      : parametersOf(lookup, this.subject, nothing, certainOf(lookup));
    const started = performance.now();
    const { outcome, key } = await this.outcomeOf(lookup, inputs);
    const fallback =
      outcome.kind === 'unavailable' && inputs.kind === 'ready' ? await this.fallback(lookup, inputs.parameters) : undefined;
    const asked = inputs.kind === 'ready' || inputs.kind === 'lastKnown';
    const degraded = inputs.kind === 'ready' && inputs.degraded;
    const account: { -readonly [Key in keyof LookupAccount]: LookupAccount[Key] } = {
      alias: lookup.alias,
      source: lookup.source.name,
      lookup: lookup.lookup,
      outcome: outcome.kind,
      ms: asked ? inTenths(performance.now() - started) : 0,
    };
    if ('reason' in outcome) account.reason = outcome.reason;
    if ('detail' in outcome && outcome.detail !== undefined) account.detail = outcome.detail;
    if (key) account.key = key;
    if ('age' in outcome && outcome.age !== undefined) account.age = outcome.age;
    if ('lastKnown' in outcome && outcome.lastKnown) account.lastKnownAge = outcome.lastKnown.age;
    if (fallback)
      account.fallback = { source: fallback.from.source.name, lookup: fallback.from.lookup, outcome: fallback.outcome.kind };
    if (degraded) account.degraded = true;
    return fallback ? { outcome, account, degraded, fallback: fallback.outcome } : { outcome, account, degraded };
  }

  private outcomeOf(lookup: PlannedLookup, inputs: Inputs): Promise<Answer> {
    if (inputs.kind === 'ready') return this.ask(lookup, lookup, inputs.parameters, this.keeping(lookup));
    return inputs.kind === 'lastKnown' ? this.lastKnown(lookup, inputs) : Promise.resolve({ outcome: inputs });
  }

  private async lastKnown(lookup: PlannedLookup, inputs: Extract<Inputs, { kind: 'lastKnown' }>): Promise<Answer> {
    const { outcome } = await this.ask(lookup, lookup, inputs.parameters, { ...this.keeping(lookup), lastKnownOnly: true });
    const lastKnown = outcome.kind === 'unavailable' ? outcome.lastKnown : undefined;
    const oldest = lastKnown && { attributes: lastKnown.attributes, age: Math.max(lastKnown.age, inputs.age) };
    return { outcome: { ...unavailable('input'), ...(oldest && { lastKnown: oldest }) } };
  }

  /** The first fallback that has an answer. */
  private async fallback(
    lookup: PlannedLookup,
    parameters: ReadonlyMap<string, string>,
  ): Promise<{ readonly from: AskedLookup; readonly outcome: Found | NotFound } | undefined> {
    for (const from of lookup.fallbacks) {
      const { outcome } = await this.ask(from, lookup, parameters, { ...this.keeping(lookup), lastKnown: 0 });
      if (outcome.kind === 'found' || outcome.kind === 'notFound') return { from, outcome };
      if (outcome.kind === 'ambiguous') return undefined;
    }
    return undefined;
  }

  private keeping(lookup: PlannedLookup): Keeping {
    const { noHandOver } = this.options;
    const keeping = { tenant: this.plan.tenant, lastKnown: lookup.keepLastKnown };
    return noHandOver ? { ...keeping, noHandOver } : keeping;
  }

  /** The parameters that the mapping fills, or the outcome where one of them has no usable value. */
  private async inputs(lookup: PlannedLookup): Promise<Inputs> {
    const settled = new Map<string, Settled>();
    for (const origin of lookup.inputs.values())
      if (origin.kind === 'lookup') settled.set(origin.alias, await this.settled.get(origin.alias)!);

    // What is certain decides; only where that is not enough, last known values stand in, to find a last known answer.
    const acceptance = certainOf(lookup);
    const certain = parametersOf(lookup, this.subject, settled, acceptance);
    if (certain.kind !== 'unavailable' || certain.reason !== 'input' || lookup.keepLastKnown === 0) return certain;
    const known = parametersOf(lookup, this.subject, settled, { ...acceptance, stale: lookup.keepLastKnown });
    return known.kind === 'lastKnown' ? known : certain;
  }

  private async ask(
    asked: AskedLookup,
    { projection }: PlannedLookup,
    parameters: ReadonlyMap<string, string>,
    keeping: Keeping,
  ): Promise<Answer> {
    const { description, lookup } = asked;
    if (description.locate.length === 0) return { outcome: await this.fetch(asked, { lookup, parameters, projection, keeping }) };
    if (this.subject === undefined) return { outcome: notFound('noSubject') };

    let answer: Answer = { outcome: notFound('noKey') };
    for (let locateRule = 0; locateRule < description.locate.length; locateRule++) {
      const rule = description.locate[locateRule]!;
      const key = this.subject[rule.key];
      if (key === undefined || !holds(rule.when, this.subject)) continue;
      const query = { lookup, locateRule, parameters: new Map([['value', key]]), projection, keeping };
      answer = { outcome: await this.fetch(asked, query), key: rule.key };
      // Whom the lookup leaves out is there: a weaker key must not find somebody else instead.
      if (answer.outcome.kind !== 'notFound' || answer.outcome.reason === 'excluded' || !rule.fallThrough) return answer;
    }
    return answer;
  }

  private fetch({ source }: AskedLookup, query: LookupQuery): Promise<Outcome> {
    try {
      return this.deadline.race(source.fetch(query, this.deadline.signal), unavailable('deadline'), defective);
    } catch (error) {
      return Promise.resolve(defective(error));
    }
  }
}

/** A source that throws is a defect of its connector. */
const defective = (error: unknown): Outcome => unavailable('internal', describeDefect(error));

const nothing: ReadonlyMap<string, Settled> = new Map();

/** Whether a parameter of the lookup comes from another lookup. */
function needsOthers({ inputs }: PlannedLookup): boolean {
  for (const { kind } of inputs.values()) if (kind === 'lookup') return true;
  return false;
}

const certainOf = ({ acceptDegraded }: PlannedLookup): Acceptance => ({ stale: 0, degraded: acceptDegraded });

const inTenths = (milliseconds: number): number => Math.round(milliseconds * 10) / 10;

interface Answer {
  readonly outcome: Outcome;
  readonly key?: SubjectProperty;
}

function parametersOf(
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
