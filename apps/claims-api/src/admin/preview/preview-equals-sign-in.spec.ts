import { setTimeout as wait } from 'node:timers/promises';
import { parseTokenIssuanceStart } from '#auth-events';
import {
  Attributes,
  Deadline,
  MappingStore,
  ambiguous,
  compileMapping,
  found,
  notFound,
  unavailable,
  type CompileContext,
  type Following,
  type LoadedMappings,
  type LookupQuery,
  type Outcome,
  type Plan,
  type Resolution,
  type StoredMapping,
} from '#claims';
import { composeSource, type ComposedSource } from '#connectors';
import { createLogger } from '#observability';
import { FakeSource } from '#testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { signInOf } from '../../events/sign-in.js';
import { ClaimMappingService } from '../../mapping/claim-mapping.service.js';
import type { PreviewBody, PreviewRequest } from '../contract/preview.js';
import { candidateOf } from '../mappings/mapping-check.js';
import { explainBody } from './explain-body.js';
import { Previews } from './previews.js';

const tenant = 'contoso';
const tenantId = '7d1c5a0e-4c61-4b6f-9d55-2f8a4c1b9e10';
const application = '3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9a01';
const other = '3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9a02';
const client = 'c1111111-1111-4111-8111-111111111111';
const people = ['90847c2a-e29d-4d2f-9f54-c5b4d3f20001', '90847c2a-e29d-4d2f-9f54-c5b4d3f20002'];
const operation = 60;
/** Longer than all lookups of a mapping one after the other: which of them were asked must not depend on the machine. */
const deadlineMs = 20_000;
const log = createLogger('silent');

/** What a source does when it is asked: the same for whoever asks. */
type Behaviour =
  | { readonly kind: 'found'; readonly values: Readonly<Record<string, readonly string[]>> }
  | { readonly kind: 'notFound' | 'ambiguous' | 'throws' | 'hangs' | 'connection' | 'refused' };

const behaviour: fc.Arbitrary<Behaviour> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('found' as const),
      values: fc.dictionary(fc.constantFrom('a', 'b'), fc.array(fc.constantFrom('x', 'y', ''), { minLength: 1, maxLength: 2 }), {
        minKeys: 1,
      }),
    }),
  },
  fc.constantFrom('notFound', 'ambiguous', 'throws', 'hangs', 'connection', 'refused').map((kind) => ({ kind })),
);

/** Mostly the same person, so that what was kept matters. */
const user: fc.Arbitrary<object | undefined> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ id: people[0], onPremisesSamAccountName: '1', userType: 'Member' }) },
  fc.option(
    fc.record({
      id: fc.constantFrom(...people),
      onPremisesSamAccountName: fc.option(fc.constantFrom('1', '2')),
      userType: fc.option(fc.constantFrom('Member', 'Guest')),
    }),
    { nil: undefined },
  ),
);

/** Which call it is. Entra may leave out either principal, and then there may be no application. */
const call = fc.record({
  resource: fc.constantFrom<string | null>(application, application, other, null),
  client: fc.constantFrom<string | null>(application, client, null),
  protocol: fc.constantFrom('OAUTH2.0', 'SAML'),
});

const anyEvent = fc.record({ user, call }).map(({ user: person, call: { resource, client: asking, protocol } }) => {
  const principal = (appId: string | null) => appId && { id: appId, appId, appDisplayName: 'App', displayName: 'App' };
  return {
    type: 'microsoft.graph.authenticationEvent.tokenIssuanceStart',
    source: `/tenants/${tenantId}/applications/${application}`,
    data: {
      '@odata.type': 'microsoft.graph.onTokenIssuanceStartCalloutData',
      tenantId,
      authenticationEventListenerId: other,
      customAuthenticationExtensionId: other,
      authenticationContext: {
        correlationId: other,
        client: { ip: '192.0.2.77', locale: 'en-us', market: 'en-us' },
        protocol,
        clientServicePrincipal: principal(asking),
        resourceServicePrincipal: principal(resource),
        ...(person && { user: person }),
      },
    },
  };
});

const origins = ['person.a', 'person.b', 'more.a', 'more.b', 'subject.id', 'subject.userType'];
const origin = fc.constantFrom(...origins);
const lookupOrigin = fc.constantFrom(...origins.filter((each) => !each.startsWith('subject')));

const transform: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    'ToUppercase',
    'ToLowercase',
    'First',
    'Sort',
    'Unique',
    { Split: '1' },
    { Map: { x1: 'mapped' }, otherwise: 'keep' },
    { Filter: { startsWith: 'x' } },
    { Substring: { start: 0, length: 1 } },
    { RegexReplace: '^(?P<head>.)', with: '{head}!' },
    { Contains: 'x', otherwise: { default: 'none' } },
    { IfEmpty: { value: 'empty' } },
    { Hash: 'sha256', secret: 'salt' },
    { Pairwise: 'salt' },
  ),
  origin.map((from) => ({ Join: '+', with: [from] })),
  origin.map((from) => ({ IfEmpty: { from } })),
  origin.map((from) => ({ IfNotEmpty: { from }, otherwise: { value: 'nothing' } })),
  origin.map((from) => ({ StartWith: 'x', then: { from }, otherwise: 'keep' })),
);

