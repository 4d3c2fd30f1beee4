import {
  configurationIssues,
  mappingDocument,
  type ClaimDocument,
  type ConfigurationIssue,
  type LookupDocument,
  type MappingDocument,
  type TreatmentDocument,
} from '../mapping/mapping-document.js';
import type { Source } from '../ports/source.js';
import { subjectProperties, type SubjectProperty } from '../subject.js';
import { compileTransform } from './transforms.js';
import type { AskedLookup, ClaimValue, Origin, Plan, PlannedClaim, PlannedLookup, Policy } from './plan.js';

/** A source and the tenants that it may serve, by their aliases. */
export interface RegisteredSource {
  readonly source: Source;
  readonly tenants: ReadonlySet<string>;
}

/** What a mapping can refer to. */
export interface CompileContext {
  readonly tenants: ReadonlySet<string>;
  readonly sources: ReadonlyMap<string, RegisteredSource>;
}

export type CompileResult =
  /** The warnings refuse nothing: what the mapping's author should know. */
  | { readonly kind: 'compiled'; readonly plan: Plan; readonly warnings: readonly ConfigurationIssue[] }
  | { readonly kind: 'refused'; readonly issues: readonly ConfigurationIssue[] };

/**
 * Checks a mapping document and compiles it. Everything that can be wrong with a mapping is found here, never at a sign-in:
 * unknown keys and types, unknown tenants, sources, lookups, parameters and properties, a source of another tenant, lookups that
 * need each other or that nothing uses, text or list contradictions, last known or degraded values that there will never be.
 */
export function compileMapping(input: unknown, revision: string, context: CompileContext): CompileResult {
  const hidden = hiddenKeys(input, []);
  if (hidden.length > 0) return { kind: 'refused', issues: hidden };
  const parsed = mappingDocument.safeParse(input);
  if (!parsed.success) return { kind: 'refused', issues: configurationIssues(parsed.error) };
  const compiler = new MappingCompiler(parsed.data, revision, context);
  const plan = compiler.compile();
  return compiler.issues.length > 0
    ? { kind: 'refused', issues: compiler.issues }
    : { kind: 'compiled', plan, warnings: compiler.warnings };
}

/** Keys that the schema's checks pass over because JavaScript gives them a meaning, and nesting that no mapping has. */
function hiddenKeys(input: unknown, path: readonly (string | number)[]): readonly ConfigurationIssue[] {
  if (typeof input !== 'object' || input === null) return [];
  if (path.length > 16) return [{ path, reason: 'is nested too deeply' }];
  return Object.entries(input).flatMap(([key, value]) =>
    key === '__proto__' ? [{ path: [...path, key], reason: 'is not a known key' }] : hiddenKeys(value, [...path, key]),
  );
}

class MappingCompiler {
  readonly issues: ConfigurationIssue[] = [];
  readonly warnings: ConfigurationIssue[] = [];
  private readonly projections = new Map<string, Map<string, string>>();

  constructor(
    private readonly document: MappingDocument,
    private readonly revision: string,
    private readonly context: CompileContext,
  ) {}

  compile(): Plan {
    const { document } = this;
    if (!this.context.tenants.has(document.tenant)) this.refuse(['tenant'], `there is no tenant ${document.tenant}`);
    for (const alias of Object.keys(document.lookups)) this.projections.set(alias, new Map());

    const claims = Object.entries(document.claims).map(([name, claim]) => this.claim(name, claim));
    const lookups = Object.entries(document.lookups).flatMap(([alias, lookup]) => this.lookup(alias, lookup));
    const ordered = this.inDependencyOrder(lookups);
    this.checkStale();
    this.checkDegraded(ordered);
    for (const [alias, attributes] of this.projections)
      if (attributes.size === 0) this.refuse(['lookups', alias], 'is not used by any claim or lookup');

    return {
      tenant: document.tenant,
      mapping: document.name,
      revision: this.revision,
      applications: document.applications,
      clients: document.clients && new Set(document.clients),
      extensions: document.extensions && new Set(document.extensions),
      lookups: ordered.map((lookup) => ({ ...lookup, projection: [...this.projections.get(lookup.alias)!.values()] })),
      claims,
      droppable: this.droppable(),
      tests: this.tests(),
    };
  }

  private refuse(path: readonly (string | number)[], reason: string, remedy?: string): void {
    this.issues.push({ path, reason, ...(remedy !== undefined && { remedy }) });
  }

  private tests(): MappingDocument['tests'] {
    const { tests, applications, lookups, claims } = this.document;
    for (const [index, { name, application, given, expect }] of tests.entries()) {
      const path = ['tests', index];
      if (tests.findIndex((other) => other.name === name) < index)
        this.refuse([...path, 'name'], `${name} is the name of another test`);
      if (application !== undefined && !applications.includes(application))
        this.refuse([...path, 'application'], `${application} is not an application of this mapping`);
      for (const alias of Object.keys(given))
        if (!Object.hasOwn(lookups, alias)) this.refuse([...path, 'given', alias], `there is no lookup ${alias} in this mapping`);
      for (const claim of Object.keys(expect ?? {}))
        if (!Object.hasOwn(claims, claim)) this.refuse([...path, 'expect', claim], `there is no claim ${claim} in this mapping`);
    }
    return tests;
  }

