import { identifyDocument, type ConfigurationIssue, type DocumentIdentity } from '../mapping/mapping-document.js';
import { claimSetKey, type ClaimSets, type CompileContext, type CompiledClaimSet } from '../plan/compile-context.js';
import { compileClaimSet, compileMapping, type CompileResult } from '../plan/compile-mapping.js';
import { Linking, linkPlan } from '../plan/link-plans.js';
import type { Plan } from '../plan/plan.js';
import type { StoredMapping } from '../ports/mapping-store.js';
import { redTests } from '../trial/run-mapping-tests.js';
import { Occupancy, admits, applicationKey, specificity } from './occupancy.js';
import { Turns, atOnce, type Steps } from '../turns.js';

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

/** A document that was refused when the snapshot was made. */
export interface MappingProblem {
  readonly origin: string;
  readonly issues: readonly (ConfigurationIssue & { readonly line?: number })[];
  /** Whether an earlier revision of it is in force. */
  readonly retained: boolean;
}

interface MappingInForce {
  readonly stored: StoredMapping;
  readonly plan: Plan;
  /** The claim sets that it was compiled with. */
  readonly claimSets: readonly CompiledClaimSet[];
  readonly warnings: Issues;
}

interface ClaimSetInForce {
  readonly stored: StoredMapping;
  readonly claimSet: CompiledClaimSet;
  /** That of a mapping which consists of it alone. */
  readonly plan: Plan;
  readonly warnings: Issues;
}

type Issues = readonly ConfigurationIssue[];