const condition: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    'subject.userType == "Member"',
    `application == "${application}"`,
    `client == "${client}"`,
    'protocol == "SAML"',
  ),
  lookupOrigin.map((from) => `"x1" in ${from}`),
  lookupOrigin.map((from) => `has(${from})`),
  lookupOrigin.map((from) => `${from} == "x1"`),
  lookupOrigin.map((from) => `${from}.exists(v, v.startsWith("x")) || subject.userType == "Guest"`),
);

const treatment = fc.constantFrom<unknown>('fail', 'omit', { default: 'd' });
const claim = fc.record(
  {
    from: origin,
    list: fc.boolean(),
    when: condition,
    whenMissing: treatment,
    whenUnavailable: fc.oneof(
      treatment,
      treatment.map((then) => ({ stale: '1h', then })),
    ),
    transform: fc.array(transform, { maxLength: 2 }),
  },
  { requiredKeys: ['from'] },
);
type Claims = Readonly<Record<string, { readonly from: string }>>;
const claims: fc.Arbitrary<Claims> = fc.dictionary(fc.constantFrom('c1', 'c2', 'c3', 'c4'), claim, { minKeys: 1 });

/** `person` is found by the person, `more` by what was found of `person`, with a fallback at another source. */
function bodyOf(all: Claims, fallback: boolean): object {
  const text = JSON.stringify(all);
  const uses = (alias: string): boolean => text.includes(`${alias}.`);
  const keep = text.includes('"stale"') ? { keepLastKnown: '1h' } : {};
  return {
    lookups: {
      ...((uses('person') || uses('more')) && { person: { use: 'one.user', ...keep } }),
      ...(uses('more') && {
        more: { use: 'two.more', with: { key: 'person.a' }, ...keep, ...(fallback && { fallback: ['three.more'] }) },
      }),
    },
    claims: Object.fromEntries(
      Object.entries(all).map(([name, each]) => [
        name,
        { ...each, ...(fallback && JSON.stringify(each).includes('more.') && { acceptDegraded: true }) },
      ]),
    ),
  };
}

/** The claims that compile by themselves: what does not is the subject of other specs. */
function compiling(all: Claims, fallback: boolean, context: CompileContext): Claims {
  const alone = (name: string, each: Claims[string]): boolean =>
    compileMapping({ name: 'alone', tenant, applications: [application], ...bodyOf({ [name]: each }, fallback) }, 'r', context)
      .kind === 'compiled';
  return Object.fromEntries(Object.entries(all).filter(([name, each]) => alone(name, each)));
}

/** Some of: a mapping of the application, one of it for one client, the fallback; and a claim set that they may include. */
const documents = fc.record({
  whole: fc.option(claims, { nil: undefined, freq: 8 }),
  narrow: fc.option(claims, { nil: undefined }),
  rest: fc.option(claims, { nil: undefined }),
  set: fc.option(claims, { nil: undefined }),
  including: fc.subarray(['whole', 'narrow', 'rest']),
  fallback: fc.boolean(),
});

const scopes = {
  whole: { applications: [application] },
  narrow: { applications: [application], clients: [client] },
  rest: { applications: ['*'] },
};

function documentsOf(
  { set, including, fallback, ...parts }: typeof documents extends fc.Arbitrary<infer Parts> ? Parts : never,
  context: CompileContext,
): readonly StoredMapping[] {
  const written: Record<string, unknown>[] = [];
  const own = set && compiling(set, fallback, context);
  if (own && Object.keys(own).length > 0) written.push({ claimSet: 'basics', tenant, ...bodyOf(own, fallback) });
  const includes = written.length > 0;
  for (const [name, scope] of Object.entries(scopes)) {
    const part = parts[name as keyof typeof scopes];
    if (part === undefined) continue;
    const include = includes && including.includes(name) ? { include: ['basics'] } : {};
    written.push({ name, tenant, ...scope, ...include, ...bodyOf(compiling(part, fallback, context), fallback) });
  }
  return written.map((document) => candidateOf(document));
}

class GivenMappings extends MappingStore {
  override readonly kind = 'given';
  override readonly following: Following = { listening: true };

  constructor(private readonly mappings: readonly StoredMapping[]) {
    super();
  }

  override load(): Promise<LoadedMappings> {
    return Promise.resolve({ kind: 'loaded', mappings: this.mappings });
  }

