import { Condition } from '../condition/condition.js';
import type {
  ClaimDocument,
  ConfigurationIssue,
  LookupDocument,
  MappingDocument,
  TreatmentDocument,
} from '../mapping/mapping-document.js';
import { subjectProperties, type SubjectProperty } from '../subject.js';
import { checkDegraded, checkStale } from './check-keeping.js';
import { trustIssues } from './check-trust.js';
import { checkClaimNames } from './claim-names.js';
import type { CompileContext } from './compile-context.js';
import { inDependencyOrder } from './dependency-order.js';
import type { Included } from './include-claim-sets.js';
import type { AskedLookup, ClaimValue, Origin, Plan, PlannedClaim, PlannedCondition, PlannedLookup, Policy } from './plan.js';
import { compileTransform } from './compile-transform.js';
import type { Transform, TransformCompiler } from './transform.js';

type Path = readonly (string | number)[];

interface Compilation extends Pick<Included, 'claimSets' | 'origins'> {
  readonly revision: string;
  readonly context: CompileContext;
}

/** Compiles one mapping, its claim sets already in it. Issues are collected, so that an author sees all of them at once. */
export class MappingCompiler {
  readonly issues: ConfigurationIssue[] = [];
  readonly warnings: ConfigurationIssue[] = [];
  private readonly projections = new Map<string, Map<string, string>>();
  private readonly aliases: ReadonlySet<string>;

  constructor(
    private readonly document: MappingDocument,
    private readonly compilation: Compilation,
  ) {
    this.aliases = new Set(Object.keys(document.lookups));
  }

  compile(): Plan {
    const { document } = this;
    const { context, revision, claimSets } = this.compilation;
    if (!context.tenants.has(document.tenant)) this.refuse(['tenant'], `there is no tenant ${document.tenant}`);
    for (const alias of this.aliases) this.projections.set(alias, new Map());
    checkClaimNames(Object.keys(document.claims), this.refuse, this.warn);

    const claims = Object.entries(document.claims).map(([name, claim]) => this.claim(name, claim));
    const lookups = Object.entries(document.lookups).flatMap(([alias, lookup]) => this.lookup(alias, lookup));
    for (const lookup of lookups) this.checkAttributes(lookup);
    const ordered = inDependencyOrder(lookups, this.refuse);
    checkStale(document, claims, this.refuse, this.refuseUseless);
    checkDegraded(document, ordered, claims, this.refuseUseless);
    for (const [alias, attributes] of this.projections)
      if (attributes.size === 0)
        this.refuseUseless(
          ['lookups', alias],
          'is not used by any claim or lookup',
          'use it as the from of a claim, or leave it out',
        );

    return {
      tenant: document.tenant,
      mapping: document.name,
      revision,
      claimSets,
      applications: document.applications,
      clients: document.clients && new Set(document.clients),
      extensions: document.extensions && new Set(document.extensions),
      lookups: ordered
        .map((lookup) => ({ ...lookup, projection: [...this.projections.get(lookup.alias)!.values()] }))
        .filter(({ projection }) => projection.length > 0),
      claims,
      droppable: this.droppable(),
      tests: this.tests(),
    };
  }

  private readonly refuse = (path: Path, reason: string, remedy?: string): void => {
    this.issues.push(this.issue(path, reason, remedy));
  };

  private readonly warn = (path: Path, reason: string, remedy?: string): void => {
    this.warnings.push(this.issue(path, reason, remedy));
  };

  /** A claim set may give more than this mapping takes; what the mapping says itself must be of use. */
  private readonly refuseUseless = (path: Path, reason: string, remedy?: string): void => {
    const issue = this.issue(path, reason, remedy);
    if (issue.document === undefined) this.issues.push(issue);
  };

  private issue(path: Path, reason: string, remedy: string | undefined): ConfigurationIssue {
    const document = this.compilation.origins.get(`${path[0]}.${path[1]}`);
    return { path, reason, ...(remedy !== undefined && { remedy }), ...(document !== undefined && { document }) };
  }

