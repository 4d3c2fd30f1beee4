import { identifyDocument, type ConfigurationIssue } from '../mapping/mapping-document.js';
import { claimSetKey, type ClaimSets, type CompileContext } from '../plan/compile-context.js';
import type { CompileResult } from '../plan/compile-mapping.js';
import { Linking, linkPlan } from '../plan/link-plans.js';
import type { Plan } from '../plan/plan.js';
import type { StoredMapping } from '../ports/mapping-store.js';
import { redTests } from '../trial/run-mapping-tests.js';
import { Turns, atOnce, type Steps } from '../turns.js';
import {
  Judgement,
  identityOf,
  isOfIdentity,
  judge,
  storedWith,
  type Grounds,
  type Issues,
  type MappingProblem,
} from './judge-documents.js';
import { admits, applicationKey, specificity } from './occupancy.js';

/** Which call this is, as far as it decides on the mapping and its conditions. All ids in lower case. */
export interface Selector {
  readonly tenant: string;
  readonly application: string;
  readonly client?: string;
  readonly extension?: string;
  /** In Entra's words, such as `OAUTH2.0`. */
  readonly protocol?: string;
}

export type Selection =
  | { readonly kind: 'mapping'; readonly plan: Plan; readonly call: Selector }
  | { readonly kind: 'none' }
  /** A mapping of this application did not compile, and no earlier revision of it is known. */
  | { readonly kind: 'invalid'; readonly origin: string };

/**
 * All mappings, compiled, as of one moment. Immutable. Documents are compiled one by one and a bad one is contained: its last
 * compiled revision stays in force, and without one every application that it names answers `invalid` (never another mapping, the
 * tenant's fallback included), while all others serve. Where a bad document does not even tell its applications, the applications
 * without a mapping might be its own, so they answer `invalid` too. A claim set that is refused keeps its last revision likewise; a mapping
 * that no longer compiles with a new one keeps serving as it was compiled.
 */
export class MappingSnapshot {
  private readonly plans = new Map<string, Plan[]>();
  private readonly planByOrigin = new Map<string, Plan>();
  private readonly refused = new Map<string, string>();
  private readonly unattributed = new Map<string, string>();

  private constructor(private readonly judgement: Judgement) {}

  static readonly empty = new MappingSnapshot(Judgement.none);

  /** Compiles at once and without running tests: for documents that passed them when they were published. */
  static compile(stored: readonly StoredMapping[], context: CompileContext, previous = MappingSnapshot.empty): MappingSnapshot {
    return atOnce(MappingSnapshot.make(stored, context, previous));
  }

  /** What `compile` gives, in turns: for many documents while sign-ins wait. */
  static compileInTurns(
    stored: readonly StoredMapping[],
    context: CompileContext,
    previous = MappingSnapshot.empty,
    turns = new Turns(),
  ): Promise<MappingSnapshot> {
    return turns.run(MappingSnapshot.make(stored, context, previous));
  }

  /**
   * Compiles and runs the tests of what has changed since `previous`: a document with a red test is refused like one that does not
   * compile. Others have their turn meanwhile. Tests that were run are not kept: they are in the documents.
   */
  static async load(
    stored: readonly StoredMapping[],
    context: CompileContext,
    previous = MappingSnapshot.empty,
  ): Promise<MappingSnapshot> {
    const turns = new Turns();
    const red = new Map<string, Issues>();
    const green = new Set<Plan>();
    for (let fresh = Judgement.none; ;) {
      const judgement = await turns.run(judge(stored, { context, previous: previous.judgement, fresh, red }));
      const before = red.size;
      for (const { stored: document, plan } of [...judgement.mappings, ...judgement.claimSets]) {
        await turns.pause();
        if (plan.tests.length === 0 || green.has(plan) || previous.judgement.serves(document.origin, plan)) continue;
        const issues = await redTests(plan, turns);
        if (issues.length > 0) red.set(document.origin, issues);
        else green.add(plan);
      }
      if (red.size === before) return turns.run(MappingSnapshot.link(judgement.withoutTests(), previous));
      fresh = judgement;
    }
  }

  private static *make(
    stored: readonly StoredMapping[],
    context: CompileContext,
    previous: MappingSnapshot,
    beside: Pick<Grounds, 'fresh' | 'anew'> = { fresh: Judgement.none },
  ): Steps<MappingSnapshot> {
    const judgement = yield* judge(stored, { context, previous: previous.judgement, red: new Map(), ...beside });
    return yield* MappingSnapshot.link(judgement, previous);
  }