/** What a snapshot is made of, besides the documents. */
interface Making {
  readonly context: CompileContext;
  readonly previous: MappingSnapshot;
  /** What was compiled a moment ago from the same documents. */
  readonly fresh: MappingSnapshot;
  /** Documents that compile and are refused all the same, by their origin. */
  readonly red: ReadonlyMap<string, Issues>;
}

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
  private readonly byOrigin: ReadonlyMap<string, MappingInForce>;
  private readonly setsByOrigin: ReadonlyMap<string, ClaimSetInForce>;

  private constructor(
    private readonly mappings: readonly MappingInForce[],
    private readonly sets: readonly ClaimSetInForce[],
    readonly problems: readonly MappingProblem[],
    private readonly failures: readonly StoredMapping[],
    private readonly context: CompileContext | undefined,
  ) {
    this.byOrigin = new Map(mappings.map((entry) => [entry.stored.origin, entry]));
    this.setsByOrigin = new Map(sets.map((entry) => [entry.stored.origin, entry]));
  }

  static readonly empty = new MappingSnapshot([], [], [], [], undefined);

  /** Compiles at once and without running tests: for documents that passed them when they were published. */
  static compile(stored: readonly StoredMapping[], context: CompileContext, previous = MappingSnapshot.empty): MappingSnapshot {
    return atOnce(make(stored, { context, previous, fresh: MappingSnapshot.empty, red: new Map() }));
  }

  /** What `compile` gives, in turns: for many documents while sign-ins wait. */
  static compileInTurns(
    stored: readonly StoredMapping[],
    context: CompileContext,
    previous = MappingSnapshot.empty,
    turns = new Turns(),
  ): Promise<MappingSnapshot> {
    return turns.run(make(stored, { context, previous, fresh: MappingSnapshot.empty, red: new Map() }));
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
    for (let fresh = MappingSnapshot.empty; ;) {
      const snapshot = await turns.run(judge(stored, { context, previous, fresh, red }));
      const before = red.size;
      for (const { stored: document, plan } of [...snapshot.mappings, ...snapshot.sets]) {
        await turns.pause();
        if (plan.tests.length === 0 || green.has(plan) || previous.serves(document.origin, plan)) continue;
        const issues = await redTests(plan, turns);
        if (issues.length > 0) red.set(document.origin, issues);
        else green.add(plan);
      }
      if (red.size === before) return turns.run(snapshot.withoutTests().link(previous));
      fresh = snapshot;
    }
  }

  /**
   * Not linked yet.
   * @internal for `judge` only: the constructor stays private to this file
   */
  static of(
    mappings: readonly MappingInForce[],
    sets: readonly ClaimSetInForce[],
    problems: readonly MappingProblem[],
    failures: readonly StoredMapping[],
    context: CompileContext,
  ): MappingSnapshot {
    return new MappingSnapshot(mappings, sets, problems, failures, context);
  }

  /**
   * Makes it ready to select from: the last step of making it. A plan that asks as it did is the same object as in the previous snapshot.
   * @internal
   */
  *link(previous: MappingSnapshot): Steps<this> {
    const linking = new Linking();
    for (const { plan } of this.mappings) {
      linking.add(plan);
      yield;
    }
    for (const { stored, plan } of this.mappings) {
      const isKept = previous.byOrigin.get(stored.origin)?.plan === plan;
      const linked = linking.link(plan, isKept ? previous.planByOrigin.get(stored.origin) : undefined);
      this.planByOrigin.set(stored.origin, linked);
      this.index(linked);
      yield;
    }
    for (const mapping of this.failures) {
      this.indexFailure(mapping, this.context!);
      yield;
    }
    return this;
  }

  private withoutTests(): MappingSnapshot {
    const untested = <Entry extends { readonly plan: Plan }>(entry: Entry): Entry =>
      entry.plan.tests.length === 0 ? entry : { ...entry, plan: { ...entry.plan, tests: [] } };
    const { problems, failures, context } = this;
    return new MappingSnapshot(this.mappings.map(untested), this.sets.map(untested), problems, failures, context);
  }

  /** The documents in force, as they were stored. */
  get stored(): readonly StoredMapping[] {
    const present = this.claimSets;
    return [...this.sets.map((entry) => entry.stored), ...this.mappings.map((entry) => storedWith(entry, present))];
  }

  /**
   * What a snapshot that answers alike can be made of again, without running tests: the documents in force, and of those that are refused
   * and have no earlier revision only that they are refused.
   */
  get lasting(): readonly StoredMapping[] {
    return [...this.stored, ...this.failures.map(refusalOf)];
  }

  /** The claim sets in force, for `CompileContext`. */
  get claimSets(): ClaimSets {
    return new Map(
      this.sets.map(({ claimSet }) => [claimSetKey(claimSet.document.tenant, claimSet.document.claimSet), claimSet]),
    );
  }

  /** The plan in force of a mapping, by where it came from. */
  planOf(origin: string): Plan | undefined {
    return this.planByOrigin.get(origin);
  }

  /** What the author of a document in force should know of it. */
  warningsOf(origin: string): readonly ConfigurationIssue[] {
    return (this.mapping(origin) ?? this.claimSet(origin))?.warnings ?? [];
  }

  /** How many mappings are in force. */
  get size(): number {
    return this.mappings.length;
  }

  /** The plans in force of a tenant. */
  plansOf(tenant: string): readonly Plan[] {
    return [...this.planByOrigin.values()].filter((plan) => plan.tenant === tenant);
  }

  /**
   * Compiles a document as if it were in force instead of the one of its name; of a claim set, the plan is that of a mapping which
   * consists of it alone. Nothing of the snapshot changes.
   */
  compileBeside(candidate: StoredMapping, context: CompileContext): CompileResult {
    const snapshot = this.beside(candidate, context);
    const problem = snapshot.problems.find(({ origin }) => origin === candidate.origin);
    if (problem) return { kind: 'refused', issues: problem.issues };
    const { plan, warnings } = (snapshot.mapping(candidate.origin) ?? snapshot.claimSet(candidate.origin))!;
    return { kind: 'compiled', plan: this.linked(plan), warnings };
  }

  /**
   * The mapping that a call would get if this document, a mapping or a claim set, were in force instead of the one of its name; and what
   * the document's author should know.
   */
  selectBeside(
    candidate: StoredMapping,
    context: CompileContext,
    selector: Selector,
  ):
    | { readonly kind: 'selected'; readonly selection: Selection; readonly warnings: Issues }
    | Extract<CompileResult, { kind: 'refused' }> {
    const snapshot = this.beside(candidate, context, selector.application);
    const problem = snapshot.problems.find(({ origin }) => origin === candidate.origin);
    if (problem) return { kind: 'refused', issues: problem.issues };
    const selection = this.unlessRefused(snapshot.select(selector), candidate, selector);
    const { warnings } = (snapshot.mapping(candidate.origin) ?? snapshot.claimSet(candidate.origin))!;
    const linked = selection.kind === 'mapping' ? { ...selection, plan: this.linked(selection.plan) } : selection;
    return { kind: 'selected', selection: linked, warnings };
  }

  /** What is refused now stays refused, but for what the candidate stands in for. */
  private unlessRefused(selection: Selection, candidate: StoredMapping, { tenant, application }: Selector): Selection {
    const identity = identityOf(candidate);
    const standing = (origin: string | undefined): origin is string =>
      origin !== undefined &&
      !this.failures.some((failure) => failure.origin === origin && isOfIdentity(failure, candidate.origin, identity));
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
      this.mappings.flatMap((entry) =>
        entry.plan.tenant === plan.tenant && entry.plan.mapping !== plan.mapping ? [entry.plan] : [],
      ),
    );
  }

  /** With as few of the other documents as decide on a candidate: there may be thousands, and sign-ins wait meanwhile. */
  private beside(candidate: StoredMapping, context: CompileContext, application?: string): MappingSnapshot {
    const identity = identityOf(candidate);
    const concerned = new Set(['*', ...(identity.applications ?? []), ...(application === undefined ? [] : [application])]);
    const present = this.claimSets;
    const mappings = this.mappings.flatMap((entry) => {
      const { tenant, mapping, applications } = entry.plan;
      const isOther = tenant === identity.tenant && mapping !== identity.name && entry.stored.origin !== candidate.origin;
      return isOther && applications.some((each) => concerned.has(each)) ? [storedWith(entry, present)] : [];
    });
    const sets = this.sets.flatMap(({ stored }) => (isOfIdentity(stored, candidate.origin, identity) ? [] : [stored]));
    return atOnce(
      make([...sets, ...mappings, candidate], { context, previous: MappingSnapshot.empty, fresh: this, red: new Map() }),
    );
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

  /** Whether this very plan is in force here. */
  private serves(origin: string, plan: Plan): boolean {
    return this.byOrigin.get(origin)?.plan === plan || this.setsByOrigin.get(origin)?.plan === plan;
  }

  mapping(origin: string): MappingInForce | undefined {
    return this.byOrigin.get(origin);
  }

  claimSet(origin: string): ClaimSetInForce | undefined {
    return this.setsByOrigin.get(origin);
  }

  /** Whether what it compiled would compile to the same in this context. */
  isOf(context: CompileContext): boolean {
    return this.context === context;
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

/** As it was stored, with the claim sets that it was compiled with where others are in force meanwhile. */
function storedWith({ stored, plan, claimSets }: MappingInForce, present: ClaimSets): StoredMapping {
  return claimSets.every((claimSet) => present.get(claimSetKey(plan.tenant, claimSet.document.claimSet)) === claimSet)
    ? stored
    : { ...stored, claimSets: claimSets.map(({ input, revision }) => ({ document: input, revision })) };
}

function* make(stored: readonly StoredMapping[], making: Making): Steps<MappingSnapshot> {
  const snapshot = yield* judge(stored, making);
  return yield* snapshot.link(making.previous);
}

/** Which documents would be in force. Nothing can be selected until they are linked. */
function* judge(stored: readonly StoredMapping[], making: Making): Steps<MappingSnapshot> {
  const { context, previous } = making;
  const taken = new Occupancy();
  const problems: MappingProblem[] = [];
  const failures: StoredMapping[] = [];
  const refuse = (document: StoredMapping, issues: Issues, retained: boolean): void => {
    problems.push({ origin: document.origin, retained, issues: withLines(issues, document) });
    if (!retained) failures.push(document);
  };
  const documents: { readonly claimSet: StoredMapping[]; readonly mapping: StoredMapping[] } = { claimSet: [], mapping: [] };
  for (const document of stored) {
    documents[identityOf(document).kind].push(document);
    yield;
  }

  const sets: ClaimSetInForce[] = [];
  for (const document of documents.claimSet) {
    yield;
    const result = claimSetOf(document, making, taken);
    const earlier = previous.claimSet(document.origin);
    const isFree = (entry: ClaimSetInForce): boolean =>
      taken.nameClash(entry.plan.tenant, entry.plan.mapping, 'claimSet') === undefined;
    const entry = result.kind === 'compiled' ? result.entry : earlier && isFree(earlier) ? earlier : undefined;
    if (result.kind === 'refused') refuse(document, result.issues, entry !== undefined);
    if (entry === undefined) continue;
    taken.takeName(entry.plan.tenant, entry.plan.mapping, document.origin);
    sets.push(entry);
  }

  const claimSets: ClaimSets = new Map(
    sets.map(({ claimSet }) => [claimSetKey(claimSet.document.tenant, claimSet.document.claimSet), claimSet]),
  );
  const mappings: MappingInForce[] = [];
  for (const document of documents.mapping) {
    yield;
    const result = mappingOf(document, claimSets, making, taken);
    const earlier = previous.mapping(document.origin);
    const entry =
      result.kind === 'compiled' ? result.entry : earlier && taken.clash(earlier.plan) === undefined ? earlier : undefined;
    if (result.kind === 'refused') refuse(document, result.issues, entry !== undefined);
    if (entry === undefined) continue;
    taken.take(entry.plan, document.origin);
    mappings.push(entry);
  }
  return MappingSnapshot.of(mappings, sets, problems, failures, context);
}

type Made<Entry> = { readonly kind: 'compiled'; readonly entry: Entry } | { readonly kind: 'refused'; readonly issues: Issues };

function claimSetOf(stored: StoredMapping, { context, previous, fresh, red }: Making, taken: Occupancy): Made<ClaimSetInForce> {
  const refused = red.get(stored.origin);
  if (refused) return { kind: 'refused', issues: refused };
  if (stored.content.kind === 'unreadable') return unreadable(stored.content.reason);
  for (const earlier of [fresh, previous]) {
    const entry = earlier.isOf(context) ? earlier.claimSet(stored.origin) : undefined;
    if (
      entry?.stored.revision === stored.revision &&
      taken.nameClash(entry.plan.tenant, entry.plan.mapping, 'claimSet') === undefined
    )
      return { kind: 'compiled', entry };
  }
  const result = compileClaimSet(stored.content.document, stored.revision, context);
  if (result.kind === 'refused') return result;
  const clash = taken.nameClash(result.plan.tenant, result.plan.mapping, 'claimSet');
  if (clash) return { kind: 'refused', issues: [clash] };
  return { kind: 'compiled', entry: { stored, claimSet: result.claimSet, plan: result.plan, warnings: result.warnings } };
}

function mappingOf(
  stored: StoredMapping,
  inForce: ClaimSets,
  { context, previous, fresh, red }: Making,
  taken: Occupancy,
): Made<MappingInForce> {
  const refused = red.get(stored.origin);
  if (refused) return { kind: 'refused', issues: refused };
  if (stored.content.kind === 'unreadable') return unreadable(stored.content.reason);
  const claimSets = withPinned(stored, inForce, context);
  for (const earlier of [fresh, previous]) {
    const entry = earlier.isOf(context) ? earlier.mapping(stored.origin) : undefined;
    const isSame =
      entry?.stored.revision === stored.revision &&
      entry.claimSets.every((claimSet) => claimSets.get(claimSetKey(entry.plan.tenant, claimSet.document.claimSet)) === claimSet);
    if (isSame && taken.clash(entry.plan) === undefined) return { kind: 'compiled', entry };
  }
  const result = compileMapping(stored.content.document, stored.revision, { ...context, claimSets });
  if (result.kind === 'refused') return result;
  const { plan } = result;
  const clash = taken.clash(plan);
  if (clash) return { kind: 'refused', issues: [clash] };
  return {
    kind: 'compiled',
    entry: {
      stored,
      plan,
      claimSets: plan.claimSets.map(({ name }) => claimSets.get(claimSetKey(plan.tenant, name))!),
      warnings: result.warnings,
    },
  };
}

/** The claim sets in force, but for those that the snapshot of a mapping brings along. */
function withPinned({ claimSets: pinned }: StoredMapping, inForce: ClaimSets, context: CompileContext): ClaimSets {
  if (pinned === undefined) return inForce;
  const all = new Map(inForce);
  for (const { document, revision } of pinned) {
    const result = compileClaimSet(document, revision, context);
    if (result.kind === 'compiled') all.set(claimSetKey(result.plan.tenant, result.plan.mapping), result.claimSet);
  }
  return all;
}

function identityOf({ content }: Pick<StoredMapping, 'content'>): DocumentIdentity {
  if (content.kind === 'document') return identifyDocument(content.document);
  return content.identity ?? identifyDocument(undefined);
}

/** What is kept of a document that is refused: enough to answer `invalid` wherever it might belong, and nothing that could come into force. */
function refusalOf({ origin, revision, content }: StoredMapping): StoredMapping {
  const identity = content.kind === 'document' ? identifyDocument(content.document) : content.identity;
  const reason = 'was refused when it was last loaded';
  return { origin, revision, content: { kind: 'unreadable', reason, ...(identity && { identity }) } };
}

function isOfIdentity(document: StoredMapping, origin: string, { tenant, name }: DocumentIdentity): boolean {
  const other = identityOf(document);
  return document.origin === origin || (other.tenant === tenant && other.name === name);
}

function unreadable(reason: string): { readonly kind: 'refused'; readonly issues: Issues } {
  return { kind: 'refused', issues: [{ path: [], reason }] };
}

function withLines(issues: Issues, mapping: StoredMapping): MappingProblem['issues'] {
  const lines = mapping.linesOf?.(issues.map(({ path }) => path));
  return issues.map((issue, index) => {
    const line = issue.document === undefined ? lines?.[index] : undefined;
    return line === undefined ? issue : { ...issue, line };
  });
}
