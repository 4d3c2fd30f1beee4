import {
  Source,
  standInSecret,
  unverifiedProperties,
  type CompileContext,
  type LocateRule,
  type LookupDescription,
  type Outcome,
  type ProbeResult,
  type RegisteredSecret,
  type RegisteredSource,
  type StoredMapping,
  type SubjectProperty,
} from '#claims';

/** A source of which only the lookups are known. It can be compiled against, and never asked. */
export class DescribedSource extends Source {
  constructor(
    override readonly name: string,
    override readonly lookups: ReadonlyMap<string, LookupDescription>,
  ) {
    super();
  }

  override fetch(): Promise<Outcome> {
    throw new Error('a described source is not asked');
  }

  override probe(): Promise<ProbeResult> {
    throw new Error('a described source is not probed');
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }
}

const identifying: readonly SubjectProperty[] = [
  'id',
  'onPremisesSecurityIdentifier',
  'onPremisesUserPrincipalName',
  'onPremisesSamAccountName',
  'userPrincipalName',
  'mail',
];

/**
 * Finds a person by whatever names one, for which of it the operator's lookups go by is not known. What a guest can choose finds members
 * only, as it must in every configuration.
 */
const assumedLocate = identifying.map((key): LocateRule => ({
  key,
  when: unverifiedProperties.has(key) ? { userType: { kind: 'oneOf', texts: ['Member'] } } : {},
  fallThrough: false,
}));

/**
 * A context in which every tenant, source and lookup that the documents name exists, with the parameters that they fill. So a mapping
 * can be checked in itself, without the operator's configuration: its form, its references, its claims and its tests.
 */
export function assumedContext(documents: readonly StoredMapping[]): CompileContext {
  const tenants = new Set<string>();
  const lookups = new Map<string, Map<string, LookupDescription>>();
  for (const { content } of documents) {
    if (content.kind !== 'document' || !isRecord(content.document)) continue;
    const { tenant, lookups: asked } = content.document;
    if (typeof tenant === 'string') tenants.add(tenant);
    for (const lookup of isRecord(asked) ? Object.values(asked) : []) {
      if (!isRecord(lookup)) continue;
      const parameters = isRecord(lookup['with']) ? Object.keys(lookup['with']) : [];
      for (const use of [lookup['use'], ...(Array.isArray(lookup['fallback']) ? (lookup['fallback'] as unknown[]) : [])])
        assume(lookups, use, parameters);
    }
  }
  const registered = [...lookups].map(([name, described]): [string, RegisteredSource] => [
    name,
    { source: new DescribedSource(name, described), tenants },
  ]);
  return { tenants, sources: new Map(registered), secrets: new EverySecret(tenants) };
}

/** Has whatever secret is asked for. */
class EverySecret extends Map<string, RegisteredSecret> {
  constructor(private readonly tenants: ReadonlySet<string>) {
    super();
  }

  override get(): RegisteredSecret {
    return standInSecret(this.tenants);
  }
}

function assume(sources: Map<string, Map<string, LookupDescription>>, use: unknown, parameters: readonly string[]): void {
  const [source, lookup, ...more] = typeof use === 'string' ? use.split('.') : [];
  if (!source || !lookup || more.length > 0) return;
  const lookups = sources.get(source) ?? new Map<string, LookupDescription>();
  sources.set(source, lookups);
  lookups.set(lookup, { parameters, locate: parameters.length > 0 ? [] : assumedLocate });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
