import { describeDefect } from '../defect.js';
import { notFound, unavailable, type Found, type NotFound, type Outcome, type Unavailable } from '../outcome.js';
import type { AskedLookup, Plan, PlannedLookup } from '../plan/plan.js';
import type { Keeping, LookupQuery } from '../ports/source.js';
import { holds } from '../subject-test.js';
import type { Subject, SubjectProperty } from '../subject.js';
import type { Deadline } from './deadline.js';
import type { LookupAccount, ResolveOptions } from './resolution.js';
import { parametersOf, type Acceptance, type Inputs, type Settled } from './settled-lookups.js';

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
    const answer = this.outcomeOf(lookup, inputs);
    const standIn = inputs.kind === 'ready' && lookup.fallbacks.length > 0 && this.standIn(lookup, inputs.parameters, answer);
    const { outcome, key } = await answer;
    const fallback = standIn && outcome.kind === 'unavailable' ? await standIn : undefined;
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
    const settled: Settled = fallback
      ? { outcome, account, degraded, fallback: fallback.outcome }
      : { outcome, account, degraded };
    return this.options.explain === 'values' ? { ...settled, ...this.asked(key, inputs) } : settled;
  }

  private asked(key: SubjectProperty | undefined, inputs: Inputs): Pick<Settled, 'asked'> {
    if (key) return { asked: { [key]: this.subject![key]! } };
    const isAsked = (inputs.kind === 'ready' || inputs.kind === 'lastKnown') && inputs.parameters.size > 0;
    return isAsked ? { asked: Object.fromEntries(inputs.parameters) } : {};
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

  /** What a fallback answers, asked as soon as the lookup is unavailable, or when there will soon be no time left to ask it. */
  private async standIn(
    lookup: PlannedLookup,
    parameters: ReadonlyMap<string, string>,
    answer: Promise<Answer>,
  ): ReturnType<LookupRun['fallback']> {
    const settled = answer.then(({ outcome }) => outcome.kind);
    const before = await Promise.race([settled, this.deadline.raceUntilLeft(timeOfFallbacks, settled)]);
    if (before !== undefined && before !== 'unavailable') return undefined;
    const enough = new AbortController();
    void settled.then((kind) => kind !== 'unavailable' && enough.abort());
    return this.fallback(lookup, parameters, enough.signal);
  }

  /** The first fallback that has an answer. */
  private async fallback(
    lookup: PlannedLookup,
    parameters: ReadonlyMap<string, string>,
    enough: AbortSignal,
  ): Promise<{ readonly from: AskedLookup; readonly outcome: Found | NotFound } | undefined> {
    const signal = AbortSignal.any([this.deadline.signal, enough]);
    for (const from of lookup.fallbacks) {
      if (signal.aborted) return undefined;
      const { outcome } = await this.ask(from, lookup, parameters, { ...this.keeping(lookup), lastKnown: 0 }, signal);
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
    signal = this.deadline.signal,
  ): Promise<Answer> {
    const { description, lookup } = asked;
    if (description.locate.length === 0)
      return { outcome: await this.fetch(asked, { lookup, parameters, projection, keeping }, signal) };
    if (this.subject === undefined) return { outcome: notFound('noSubject') };

    let answer: Answer = { outcome: notFound('noKey') };
    for (let locateRule = 0; locateRule < description.locate.length; locateRule++) {
      const asking = this.askByRule(asked, locateRule, projection, keeping, signal);
      if (asking === undefined) continue;
      answer = await asking;
      const { outcome } = answer;
      if (outcome.kind === 'unavailable' && outcome.lastKnownNobody !== undefined)
        return this.lastKnownByRule(asked, locateRule + 1, projection, keeping, { outcome, key: answer.key });
      // Whom the lookup leaves out is there: a weaker key must not find somebody else instead.
      const isNobody = outcome.kind === 'notFound' && outcome.reason !== 'excluded';
      if (!isNobody || !description.locate[locateRule]!.fallThrough) return answer;
    }
    return answer;
  }

  /** Undefined where the rule is not for this person. */
  private askByRule(
    asked: AskedLookup,
    locateRule: number,
    projection: readonly string[],
    keeping: Keeping,
    signal = this.deadline.signal,
  ): Promise<Answer> | undefined {
    const { key, when, fallThrough } = asked.description.locate[locateRule]!;
    const value = this.subject![key];
    if (value === undefined || !holds(when, this.subject!)) return undefined;
    const query: LookupQuery = {
      lookup: asked.lookup,
      locateRule,
      parameters: new Map([['value', value]]),
      projection,
      keeping: fallThrough ? { ...keeping, lastKnownNobody: true } : keeping,
    };
    return this.fetch(asked, query, signal).then((outcome) => ({ outcome, key }));
  }

  /** By the rules before, nobody was there when their sources last answered: what is known by the next one. */
  private async lastKnownByRule(
    asked: AskedLookup,
    first: number,
    projection: readonly string[],
    keeping: Keeping,
    unknown: { readonly outcome: Unavailable; readonly key: SubjectProperty | undefined },
  ): Promise<Answer> {
    let age = unknown.outcome.lastKnownNobody!;
    for (let locateRule = first; locateRule < asked.description.locate.length; locateRule++) {
      const asking = this.askByRule(asked, locateRule, projection, { ...keeping, lastKnownOnly: true });
      if (asking === undefined) continue;
      const { outcome, key } = await asking;
      if (outcome.kind !== 'unavailable') break;
      const { lastKnown, lastKnownNobody } = outcome;
      if (lastKnown)
        return {
          outcome: { ...unknown.outcome, lastKnown: { ...lastKnown, age: Math.max(age, lastKnown.age) } },
          ...(key && { key }),
        };
      if (lastKnownNobody === undefined) break;
      age = Math.max(age, lastKnownNobody);
    }
    return unknown;
  }

  private fetch({ source }: AskedLookup, query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    try {
      return this.deadline.race(source.fetch(query, signal), unavailable('deadline'), defective);
    } catch (error) {
      return Promise.resolve(defective(error));
    }
  }
}

/** The share of the time that is left for a lookup which is left for its fallbacks, where the lookup itself does not answer. */
const timeOfFallbacks = 0.25;

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
  readonly key?: SubjectProperty | undefined;
}