  private claim(name: string, document: ClaimDocument): PlannedClaim {
    const path = ['claims', name];
    const transforms = document.transform.map(compileTransform);
    const fixed = document.value === undefined ? undefined : [document.value].flat();
    const last = transforms.findLast((transform) => transform.yields !== 'same');
    if (document.list && last?.yields === 'text')
      this.refuse([...path, 'list'], `contradicts the transform ${last.name}, which yields one text`);
    const list = document.list || last?.yields === 'list' || (Array.isArray(document.value) && last === undefined);
    const { whenUnavailable } = document;
    const isStale = typeof whenUnavailable === 'object' && 'stale' in whenUnavailable;
    return {
      name,
      from: fixed ? { kind: 'constant', values: fixed } : (this.origin(document.from!, [...path, 'from']) ?? nowhere),
      transforms,
      list,
      whenUnavailable: this.policy(isStale ? whenUnavailable.then : whenUnavailable, list, [
        ...path,
        'whenUnavailable',
        ...(isStale ? ['then'] : []),
      ]),
      stale: isStale ? whenUnavailable.stale : 0,
      acceptDegraded: document.acceptDegraded,
      whenMissing: this.policy(document.whenMissing, list, [...path, 'whenMissing']),
    };
  }

  private policy(policy: TreatmentDocument, list: boolean, path: readonly string[]): Policy {
    if (typeof policy === 'string') return policy;
    const isList = Array.isArray(policy.default);
    if (isList && !list) this.refuse([...path, 'default'], 'is a list, but the claim is text; say list: true');
    const value: ClaimValue = list && !isList ? [policy.default as string] : policy.default;
    return { default: value };
  }

  /** Resolves a reference and adds the attribute to its lookup's projection. */
  private origin(reference: string, path: readonly string[]): Origin | undefined {
    const dot = reference.indexOf('.');
    const [scope, name] = [reference.slice(0, dot), reference.slice(dot + 1)];
    if (scope === 'subject') {
      if (isSubjectProperty(name)) return { kind: 'subject', property: name };
      this.refuse(path, `the subject has no property ${name}; it has ${subjectProperties.join(', ')}`);
      return undefined;
    }
    const projection = this.projections.get(scope);
    if (!projection) {
      this.refuse(path, `there is no lookup ${scope} in this mapping`);
      return undefined;
    }
    const key = name.toLowerCase();
    if (!projection.has(key)) projection.set(key, name);
    return { kind: 'lookup', alias: scope, attribute: name };
  }

  private lookup(alias: string, document: LookupDocument): readonly PlannedLookup[] {
    const path = ['lookups', alias];
    const inputs = new Map<string, Origin>();
    for (const [parameter, reference] of Object.entries(document.with ?? {})) {
      const origin = this.origin(reference, [...path, 'with', parameter]);
      if (origin) inputs.set(parameter, origin);
    }
    const asked = this.asked(document.use, [...path, 'use']);
    const fallbacks = (document.fallback ?? []).map((use, index) => this.asked(use, [...path, 'fallback', index]));
    if (!asked) return [];
    const given = Object.keys(document.with ?? {});
    const wanted = asked.description.parameters;
    const missing = wanted.filter((parameter) => !given.includes(parameter));
    const unknown = given.filter((parameter) => !wanted.includes(parameter));
    if (missing.length > 0) this.refuse(path, `lacks with: ${missing.join(', ')}, which the lookup ${document.use} asks for`);
    for (const parameter of unknown)
      this.refuse([...path, 'with', parameter], `is not a parameter of the lookup ${document.use}`);
    for (const [index, fallback] of fallbacks.entries()) {
      if (!fallback) continue;
      const at = [...path, 'fallback', index];
      if (fallback.source === asked.source)
        this.refuse(at, `is of the source ${asked.source.name} too, which is unavailable then`);
      if (new Set(fallback.description.parameters).symmetricDifference(new Set(wanted)).size > 0)
        this.refuse(at, `asks for other parameters than the lookup ${document.use}`);
    }
    return [
      {
        ...asked,
        alias,
        inputs,
        projection: [],
        keepLastKnown: document.keepLastKnown ?? 0,
        fallbacks: fallbacks.filter((fallback) => fallback !== undefined),
        acceptDegraded: document.acceptDegraded,
      },
    ];
  }

  private asked(use: string, path: readonly (string | number)[]): AskedLookup | undefined {
    const [sourceName, lookup] = use.split('.') as [string, string];
    const registered = this.context.sources.get(sourceName);
    const description = registered?.source.lookups.get(lookup);
    if (!registered) this.refuse(path, `there is no source ${sourceName}`);
    else if (!registered.tenants.has(this.document.tenant))
      this.refuse(path, `the source ${sourceName} does not serve the tenant ${this.document.tenant}`);
    else if (!description) this.refuse(path, `the source ${sourceName} has no lookup ${lookup}`);
    else return { source: registered.source, lookup, description };
    return undefined;
  }

