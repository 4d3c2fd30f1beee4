import type { Attributes, AttributeValue } from '../attributes.js';
import { notFound, unavailable, type Outcome } from '../outcome.js';
import type { ClaimValue, Origin, Plan, PlannedClaim, PlannedLookup, Policy } from '../plan/plan.js';
import { NotTransformable } from '../plan/transforms.js';
import type { LookupQuery } from '../ports/source.js';
import type { Subject } from '../subject.js';
import type { Deadline } from './deadline.js';
import { limitClaims } from './limit.js';

/** What became of one lookup of a request. Names and times only, no values. */
export interface LookupAccount {
  readonly alias: string;
  readonly source: string;
  readonly lookup: string;
  readonly outcome: Outcome['kind'];
  /** The outcome's reason, where it has one. */
  readonly reason?: string;
  /** For the operator's log: never a value of a person. */
  readonly detail?: string;
  /** From the moment its inputs were there; 0 where nothing was asked. */
  readonly ms: number;
}

/** A claim that the answer lacks or has by default, and why. */
export interface ClaimDeviation {
  readonly claim: string;
  readonly why: 'unavailable' | 'missing' | 'tooLarge';
  readonly treatment: 'omitted' | 'defaulted';
}

export type FailureCode =
  /** a claim whose policy says fail had no answer from its source */
  | 'claims.unavailable'
  /** a claim whose policy says fail had no value */
  | 'claims.missing'
  /** names and values exceed Entra's limit, and dropping what may be dropped did not suffice */
  | 'claims.tooLarge';

export type Resolution = {
  readonly lookups: readonly LookupAccount[];
  readonly deviations: readonly ClaimDeviation[];
} & (
  | { readonly kind: 'resolved'; readonly claims: ReadonlyMap<string, ClaimValue> }
  /** `claims` names the claims that made it fail; empty where the whole answer is too large. */
  | { readonly kind: 'failed'; readonly code: FailureCode; readonly claims: readonly string[] }
);

/** A value on its way to a claim or to a parameter. */
type Value =
  | { readonly kind: 'values'; readonly values: readonly AttributeValue[] }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unavailable' };

/**
 * Runs a plan for one sign-in: independent lookups in parallel, dependent ones as soon as their inputs are there, all of it within
 * the deadline; then transforms, policies and the size limit. Never throws for what sources do.
 *
 * Unavailability is contagious: a lookup or claim with an input that is unavailable or ambiguous is itself unavailable.
 *
 * @param subject undefined where the event has no user
 */
export async function resolveClaims(plan: Plan, subject: Subject | undefined, deadline: Deadline): Promise<Resolution> {
  const run = new Run(subject, deadline);
  for (const lookup of plan.lookups) run.start(lookup);
  const accounts = await Promise.all(plan.lookups.map((lookup) => run.account(lookup.alias)));
  const outcomes = new Map(accounts.map(({ account, outcome }) => [account.alias, outcome]));
  return { lookups: accounts.map(({ account }) => account), ...project(plan, subject, outcomes) };
}

type Settled = { readonly outcome: Outcome; readonly account: LookupAccount };

class Run {
  private readonly settled = new Map<string, Promise<Settled>>();

  constructor(
    private readonly subject: Subject | undefined,
    private readonly deadline: Deadline,
  ) {}

  /** Lookups are started in dependency order, so the inputs of each are under way already. */
  start(lookup: PlannedLookup): void {
    this.settled.set(lookup.alias, this.lookUp(lookup));
  }

  account(alias: string): Promise<Settled> {
    return this.settled.get(alias)!;
  }

  private async lookUp(lookup: PlannedLookup): Promise<Settled> {
    const inputs = await this.inputs(lookup);
    const started = performance.now();
    const asked = inputs.kind === 'ready';
    const outcome = asked ? await this.ask(lookup, inputs.parameters) : inputs;
    const account: LookupAccount = {
      alias: lookup.alias,
      source: lookup.source.name,
      lookup: lookup.lookup,
      outcome: outcome.kind,
      ...('reason' in outcome && { reason: outcome.reason }),
      ...('detail' in outcome && { detail: outcome.detail }),
      ms: asked ? performance.now() - started : 0,
    };
    return { outcome, account };
  }

  /** The parameters that the mapping fills, or the outcome where one of them has no usable value. */
  private async inputs(
    lookup: PlannedLookup,
  ): Promise<{ readonly kind: 'ready'; readonly parameters: ReadonlyMap<string, string> } | Outcome> {
    const outcomes = new Map<string, Outcome>();
    for (const origin of lookup.inputs.values())
      if (origin.kind === 'lookup') outcomes.set(origin.alias, (await this.account(origin.alias)).outcome);

    const parameters = new Map<string, string>();
    let absent: Outcome | undefined;
    for (const [parameter, origin] of lookup.inputs) {
      const value = valueOf(origin, this.subject, outcomes);
      if (value.kind === 'unavailable') return unavailable('input');
      if (value.kind === 'missing') {
        absent ??= notFound(origin.kind === 'subject' && this.subject === undefined ? 'noSubject' : 'noKey');
        continue;
      }
      const [text] = value.values;
      if (value.values.length !== 1 || typeof text !== 'string') return unavailable('input', `${parameter} is not one text`);
      parameters.set(parameter, text);
    }
    return absent ?? { kind: 'ready', parameters };
  }