  override onPublish(): Disposable {
    return { [Symbol.dispose]: () => undefined };
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }
}

class World {
  readonly told: unknown[] = [];
  readonly context: CompileContext;
  private readonly behaviours = new Map<string, Behaviour>();
  private readonly sources: ReadonlyMap<string, ComposedSource>;

  constructor(ttl: number, failures: number) {
    const times = { ttl, staleWhileRevalidate: 0, negativeTtl: ttl };
    const locate = [
      { key: 'onPremisesSamAccountName' as const, when: {}, fallThrough: true },
      { key: 'id' as const, when: { userType: { kind: 'oneOf' as const, texts: ['Member'] } }, fallThrough: false },
    ];
    const compose = (name: string, lookup: string, description: object): readonly [string, ComposedSource] => [
      name,
      composeSource(
        new FakeSource(name, { [lookup]: { ...description, answer: (query, signal) => this.answer(name, query, signal) } }),
        {
          limits: { operation, connect: 1_000, concurrency: 4, queue: 16 },
          breaker: { failures, retryAfter: 3_600_000 },
          cache: { entries: 100, bytes: 100_000 },
          lookups: { [lookup]: { parameters: [], locate: [], cache: ttl > 0 ? times : undefined } },
        },
        {
          fetched: (event) => this.told.push(event),
          answered: (event) => this.told.push(event),
          circuit: (event) => this.told.push(event),
        },
        60_000,
      ),
    ];
    this.sources = new Map([
      compose('one', 'user', { locate }),
      compose('two', 'more', { parameters: ['key'] }),
      compose('three', 'more', { parameters: ['key'] }),
    ]);
    this.context = {
      tenants: new Set([tenant]),
      sources: new Map([...this.sources].map(([name, { source }]) => [name, { source, tenants: new Set([tenant]) }])),
      secrets: new Map([['salt', { tenants: new Set([tenant]), value: () => Buffer.alloc(32, 7) }]]),
    };
  }

  behave(behaviours: Readonly<Record<string, Behaviour>>): void {
    for (const [name, each] of Object.entries(behaviours)) this.behaviours.set(name, each);
  }

  /** A service with these documents in force. */
  async serve(stored: readonly StoredMapping[]): Promise<ClaimMappingService> {
    const service = new ClaimMappingService(new GivenMappings(stored), undefined, this.context, log);
    await service.load();
    return service;
  }

  async signIn(service: ClaimMappingService, sent: object): Promise<object> {
    const parsed = parseTokenIssuanceStart(Buffer.from(JSON.stringify(sent)));
    if (parsed.kind === 'refused') throw new Error(JSON.stringify(parsed.issues));
    const { call: of, subject } = signInOf(parsed.event);
    const selection = service.select(tenant, of);
    if (selection.kind === 'none') return { answer: 'noMapping', claims: [] };
    if (selection.kind !== 'mapping') return { answer: 'failure', code: `mapping.${selection.kind}`, claims: [] };
    using deadline = new Deadline(deadlineMs);
    return shown(selection.plan, await service.resolve(selection, subject, deadline, { explain: 'values' }));
  }

  async preview(service: ClaimMappingService, sent: object, mapping?: PreviewRequest['mapping']): Promise<object> {
    const previews = new Previews({
      configuration: { document: { tenants: { [tenant]: { tenantId, unmappedApplications: 'empty' } } }, deadline: deadlineMs },
      mappings: service,
      sources: { previewOf: (name: string) => this.sources.get(name)?.preview },
      workbench: {
        version: (key: { readonly name: string }) => {
          const known = service.stored.find(({ origin: at }) => at === `${tenant}/${key.name}`);
          return Promise.resolve(known?.content.kind === 'document' ? known.content.document : undefined);
        },
      },
      trail: { record: () => Promise.resolve() },
      metrics: { previews: { inc: () => undefined } },
      turns: { take: (work: () => Promise<unknown>) => work() },
    } as unknown as ConstructorParameters<typeof Previews>[0]);
    const request = { tenant, event: sent as Record<string, unknown>, values: true, ...(mapping && { mapping }) };
    const {
      answer,
      code,
      failedClaims,
      mapping: by,
      claims: given,
      deviations,
      explain,
    } = await previews.run(request, { id: 'x' }, true);
    return {
      answer,
      ...(code !== undefined && { code }),
      ...(failedClaims && { failedClaims }),
      ...(by && { mapping: by.name, revision: by.revision, deviations, explain: timeless(explain) }),
      claims: given,
    };
  }

  get traces(): object {
    return { told: this.told.length, sources: [...this.sources.values()].map(({ health, kept }) => [health(), kept()]) };
  }

  async close(): Promise<void> {
    await Promise.all([...this.sources.values()].map(({ source }) => source.close()));
  }