  /** A last known value is there only where its lookup keeps one long enough, and only if somebody may use it. */
  private checkStale(): void {
    const used = new Map<string, number>();
    for (const [name, { from, whenUnavailable }] of Object.entries(this.document.claims)) {
      if (typeof whenUnavailable !== 'object' || !('stale' in whenUnavailable)) continue;
      const path = ['claims', name, 'whenUnavailable', 'stale'];
      const alias = from?.split('.')[0] ?? '';
      const lookup = Object.hasOwn(this.document.lookups, alias) ? this.document.lookups[alias] : undefined;
      const kept = lookup?.keepLastKnown ?? 0;
      used.set(alias, Math.max(used.get(alias) ?? 0, whenUnavailable.stale));
      if (!lookup) this.refuse(path, 'needs a claim whose value comes from a lookup');
      else if (kept === 0) this.refuse(path, `needs keepLastKnown at the lookup ${alias}`);
      else if (whenUnavailable.stale > kept) this.refuse(path, `is longer than keepLastKnown of the lookup ${alias}`);
    }
    const inputs = new Set(
      Object.values(this.document.lookups).flatMap(({ with: given, keepLastKnown }) =>
        keepLastKnown === undefined ? [] : Object.values(given ?? {}).map((reference) => reference.split('.')[0]!),
      ),
    );
    for (const [alias, { keepLastKnown }] of Object.entries(this.document.lookups))
      if (keepLastKnown !== undefined && !used.has(alias) && !inputs.has(alias))
        this.refuse(['lookups', alias, 'keepLastKnown'], 'is of no use: no claim of this lookup says stale');
  }

  /** Accepting degraded values makes sense only behind a fallback, and a fallback only where something accepts what it gives. */
  private checkDegraded(lookups: readonly PlannedLookup[]): void {
    const degradable = new Set<string>();
    const accepted = new Set<string>();
    const accept = (origins: Iterable<Origin | PlannedClaim['from']>, path: readonly string[]): boolean => {
      const degraded = [...origins].flatMap((origin) =>
        origin.kind === 'lookup' && degradable.has(origin.alias) ? [origin.alias] : [],
      );
      for (const alias of degraded) accepted.add(alias);
      if (degraded.length === 0) this.refuse(path, 'is of no use: no value that it gets can be degraded');
      return degraded.length > 0;
    };
    for (const { alias, inputs, fallbacks, acceptDegraded } of lookups) {
      const byInputs = acceptDegraded && accept(inputs.values(), ['lookups', alias, 'acceptDegraded']);
      if (byInputs || fallbacks.length > 0) degradable.add(alias);
    }
    for (const [name, { from, acceptDegraded }] of Object.entries(this.document.claims)) {
      if (!acceptDegraded) continue;
      const alias = from?.split('.')[0];
      if (alias !== undefined && degradable.has(alias)) accepted.add(alias);
      else this.refuse(['claims', name, 'acceptDegraded'], 'is of no use: no value that it gets can be degraded');
    }
    for (const { alias, fallbacks } of lookups)
      if (fallbacks.length > 0 && !accepted.has(alias))
        this.refuse(['lookups', alias, 'fallback'], 'is of no use: no claim or lookup says acceptDegraded');
  }

  private inDependencyOrder(lookups: readonly PlannedLookup[]): readonly PlannedLookup[] {
    const byAlias = new Map(lookups.map((lookup) => [lookup.alias, lookup]));
    const ordered = new Set<PlannedLookup>();
    const visit = (lookup: PlannedLookup, trail: readonly string[]): void => {
      if (ordered.has(lookup)) return;
      const cycleStart = trail.indexOf(lookup.alias);
      if (cycleStart >= 0) {
        this.refuse(['lookups', lookup.alias], `needs itself: ${[...trail.slice(cycleStart), lookup.alias].join(' → ')}`);
        return;
      }
      for (const origin of lookup.inputs.values()) {
        const needed = origin.kind === 'lookup' ? byAlias.get(origin.alias) : undefined;
        if (needed) visit(needed, [...trail, lookup.alias]);
      }
      ordered.add(lookup);
    };
    for (const lookup of lookups) visit(lookup, []);
    return [...ordered];
  }

  private droppable(): readonly string[] {
    const { overflow, claims } = this.document;
    if (overflow === 'fail') return [];
    overflow.drop.forEach((name, index) => {
      if (!Object.hasOwn(claims, name)) this.refuse(['overflow', 'drop', index], `there is no claim ${name}`);
    });
    return overflow.drop;
  }
}

/** Stands where a reference was refused, so that the rest of the document is still checked. */
const nowhere: Origin = { kind: 'subject', property: 'id' };

function isSubjectProperty(name: string): name is SubjectProperty {
  return (subjectProperties as readonly string[]).includes(name);
}
