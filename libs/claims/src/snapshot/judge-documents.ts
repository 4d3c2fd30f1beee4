import { describeDefect } from '../defect.js';
import { identifyDocument, type ConfigurationIssue, type DocumentIdentity } from '../mapping/mapping-document.js';
import { claimSetKey, type ClaimSets, type CompileContext, type CompiledClaimSet } from '../plan/compile-context.js';
import { compileClaimSet, compileMapping } from '../plan/compile-mapping.js';
import type { Plan } from '../plan/plan.js';
import type { StoredMapping } from '../ports/mapping-store.js';
import type { Steps } from '../turns.js';
import { Occupancy } from './occupancy.js';

/** A document that was refused when the snapshot was made. */
export interface MappingProblem {
  readonly origin: string;
  readonly issues: readonly (ConfigurationIssue & { readonly line?: number })[];
  /** Whether an earlier revision of it is in force. */
  readonly retained: boolean;
}

export interface MappingInForce {
  readonly stored: StoredMapping;
  readonly plan: Plan;
  /** The claim sets that it was compiled with. */
  readonly claimSets: readonly CompiledClaimSet[];
  readonly warnings: Issues;
}

export interface ClaimSetInForce {
  readonly stored: StoredMapping;
  readonly claimSet: CompiledClaimSet;
  /** That of a mapping which consists of it alone. */
  readonly plan: Plan;
  readonly warnings: Issues;
}

export type Issues = readonly ConfigurationIssue[];

/** Which documents are in force, and which are refused and why. */
export class Judgement {
  private readonly mappingByOrigin: ReadonlyMap<string, MappingInForce>;
  private readonly claimSetByOrigin: ReadonlyMap<string, ClaimSetInForce>;

  constructor(
    readonly mappings: readonly MappingInForce[],
    readonly claimSets: readonly ClaimSetInForce[],
    readonly problems: readonly MappingProblem[],
    /** Refused, and without an earlier revision that is in force. */
    readonly failures: readonly StoredMapping[],
    /** That of the compilation; none where there were no documents. */
    readonly context: CompileContext | undefined,
  ) {
    this.mappingByOrigin = new Map(mappings.map((entry) => [entry.stored.origin, entry]));
    this.claimSetByOrigin = new Map(claimSets.map((entry) => [entry.stored.origin, entry]));
  }

  static readonly none = new Judgement([], [], [], [], undefined);

  mapping(origin: string): MappingInForce | undefined {
    return this.mappingByOrigin.get(origin);
  }

  claimSet(origin: string): ClaimSetInForce | undefined {
    return this.claimSetByOrigin.get(origin);
  }

  entry(origin: string): MappingInForce | ClaimSetInForce | undefined {
    return this.mapping(origin) ?? this.claimSet(origin);
  }

  /** Whether this very plan is in force. */
  serves(origin: string, plan: Plan): boolean {
    return this.mapping(origin)?.plan === plan || this.claimSet(origin)?.plan === plan;
  }

  /** Without the tests of what is in force, for whoever has run them. */
  withoutTests(): Judgement {
    const untested = <Entry extends { readonly plan: Plan }>(entry: Entry): Entry =>
      entry.plan.tests.length === 0 ? entry : { ...entry, plan: { ...entry.plan, tests: [] } };
    const { mappings, claimSets, problems, failures, context } = this;
    return new Judgement(mappings.map(untested), claimSets.map(untested), problems, failures, context);
  }
}

/** What documents are judged by. */
export interface Grounds {
  readonly context: CompileContext;
  readonly previous: Judgement;
  /** What was compiled a moment ago from the same documents. */
  readonly fresh: Judgement;
  /** Documents that compile and are refused all the same, by their origin. */
  readonly red: ReadonlyMap<string, Issues>;
  /** The origin of a document that is compiled again also where nothing changed: what is in force lacks its tests. */
  readonly anew?: string;
}

/** Compiles documents one by one, claim sets first. A bad one is contained: its earlier revision stays in force. */
export function* judge(stored: readonly StoredMapping[], grounds: Grounds): Steps<Judgement> {
  const { context, previous } = grounds;
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
    const result = claimSetOf(document, grounds, taken);
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
    const result = mappingOf(document, claimSets, grounds, taken);
    const earlier = previous.mapping(document.origin);
    const entry =
      result.kind === 'compiled' ? result.entry : earlier && taken.clash(earlier.plan) === undefined ? earlier : undefined;
    if (result.kind === 'refused') refuse(document, result.issues, entry !== undefined);
    if (entry === undefined) continue;
    taken.take(entry.plan, document.origin);
    mappings.push(entry);
  }
  return new Judgement(mappings, sets, problems, failures, context);
}