  private async answer(name: string, { parameters }: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    const what = this.behaviours.get(name)!;
    const key = [...parameters.values()].join(' ');
    switch (what.kind) {
      case 'found': {
        const entries = Object.entries(what.values).map(
          ([attribute, values]) => [attribute, values.map((text) => text && `${text}${key}`)] as const,
        );
        return found(new Attributes(entries));
      }
      case 'notFound':
        return notFound('noEntry');
      case 'ambiguous':
        return ambiguous;
      case 'throws':
        throw new Error('a defect');
      case 'hangs':
        await wait(10 * operation, undefined, { signal, ref: false }).catch(() => undefined);
        return unavailable('timeout');
      default:
        return unavailable(what.kind);
    }
  }
}

/** What a sign-in got, as a preview would say it. */
function shown({ mapping, revision }: Plan, resolution: Resolution): object {
  const named = { mapping, revision, deviations: resolution.deviations, explain: timeless(explainBody(resolution)) };
  if (resolution.kind === 'failed')
    return { ...named, answer: 'failure', code: resolution.code, failedClaims: resolution.claims, claims: [] };
  return {
    ...named,
    answer: 'claims',
    claims: [...resolution.claims].map(([name, value]) => ({
      name,
      list: typeof value !== 'string',
      count: typeof value === 'string' ? 1 : value.length,
      value,
    })),
  };
}

/** Times and ages differ from one run to the next; whether there is an age does not. */
function timeless({ lookups, claims: explained }: PreviewBody['explain']): object {
  const untimed = lookups.map(({ ms: _ms, ageMs, lastKnownAgeMs, ...account }) => ({
    ...account,
    kept: ageMs !== undefined,
    lastKnown: lastKnownAgeMs !== undefined,
  }));
  return { lookups: untimed, claims: explained };
}

const behaviours = fc.record({ one: behaviour, two: behaviour, three: behaviour });

it(
  'a preview is what the sign-in gets, whatever is kept and whatever breaks, and no sign-in notices it',
  { timeout: 120_000 },
  async () => {
    const seen = new Map<string, number>();
    const see = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1);
    await fc.assert(
      fc.asyncProperty(
        documents,
        fc.constantFrom(0, 3_600_000),
        fc.constantFrom(1, 100),
        fc.array(fc.record({ behaviours, event: anyEvent }), { maxLength: 4 }),
        behaviours,
        anyEvent,
        async (parts, ttl, failures, past, present, now) => {
          const world = new World(ttl, failures);
          const service = await world.serve(documentsOf(parts, world.context));
          for (const earlier of past) {
            world.behave(earlier.behaviours);
            await world.signIn(service, earlier.event);
          }
          world.behave(present);
          const before = world.traces;
          const preview = await world.preview(service, now);
          // What is in force already, as if it were to be: by its name, and as a document.
          const again = service.stored.map(({ content }) => content.kind === 'document' && content.document);
          for (const document of again as Record<string, unknown>[]) {
            if (document['name'] !== undefined)
              expect(await world.preview(service, now, { name: document['name'] as string, version: 'published' })).toEqual(
                preview,
              );
            expect(await world.preview(service, now, { document })).toEqual(preview);
          }
          expect(world.traces).toEqual(before);
          expect(preview).toEqual(await world.signIn(service, now));
          await world.close();
          const { answer, mapping = 'none' } = preview as { answer: string; mapping?: string };
          see(answer);
          see(mapping);
          for (const word of ['"condition"', '"unproven"', '"stale"', '"degraded"', '"IfNotEmpty"'])
            if (JSON.stringify(preview).includes(word)) see(word);
        },
      ),
      { numRuns: 250 },
    );
    for (const what of ['claims', 'failure', 'noMapping', 'whole', 'narrow', 'rest', '"condition"', '"unproven"', '"IfNotEmpty"'])
      expect(seen.get(what) ?? 0, `${what} of ${JSON.stringify([...seen])}`).toBeGreaterThan(0);
  },
);

it(
  'a preview beside what is in force is what the sign-in gets once the document is published',
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(documents, documents, behaviours, anyEvent, async (parts, changed, present, now) => {
        const world = new World(0, 100);
        world.behave(present);
        const inForce = documentsOf(parts, world.context);
        const service = await world.serve(inForce);
        for (const candidate of documentsOf(changed, world.context)) {
          const published = await world.serve([...inForce.filter(({ origin: at }) => at !== candidate.origin), candidate]);
          // What is refused is the subject of other specs.
          if (service.state.snapshot.problems.length + published.state.snapshot.problems.length > 0) continue;
          const document = (candidate.content as { readonly document: Record<string, unknown> }).document;
          expect(await world.preview(service, now, { document })).toEqual(await world.signIn(published, now));
        }
        await world.close();
      }),
      { numRuns: 150 },
    );
  },
);