  /** The last step. A plan that asks as it did is the same object as in the previous snapshot. */
  private static *link(judgement: Judgement, previous: MappingSnapshot): Steps<MappingSnapshot> {
    const snapshot = new MappingSnapshot(judgement);
    const linking = new Linking();
    for (const { plan } of judgement.mappings) {
      linking.add(plan);
      yield;
    }
    for (const { stored, plan } of judgement.mappings) {
      const isKept = previous.judgement.mapping(stored.origin)?.plan === plan;
      const linked = linking.link(plan, isKept ? previous.planByOrigin.get(stored.origin) : undefined);
      snapshot.planByOrigin.set(stored.origin, linked);
      snapshot.index(linked);
      yield;
    }
    for (const mapping of judgement.failures) {
      snapshot.indexFailure(mapping, judgement.context!);
      yield;
    }
    return snapshot;
  }

  get problems(): readonly MappingProblem[] {
    return this.judgement.problems;
  }

  /** The documents in force, as they were stored. */
  get stored(): readonly StoredMapping[] {
    const present = this.claimSets;
    return [
      ...this.judgement.claimSets.map((entry) => entry.stored),
      ...this.judgement.mappings.map((entry) => storedWith(entry, present)),
    ];
  }

  /**
   * What a snapshot that answers alike can be made of again, without running tests: the documents in force, and of those that are refused
   * and have no earlier revision only that they are refused.
   */
  get lasting(): readonly StoredMapping[] {
    return [...this.stored, ...this.judgement.failures.map(refusalOf)];
  }

  /** The documents in force, and those that are refused and have no earlier revision. */
  get documents(): readonly StoredMapping[] {
    return [...this.stored, ...this.judgement.failures];
  }

  /** The claim sets in force, for `CompileContext`. */
  get claimSets(): ClaimSets {
    return new Map(
      this.judgement.claimSets.map(({ claimSet }) => [
        claimSetKey(claimSet.document.tenant, claimSet.document.claimSet),
        claimSet,
      ]),
    );
  }

  /** The plan in force of a mapping, by where it came from. */
  planOf(origin: string): Plan | undefined {
    return this.planByOrigin.get(origin);
  }

  /** The plan that the tests of a document in force run against; a claim set's is that of a mapping which consists of it alone. */
  testedPlanOf(origin: string): Plan | undefined {
    return this.planOf(origin) ?? this.judgement.claimSet(origin)?.plan;
  }

  /** What the author of a document in force should know of it. */
  warningsOf(origin: string): readonly ConfigurationIssue[] {
    return this.judgement.entry(origin)?.warnings ?? [];
  }

  /** How many mappings are in force. */
  get size(): number {
    return this.judgement.mappings.length;
  }

  /** The plans in force of a tenant. */
  plansOf(tenant: string): readonly Plan[] {
    return [...this.planByOrigin.values()].filter((plan) => plan.tenant === tenant);
  }

  /**
   * Compiles a document as if it were in force instead of the one of its name; of a claim set, the plan is that of a mapping which
   * consists of it alone. It has its tests, also where it is what is in force. Nothing of the snapshot changes.
   */
  compileBeside(candidate: StoredMapping, context: CompileContext): CompileResult {
    const snapshot = this.beside(candidate, context);
    const problem = snapshot.problems.find(({ origin }) => origin === candidate.origin);
    if (problem) return { kind: 'refused', issues: problem.issues };
    const { plan, warnings } = snapshot.judgement.entry(candidate.origin)!;
    return { kind: 'compiled', plan: this.linked(plan), warnings };
  }

  /**
   * The mapping that a call would get if this document, a mapping or a claim set, were in force instead of the one of its name; and what
   * the document's author should know. A claim set with which the call's mapping no longer compiles is refused for that.
   * @param selector undefined: the call names no application, so no mapping is for it
   */
  selectBeside(
    candidate: StoredMapping,
    context: CompileContext,
    selector: Selector | undefined,
  ):
    | { readonly kind: 'selected'; readonly selection: Selection; readonly warnings: Issues }
    | Extract<CompileResult, { kind: 'refused' }> {
    const snapshot = this.beside(candidate, context, selector?.application);
    const problem = snapshot.problems.find(({ origin }) => origin === candidate.origin);
    if (problem) return { kind: 'refused', issues: problem.issues };
    const { warnings } = snapshot.judgement.entry(candidate.origin)!;
    if (!selector) return { kind: 'selected', selection: { kind: 'none' }, warnings };
    const selected = snapshot.select(selector);
    if (selected.kind === 'invalid') return { kind: 'refused', issues: snapshot.issuesElsewhere(selected.origin) };
    const selection = this.unlessRefused(selected, candidate, selector);
    const linked = selection.kind === 'mapping' ? { ...selection, plan: this.linked(selection.plan) } : selection;
    return { kind: 'selected', selection: linked, warnings };
  }

