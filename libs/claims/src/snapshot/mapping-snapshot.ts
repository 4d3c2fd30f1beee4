import type { ConfigurationIssue } from '../mapping/mapping-document.js';
import { compileMapping, type CompileContext, type CompileResult } from '../plan/compile-mapping.js';
import { linkPlans } from '../plan/link-plans.js';
import type { Plan } from '../plan/plan.js';
import type { StoredMapping } from '../ports/mapping-store.js';

/** Which call this is, as far as it decides on the mapping. All ids in lower case. */
export interface Selector {
  readonly tenant: string;
  readonly application: string;
  readonly client?: string;
  readonly extension?: string;
}

export type Selection =
  | { readonly kind: 'mapping'; readonly plan: Plan }
  | { readonly kind: 'none' }
  /** A mapping of this application did not compile, and no earlier revision of it is known. */
  | { readonly kind: 'invalid'; readonly origin: string };

/** A mapping that was refused when the snapshot was made. */
export interface MappingProblem {
  readonly origin: string;
  readonly issues: readonly (ConfigurationIssue & { readonly line?: number })[];
  /** Whether an earlier revision of it is in force. */
  readonly retained: boolean;
}

interface InForce {
  readonly stored: StoredMapping;
  readonly plan: Plan;
}

/**
 * All mappings, compiled, as of one moment. Immutable. Mappings are compiled one by one and a bad one is contained: its last
 * compiled revision stays in force, and without one every application that it names answers `invalid` (never another mapping),
 * while all others serve. Where a bad mapping does not even tell its applications, the applications without a mapping might be
 * its own, so they answer `invalid` too.
 */
export class MappingSnapshot {
  private readonly plans = new Map<string, Plan[]>();
  private readonly refused = new Map<string, string>();
  private readonly unattributed = new Map<string, string>();

  private constructor(
    private readonly inForce: readonly InForce[],
    readonly problems: readonly MappingProblem[],
  ) {}

  static readonly empty = new MappingSnapshot([], []);

  static compile(stored: readonly StoredMapping[], context: CompileContext, previous = MappingSnapshot.empty): MappingSnapshot {
    const compiled: InForce[] = [];
    const problems: MappingProblem[] = [];
    const failures: StoredMapping[] = [];
    for (const mapping of stored) {
      const issues = mapping.content.kind === 'unreadable' ? [{ path: [], reason: mapping.content.reason }] : [];
      const result =
        mapping.content.kind === 'document'
          ? compileMapping(mapping.content.document, mapping.revision, context)
          : { kind: 'refused' as const, issues };
      const clash = result.kind === 'compiled' ? clashWith(result.plan, compiled) : undefined;
      if (result.kind === 'compiled' && clash === undefined) {
        compiled.push({ stored: mapping, plan: result.plan });
        continue;
      }
      const found = result.kind === 'refused' ? result.issues : [clash!];
      const earlier = previous.inForce.find((entry) => entry.stored.origin === mapping.origin);
      const retained = earlier !== undefined && clashWith(earlier.plan, compiled) === undefined;
      if (retained) compiled.push(earlier);
      else failures.push(mapping);
      problems.push({ origin: mapping.origin, retained, issues: found.map((issue) => withLine(issue, mapping)) });
    }
    const snapshot = new MappingSnapshot(compiled, problems);
    for (const linked of linkPlans(compiled.map(({ plan }) => plan))) snapshot.index(linked);
    for (const mapping of failures) snapshot.indexFailure(mapping, context);
    return snapshot;
  }

  /** The mappings in force, as they were stored. */
  get stored(): readonly StoredMapping[] {
    return this.inForce.map((entry) => entry.stored);
  }

  /** The plan in force of a document, by where it came from. */
  planOf(origin: string): Plan | undefined {
    return this.inForce.find((entry) => entry.stored.origin === origin)?.plan;
  }

  get size(): number {
    return this.inForce.length;
  }

  /** The plans in force of a tenant. */
  plansOf(tenant: string): readonly Plan[] {
    return this.inForce.flatMap(({ plan }) => (plan.tenant === tenant ? [plan] : []));
  }

  /** Compiles a document as if it were in force instead of the one of its name. Nothing of the snapshot changes. */
  compileBeside(candidate: StoredMapping, context: CompileContext): CompileResult {
    const { content, revision } = candidate;
    if (content.kind === 'unreadable') return { kind: 'refused', issues: [{ path: [], reason: content.reason }] };
    const result = compileMapping(content.document, revision, context);
    if (result.kind === 'refused') return result;
    const others = this.others(result.plan);
    const clash = clashWith(result.plan, others);
    if (clash) return { kind: 'refused', issues: [clash] };
    const linked = linkPlans([...others.map(({ plan }) => plan), result.plan]);
    return { ...result, plan: linked.at(-1)! };
  }