  private async ask(lookup: PlannedLookup, parameters: ReadonlyMap<string, string>): Promise<Outcome> {
    const { description, projection, lookup: name } = lookup;
    if (description.locate.length === 0) return this.fetch(lookup, { lookup: name, parameters, projection });
    if (this.subject === undefined) return notFound('noSubject');

    let outcome: Outcome = notFound('noKey');
    for (const [locateRule, rule] of description.locate.entries()) {
      const key = this.subject[rule.key];
      if (key === undefined || !holds(rule.when, this.subject)) continue;
      outcome = await this.fetch(lookup, { lookup: name, locateRule, parameters: new Map([['value', key]]), projection });
      if (outcome.kind !== 'notFound' || !rule.fallThrough) return outcome;
    }
    return outcome;
  }

  private async fetch(lookup: PlannedLookup, query: LookupQuery): Promise<Outcome> {
    try {
      return await this.deadline.race(lookup.source.fetch(query, this.deadline.signal), unavailable('deadline'));
    } catch (error) {
      return unavailable('internal', error instanceof Error ? `${error.name}: ${error.message}` : 'not an Error');
    }
  }
}

function holds(when: Subject, subject: Subject): boolean {
  return Object.entries(when).every(
    ([property, text]) => subject[property as keyof Subject]?.toLowerCase() === text.toLowerCase(),
  );
}

function valueOf(origin: Origin, subject: Subject | undefined, outcomes: ReadonlyMap<string, Outcome>): Value {
  if (origin.kind === 'subject') {
    const text = subject?.[origin.property];
    return text === undefined ? { kind: 'missing' } : { kind: 'values', values: [text] };
  }
  const outcome = outcomes.get(origin.alias)!;
  switch (outcome.kind) {
    case 'found':
      return present(outcome.attributes, origin.attribute);
    case 'notFound':
      return { kind: 'missing' };
    case 'ambiguous':
    case 'unavailable':
      return { kind: 'unavailable' };
  }
}

/** Empty texts are no values: Entra's treatment of them is undocumented. */
function present(attributes: Attributes, name: string): Value {
  const values = attributes.get(name).filter((value) => value.length > 0);
  return values.length === 0 ? { kind: 'missing' } : { kind: 'values', values };
}

type Projection =
  | { kind: 'resolved'; claims: ReadonlyMap<string, ClaimValue>; deviations: readonly ClaimDeviation[] }
  | { kind: 'failed'; code: FailureCode; claims: readonly string[]; deviations: readonly ClaimDeviation[] };

function project(plan: Plan, subject: Subject | undefined, outcomes: ReadonlyMap<string, Outcome>): Projection {
  const claims = new Map<string, ClaimValue>();
  const deviations: ClaimDeviation[] = [];
  const failed = { unavailable: [] as string[], missing: [] as string[] };

  for (const claim of plan.claims) {
    const result = evaluate(claim, subject, outcomes);
    if (result.kind === 'value') {
      claims.set(claim.name, result.value);
      continue;
    }
    const policy: Policy = result.kind === 'unavailable' ? claim.whenUnavailable : claim.whenMissing;
    if (policy === 'fail') failed[result.kind].push(claim.name);
    else if (policy === 'omit') deviations.push({ claim: claim.name, why: result.kind, treatment: 'omitted' });
    else {
      claims.set(claim.name, policy.default);
      deviations.push({ claim: claim.name, why: result.kind, treatment: 'defaulted' });
    }
  }

  for (const why of ['unavailable', 'missing'] as const)
    if (failed[why].length > 0) return { kind: 'failed', code: `claims.${why}`, claims: failed[why], deviations };

  const limited = limitClaims(claims, plan.droppable);
  if (limited.kind === 'tooLarge') return { kind: 'failed', code: 'claims.tooLarge', claims: [], deviations };
  for (const claim of limited.dropped) deviations.push({ claim, why: 'tooLarge', treatment: 'omitted' });
  return { kind: 'resolved', claims: limited.claims, deviations };
}

type Evaluated =
  | { readonly kind: 'value'; readonly value: ClaimValue }
  | { readonly kind: 'missing' }
  /** The source is unavailable, or it gave what a text claim cannot hold: several values, or bytes. */
  | { readonly kind: 'unavailable' };

function evaluate(claim: PlannedClaim, subject: Subject | undefined, outcomes: ReadonlyMap<string, Outcome>): Evaluated {
  const origin: Value =
    claim.from.kind === 'constant' ? { kind: 'values', values: claim.from.values } : valueOf(claim.from, subject, outcomes);
  if (origin.kind !== 'values') return origin;
  try {
    const transformed = claim.transforms.reduce((values, transform) => transform.apply(values), origin.values);
    const texts: string[] = [];
    for (const value of transformed) {
      if (typeof value !== 'string') return { kind: 'unavailable' };
      if (value !== '') texts.push(value);
    }
    const [first, ...others] = texts;
    if (first === undefined) return { kind: 'missing' };
    if (claim.list) return { kind: 'value', value: texts };
    return others.length > 0 ? { kind: 'unavailable' } : { kind: 'value', value: first };
  } catch (error) {
    if (error instanceof NotTransformable) return { kind: 'unavailable' };
    throw error;
  }
}