  /** Why a document is refused, told to the author of another one. */
  private issuesElsewhere(origin: string): Issues {
    const { content } = this.judgement.failures.find((failure) => failure.origin === origin)!;
    const document = identityOf({ content }).name ?? origin;
    return this.problems.flatMap((problem) =>
      problem.origin === origin ? problem.issues.map((issue) => ({ document, ...issue })) : [],
    );
  }

  /** What is refused now stays refused, but for what the candidate stands in for. */
  private unlessRefused(selection: Selection, candidate: StoredMapping, { tenant, application }: Selector): Selection {
    const identity = identityOf(candidate);
    const standing = (origin: string | undefined): origin is string =>
      origin !== undefined &&
      !this.judgement.failures.some((failure) => failure.origin === origin && isOfIdentity(failure, candidate.origin, identity));
    const own = this.refused.get(applicationKey(tenant, application));
    if (standing(own)) return { kind: 'invalid', origin: own };
    if (selection.kind === 'mapping' && selection.plan.applications.includes(application)) return selection;
    const wider = this.unattributed.get(tenant) ?? this.refused.get(applicationKey(tenant, '*'));
    return standing(wider) ? { kind: 'invalid', origin: wider } : selection;
  }

  /** As the plan would ask beside all others that are in force. */
  private linked(plan: Plan): Plan {
    return linkPlan(
      plan,
      this.judgement.mappings.flatMap((entry) =>
        entry.plan.tenant === plan.tenant && entry.plan.mapping !== plan.mapping ? [entry.plan] : [],
      ),
    );
  }

  /** With as few of the other documents as decide on a candidate: there may be thousands, and sign-ins wait meanwhile. */
  private beside(candidate: StoredMapping, context: CompileContext, application?: string): MappingSnapshot {
    const identity = identityOf(candidate);
    const concerned = new Set(['*', ...(identity.applications ?? []), ...(application === undefined ? [] : [application])]);
    const present = this.claimSets;
    const mappings = this.judgement.mappings.flatMap((entry) => {
      const { tenant, mapping, applications } = entry.plan;
      const isOther = tenant === identity.tenant && mapping !== identity.name && entry.stored.origin !== candidate.origin;
      return isOther && applications.some((each) => concerned.has(each)) ? [storedWith(entry, present)] : [];
    });
    const sets = this.judgement.claimSets.flatMap(({ stored }) =>
      isOfIdentity(stored, candidate.origin, identity) ? [] : [stored],
    );
    const fromNow = { fresh: this.judgement, anew: candidate.origin };
    return atOnce(MappingSnapshot.make([...sets, ...mappings, candidate], context, MappingSnapshot.empty, fromNow));
  }

  /** The most specific mapping for a call, else the tenant's fallback. No I/O. */
  select(selector: Selector): Selection {
    const origin = this.refused.get(applicationKey(selector.tenant, selector.application));
    if (origin !== undefined) return { kind: 'invalid', origin };
    const plan = this.find(selector, selector.application);
    if (plan) return { kind: 'mapping', plan, call: selector };
    const unattributed = this.unattributed.get(selector.tenant) ?? this.refused.get(applicationKey(selector.tenant, '*'));
    if (unattributed !== undefined) return { kind: 'invalid', origin: unattributed };
    const fallback = this.find(selector, '*');
    return fallback ? { kind: 'mapping', plan: fallback, call: selector } : { kind: 'none' };
  }

  private find({ tenant, client, extension }: Selector, application: string): Plan | undefined {
    return this.plans
      .get(applicationKey(tenant, application))
      ?.find((candidate) => admits(candidate.clients, client) && admits(candidate.extensions, extension));
  }

  private index(plan: Plan): void {
    for (const application of plan.applications) {
      const key = applicationKey(plan.tenant, application);
      const plans = this.plans.get(key) ?? [];
      plans.push(plan);
      plans.sort((left, right) => specificity(right) - specificity(left));
      this.plans.set(key, plans);
    }
  }

  /** Whose mapping a refused document was meant to be, as far as it can be told. */
  private indexFailure({ origin, content }: StoredMapping, context: CompileContext): void {
    const { kind, tenant, applications } = identityOf({ content });
    if (kind === 'claimSet') return;
    for (const each of tenant !== undefined && context.tenants.has(tenant) ? [tenant] : context.tenants) {
      for (const application of applications ?? []) this.refused.set(applicationKey(each, application), origin);
      if (applications === undefined) this.unattributed.set(each, origin);
    }
  }
}

/** What is kept of a document that is refused: enough to answer `invalid` wherever it might belong, and nothing that could come into force. */
function refusalOf({ origin, revision, content }: StoredMapping): StoredMapping {
  const identity = content.kind === 'document' ? identifyDocument(content.document) : content.identity;
  const reason = 'was refused when it was last loaded';
  return { origin, revision, content: { kind: 'unreadable', reason, ...(identity && { identity }) } };
}