  /** The mapping that a call would get if this document were in force instead of the one of its name. */
  selectBeside(
    candidate: StoredMapping,
    context: CompileContext,
    selector: Selector,
  ): Selection | Extract<CompileResult, { kind: 'refused' }> {
    const result = this.compileBeside(candidate, context);
    if (result.kind === 'refused') return result;
    const refused = this.refused.get(keyOf(selector.tenant, selector.application));
    if (refused !== undefined && refused !== candidate.origin) return { kind: 'invalid', origin: refused };
    const rivals = this.others(result.plan).map(({ plan }) => plan);
    const plan = [result.plan, ...rivals]
      .filter(({ tenant, applications }) => tenant === selector.tenant && applications.includes(selector.application))
      .toSorted((left, right) => specificity(right) - specificity(left))
      .find(({ clients, extensions }) => admits(clients, selector.client) && admits(extensions, selector.extension));
    return plan ? { kind: 'mapping', plan } : { kind: 'none' };
  }

  private others({ tenant, mapping }: Plan): readonly InForce[] {
    return this.inForce.filter(({ plan }) => plan.tenant === tenant && plan.mapping !== mapping);
  }

  /** The most specific mapping for a call. No I/O. */
  select(selector: Selector): Selection {
    const key = keyOf(selector.tenant, selector.application);
    const origin = this.refused.get(key);
    if (origin !== undefined) return { kind: 'invalid', origin };
    const plan = this.plans
      .get(key)
      ?.find((candidate) => admits(candidate.clients, selector.client) && admits(candidate.extensions, selector.extension));
    if (plan) return { kind: 'mapping', plan };
    const unattributed = this.unattributed.get(selector.tenant);
    return unattributed === undefined ? { kind: 'none' } : { kind: 'invalid', origin: unattributed };
  }

  private index(plan: Plan): void {
    for (const application of plan.applications) {
      const key = keyOf(plan.tenant, application);
      const plans = this.plans.get(key) ?? [];
      plans.push(plan);
      plans.sort((left, right) => specificity(right) - specificity(left));
      this.plans.set(key, plans);
    }
  }

  private indexFailure(mapping: StoredMapping, context: CompileContext): void {
    const { tenants, applications } = intended(mapping, context);
    for (const tenant of tenants) {
      for (const application of applications ?? []) this.refused.set(keyOf(tenant, application), mapping.origin);
      if (applications === undefined) this.unattributed.set(tenant, mapping.origin);
    }
  }
}

function keyOf(tenant: string, application: string): string {
  return `${tenant}\n${application}`;
}

function specificity(plan: Plan): number {
  return (plan.clients ? 1 : 0) + (plan.extensions ? 1 : 0);
}

function admits(allowed: ReadonlySet<string> | undefined, id: string | undefined): boolean {
  return allowed === undefined || (id !== undefined && allowed.has(id));
}

function meet(left: ReadonlySet<string> | undefined, right: ReadonlySet<string> | undefined): boolean {
  return left === undefined || right === undefined || !left.isDisjointFrom(right);
}

/** Why a plan cannot stand beside those already compiled: its name is taken, or some call would have two equally specific mappings. */
function clashWith(plan: Plan, compiled: readonly InForce[]): ConfigurationIssue | undefined {
  for (const { stored, plan: other } of compiled) {
    if (other.tenant !== plan.tenant) continue;
    if (other.mapping === plan.mapping)
      return { path: ['name'], reason: `${plan.mapping} is the name of ${stored.origin} already` };
    const contested = plan.applications.find((application) => other.applications.includes(application));
    if (
      contested !== undefined &&
      specificity(other) === specificity(plan) &&
      meet(other.clients, plan.clients) &&
      meet(other.extensions, plan.extensions)
    )
      return {
        path: ['applications', plan.applications.indexOf(contested)],
        reason: `${stored.origin} serves ${contested} too, and neither is more specific; narrow one by clients or extensions`,
      };
  }
  return undefined;
}

/** Whose mapping a refused document was meant to be, as far as it can be told; `applications` undefined where it cannot. */
function intended(
  mapping: StoredMapping,
  context: CompileContext,
): { readonly tenants: Iterable<string>; readonly applications: readonly string[] | undefined } {
  const document = mapping.content.kind === 'document' ? mapping.content.document : undefined;
  const { tenant, applications } = (typeof document === 'object' && document !== null ? document : {}) as Record<string, unknown>;
  const texts =
    Array.isArray(applications) && applications.every((entry): entry is string => typeof entry === 'string') ? applications : [];
  return {
    tenants: typeof tenant === 'string' && context.tenants.has(tenant) ? [tenant] : context.tenants,
    applications: texts.length > 0 ? texts.map((text) => text.toLowerCase()) : undefined,
  };
}

function withLine(issue: ConfigurationIssue, mapping: StoredMapping): MappingProblem['issues'][number] {
  const line = mapping.lineOf?.(issue.path);
  return line === undefined ? issue : { ...issue, line };
}