type Made<Entry> = { readonly kind: 'compiled'; readonly entry: Entry } | { readonly kind: 'refused'; readonly issues: Issues };

function claimSetOf(stored: StoredMapping, grounds: Grounds, taken: Occupancy): Made<ClaimSetInForce> {
  const { context } = grounds;
  const refused = grounds.red.get(stored.origin);
  if (refused) return { kind: 'refused', issues: refused };
  if (stored.content.kind === 'unreadable') return unreadable(stored.content.reason);
  for (const earlier of earlierOf(stored, grounds)) {
    const entry = earlier.claimSet(stored.origin);
    if (
      entry?.stored.revision === stored.revision &&
      taken.nameClash(entry.plan.tenant, entry.plan.mapping, 'claimSet') === undefined
    )
      return { kind: 'compiled', entry };
  }
  const result = contained(compileClaimSet, stored.content.document, stored.revision, context);
  if (result.kind === 'refused') return result;
  const clash = taken.nameClash(result.plan.tenant, result.plan.mapping, 'claimSet');
  if (clash) return { kind: 'refused', issues: [clash] };
  return { kind: 'compiled', entry: { stored, claimSet: result.claimSet, plan: result.plan, warnings: result.warnings } };
}

function mappingOf(stored: StoredMapping, inForce: ClaimSets, grounds: Grounds, taken: Occupancy): Made<MappingInForce> {
  const { context } = grounds;
  const refused = grounds.red.get(stored.origin);
  if (refused) return { kind: 'refused', issues: refused };
  if (stored.content.kind === 'unreadable') return unreadable(stored.content.reason);
  const claimSets = withPinned(stored, inForce, context);
  for (const earlier of earlierOf(stored, grounds)) {
    const entry = earlier.mapping(stored.origin);
    const isSame =
      entry?.stored.revision === stored.revision &&
      entry.claimSets.every((claimSet) => claimSets.get(claimSetKey(entry.plan.tenant, claimSet.document.claimSet)) === claimSet);
    if (isSame && taken.clash(entry.plan) === undefined) return { kind: 'compiled', entry };
  }
  const result = contained(compileMapping, stored.content.document, stored.revision, { ...context, claimSets });
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

/** A defect of a compiler stays with the document that shows it. */
function contained<Result>(
  compile: (document: unknown, revision: string, context: CompileContext) => Result,
  ...input: Parameters<typeof compile>
): Result | { readonly kind: 'refused'; readonly issues: Issues } {
  try {
    return compile(...input);
  } catch (error) {
    const reason = `cannot be compiled, by a defect of Claimbridge: ${describeDefect(error)}`;
    return { kind: 'refused', issues: [{ path: [], reason }] };
  }
}

/** Where a document may be compiled already. */
function earlierOf({ origin }: StoredMapping, { context, fresh, previous, anew }: Grounds): readonly Judgement[] {
  return origin === anew ? [] : [fresh, previous].filter((earlier) => earlier.context === context);
}

/** The claim sets in force, but for those that the snapshot of a mapping brings along. */
function withPinned({ claimSets: pinned }: StoredMapping, inForce: ClaimSets, context: CompileContext): ClaimSets {
  if (pinned === undefined) return inForce;
  const all = new Map(inForce);
  for (const { document, revision } of pinned) {
    const result = contained(compileClaimSet, document, revision, context);
    if (result.kind === 'compiled') all.set(claimSetKey(result.plan.tenant, result.plan.mapping), result.claimSet);
  }
  return all;
}

export function identityOf({ content }: Pick<StoredMapping, 'content'>): DocumentIdentity {
  if (content.kind === 'document') return identifyDocument(content.document);
  return content.identity ?? identifyDocument(undefined);
}

/** Whether it is the document of this origin or of this name. */
export function isOfIdentity(document: StoredMapping, origin: string, { tenant, name }: DocumentIdentity): boolean {
  const other = identityOf(document);
  return document.origin === origin || (other.tenant === tenant && other.name === name);
}

/** As it was stored, with the claim sets that it was compiled with where others are in force meanwhile. */
export function storedWith({ stored, plan, claimSets }: MappingInForce, present: ClaimSets): StoredMapping {
  return claimSets.every((claimSet) => present.get(claimSetKey(plan.tenant, claimSet.document.claimSet)) === claimSet)
    ? stored
    : { ...stored, claimSets: claimSets.map(({ input, revision }) => ({ document: input, revision })) };
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