  private claim(name: string, document: ClaimDocument): PlannedClaim {
    const path = ['claims', name];
    const fixed = document.value === undefined ? undefined : [document.value].flat();
    const from = fixed
      ? { kind: 'constant' as const, values: fixed }
      : (this.origin(document.from!, [...path, 'from']) ?? nowhere);
    const operands: Origin[] = [];
    const compiler: TransformCompiler = {
      refuse: this.refuse,
      operand: (reference, at) => operands.push(this.origin(reference, at) ?? nowhere) - 1,
      secret: (secret, at) => this.secret(secret, at),
    };
    const transforms = document.transform.map((transform, index) =>
      compileTransform(transform, compiler, [...path, 'transform', index]),
    );
    this.checkKinds(from, transforms, [...path, 'transform']);
    const last = transforms.findLast((transform) => transform.yields !== 'same');
    if (document.list && last?.yields === 'text')
      this.refuse(
        [...path, 'list'],
        `contradicts the transform ${last.name}, which yields one text`,
        `leave out list: true or ${last.name}`,
      );
    const list = document.list || last?.yields === 'list' || (Array.isArray(document.value) && last === undefined);
    const { whenUnavailable } = document;
    const isStale = typeof whenUnavailable === 'object' && 'stale' in whenUnavailable;
    const when = document.when === undefined ? undefined : this.condition(document.when, [...path, 'when']);
    return {
      name,
      from,
      ...(when && { when }),
      transforms,
      operands,
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

  /** Text comes from the event, the document, or a transform that gives it. */
  private checkKinds(from: PlannedClaim['from'], transforms: readonly Transform[], path: Path): void {
    let isText = from.kind !== 'lookup';
    let isMixed = false;
    for (const [index, { name, takes, gives }] of transforms.entries()) {
      if (takes === 'bytes' && isText)
        this.refuse([...path, index], `${name} takes bytes, and what it gets is text`, 'leave it out, or put it first');
      else if (takes === 'bytes' && isMixed)
        this.refuse([...path, index], `${name} takes bytes, and what it gets may be text`, 'put it before what stands in');
      if (takes !== 'any' || gives === 'text') isText = true;
      if (gives === 'mixed') isMixed = true;
    }
  }

  private condition(text: string, path: Path): PlannedCondition | undefined {
    const result = Condition.compile(text, { lookups: this.aliases });
    if (result.kind === 'refused') {
      for (const { reason, remedy } of result.issues) this.refuse(path, reason, remedy);
      return undefined;
    }
    const origins = result.condition.references.map(({ scope, name }) => this.origin(`${scope}.${name}`, path) ?? nowhere);
    return { condition: result.condition, origins };
  }

  private policy(policy: TreatmentDocument, list: boolean, path: readonly string[]): Policy {
    if (typeof policy === 'string') return policy;
    const isList = Array.isArray(policy.default);
    if (isList && !list) this.refuse([...path, 'default'], 'is a list, but the claim is text; say list: true');
    const value: ClaimValue = list && !isList ? [policy.default as string] : policy.default;
    return { default: value };
  }

  /** Resolves a reference and adds the attribute to its lookup's projection. */
  private origin(reference: string, path: Path): Origin | undefined {
    const dot = reference.indexOf('.');
    const [scope, name] = [reference.slice(0, dot), reference.slice(dot + 1)];
    if (scope === 'subject') {
      if (isSubjectProperty(name)) return { kind: 'subject', property: name };
      this.refuse(path, `the subject has no property ${name}; it has ${subjectProperties.join(', ')}`);
      return undefined;
    }
    const projection = this.projections.get(scope);
    if (!projection) {
      const there = [...this.aliases].join(', ');
      this.refuse(
        path,
        `there is no lookup ${scope} in this mapping`,
        there === '' ? 'add it to lookups' : `there are ${there}; or add it to lookups`,
      );
      return undefined;
    }
    const key = name.toLowerCase();
    if (!projection.has(key)) projection.set(key, name);
    return { kind: 'lookup', alias: scope, attribute: name };
  }

  private secret(name: string, path: Path): ReturnType<TransformCompiler['secret']> {
    const { secrets } = this.compilation.context;
    const secret = secrets?.get(name);
    if (!secret)
      this.refuse(path, `there is no secret ${name} for mappings`, 'ask the operator to add it to secrets in claimbridge.yaml');
    else if (!secret.tenants.has(this.document.tenant))
      this.refuse(path, `the secret ${name} does not serve the tenant ${this.document.tenant}`);
    else return secret;
    return undefined;
  }

  private lookup(alias: string, document: LookupDocument): readonly PlannedLookup[] {
    const path = ['lookups', alias];
    const inputs = new Map<string, Origin>();
    for (const [parameter, reference] of Object.entries(document.with ?? {})) {
      const origin = this.origin(reference, [...path, 'with', parameter]);
      if (origin) inputs.set(parameter, origin);
    }
    for (const issue of trustIssues(inputs, document.trustUnverified))
      this.refuse([...path, ...issue.path], issue.reason, issue.remedy);
    const asked = this.asked(document.use, [...path, 'use']);
    const fallbacks = (document.fallback ?? []).map((use, index) => this.asked(use, [...path, 'fallback', index]));
    if (!asked) return [];
    const given = Object.keys(document.with ?? {});
    const wanted = asked.description.parameters;
    const missing = wanted.filter((parameter) => !given.includes(parameter));
    const unknown = given.filter((parameter) => !wanted.includes(parameter));
    if (missing.length > 0) this.refuse(path, `lacks with: ${missing.join(', ')}, which the lookup ${document.use} asks for`);
    for (const parameter of unknown)
      this.refuse(
        [...path, 'with', parameter],
        `is not a parameter of the lookup ${document.use}`,
        wanted.length === 0 ? 'leave it out: the source itself finds the person' : `it has ${wanted.join(', ')}`,
      );
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

  /** A name that the source refuses would be unavailable at every sign-in. */
  private checkAttributes({ alias, fallbacks, ...own }: PlannedLookup): void {
    for (const { source, lookup, description } of [own, ...fallbacks])
      for (const attribute of this.projections.get(alias)!.values()) {
        const reason = description.refuses?.(attribute);
        if (reason !== undefined) this.refuse(['lookups', alias], `${source.name}.${lookup} has no ${attribute}: ${reason}`);
      }
  }

  private asked(use: string, path: Path): AskedLookup | undefined {
    const [sourceName, lookup] = use.split('.') as [string, string];
    const { sources } = this.compilation.context;
    const { tenant } = this.document;
    const registered = sources.get(sourceName);
    const description = registered?.source.lookups.get(lookup);
    const serving = (): string =>
      [...sources].flatMap(([name, { tenants }]) => (tenants.has(tenant) ? [name] : [])).join(', ') || 'none';
    if (!registered)
      this.refuse(path, `there is no source ${sourceName}`, `the sources of the tenant ${tenant} are: ${serving()}`);
    else if (!registered.tenants.has(tenant))
      this.refuse(
        path,
        `the source ${sourceName} does not serve the tenant ${tenant}`,
        `the sources of the tenant ${tenant} are: ${serving()}`,
      );
    else if (!description)
      this.refuse(
        path,
        `the source ${sourceName} has no lookup ${lookup}`,
        `it has ${[...registered.source.lookups.keys()].join(', ')}`,
      );
    else return { source: registered.source, lookup, description };
    return undefined;
  }

  private droppable(): readonly string[] {
    const { overflow, claims } = this.document;
    if (overflow === 'fail') return [];
    overflow.drop.forEach((name, index) => {
      if (!Object.hasOwn(claims, name)) this.refuse(['overflow', 'drop', index], `there is no claim ${name}`);
    });
    return overflow.drop;
  }

  private tests(): MappingDocument['tests'] {
    const { tests, applications, claims } = this.document;
    const isFallback = applications[0] === '*';
    for (const [index, { name, application, given, expect }] of tests.entries()) {
      const path = ['tests', index];
      if (tests.findIndex((other) => other.name === name) < index)
        this.refuse([...path, 'name'], `${name} is the name of another test`);
      if (application !== undefined && !isFallback && !(applications as readonly string[]).includes(application))
        this.refuse([...path, 'application'], `${application} is not an application of this mapping`);
      for (const alias of Object.keys(given))
        if (!this.aliases.has(alias)) this.refuse([...path, 'given', alias], `there is no lookup ${alias} in this mapping`);
      for (const claim of Object.keys(expect ?? {}))
        if (!Object.hasOwn(claims, claim)) this.refuse([...path, 'expect', claim], `there is no claim ${claim} in this mapping`);
    }
    return tests;
  }
}

/** Stands where a reference was refused, so that the rest of the document is still checked. */
const nowhere: Origin = { kind: 'subject', property: 'id' };

function isSubjectProperty(name: string): name is SubjectProperty {
  return (subjectProperties as readonly string[]).includes(name);
}
