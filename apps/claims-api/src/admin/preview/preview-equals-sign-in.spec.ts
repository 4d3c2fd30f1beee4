import { setTimeout as wait } from 'node:timers/promises';
import {
  Attributes,
  Deadline,
  MappingSnapshot,
  ambiguous,
  askThrough,
  found,
  notFound,
  resolveClaims,
  unavailable,
  type LookupQuery,
  type Outcome,
  type Plan,
  type Resolution,
  type Subject,
} from '#claims';
import { composeSource, type ComposedSource } from '#connectors';
import { FakeSource } from '#testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';

const application = '3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9a01';
const operation = 60;

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
const subject: fc.Arbitrary<Subject | undefined> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Subject>({ id: '1', onPremisesSamAccountName: '1', userType: 'Member' }) },
  fc.option(
    fc.record(
      {
        id: fc.constantFrom('1', '2'),
        onPremisesSamAccountName: fc.constantFrom('1', '2'),
        userType: fc.constantFrom('Member', 'Guest'),
      },
      { requiredKeys: [] },
    ),
    { nil: undefined },
  ),
);

const treatment = fc.constantFrom<unknown>('fail', 'omit', { default: 'd' });
const claim = (from: readonly string[]) =>
  fc.record(
    {
      from: fc.constantFrom(...from),
      list: fc.boolean(),
      whenMissing: treatment,
      whenUnavailable: fc.oneof(
        treatment,
        treatment.map((then) => ({ stale: '1h', then })),
      ),
      transform: fc.constantFrom<unknown>([], ['ToUppercase'], ['Sort']),
    },
    { requiredKeys: ['from'] },
  );

/** `person` is found by the person, `more` by what was found of `person`, with a fallback at another source. */
const document = fc
  .record({
    claims: fc.dictionary(
      fc.constantFrom('c1', 'c2', 'c3', 'c4'),
      claim(['person.a', 'person.b', 'more.a', 'more.b', 'subject.id', 'subject.userType']),
      { minKeys: 1 },
    ),
    fallback: fc.boolean(),
  })
  .map(({ claims, fallback }) => {
    const uses = (alias: string): boolean => Object.values(claims).some(({ from }) => from.startsWith(`${alias}.`));
    const stale = (alias: string): boolean =>
      Object.values(claims).some(
        ({ from, whenUnavailable }) =>
          from.startsWith(`${alias}.`) &&
          typeof whenUnavailable === 'object' &&
          whenUnavailable !== null &&
          'stale' in whenUnavailable,
      );
    const keep = (alias: string) => (stale(alias) ? { keepLastKnown: '1h' } : {});
    return {
      name: 'm',
      tenant: 'contoso',
      applications: [application],
      lookups: {
        ...((uses('person') || uses('more')) && { person: { use: 'one.user', ...keep('person') } }),
        ...(uses('more') && {
          more: { use: 'two.more', with: { key: 'person.a' }, ...keep('more'), ...(fallback && { fallback: ['three.more'] }) },
        }),
      },
      claims: Object.fromEntries(
        Object.entries(claims).map(([name, each]) => [
          name,
          { ...each, ...(fallback && each.from.startsWith('more.') && { acceptDegraded: true }) },
        ]),
      ),
    };
  });

class World {
  readonly told: unknown[] = [];
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
  }

  behave(behaviours: Readonly<Record<string, Behaviour>>): void {
    for (const [name, each] of Object.entries(behaviours)) this.behaviours.set(name, each);
  }

  plan(content: object): Plan {
    const sources = new Map([...this.sources].map(([name, { source }]) => [name, { source, tenants: new Set(['contoso']) }]));
    const stored = { origin: 'contoso/m', revision: 'r', content: { kind: 'document' as const, document: content } };
    const result = MappingSnapshot.empty.compileBeside(stored, { tenants: new Set(['contoso']), sources });
    // What does not compile is the subject of other specs.
    fc.pre(result.kind === 'compiled');
    return (result as { readonly plan: Plan }).plan;
  }

  async signIn(plan: Plan, person: Subject | undefined): Promise<Resolution> {
    using deadline = new Deadline(5_000);
    return resolveClaims(plan, person, deadline, { explain: 'values' });
  }

  async preview(plan: Plan, person: Subject | undefined): Promise<Resolution> {
    using deadline = new Deadline(5_000);
    const through = askThrough(plan, (name) => this.sources.get(name)?.preview);
    return resolveClaims(through, person, deadline, { explain: 'values', noHandOver: true });
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

/** Times and ages differ from one run to the next; whether there is an age does not. */
function timeless({ lookups, explanation, ...rest }: Resolution): object {
  const untimed = lookups.map(({ ms: _ms, age, lastKnownAge, ...account }) => ({
    ...account,
    kept: age !== undefined,
    lastKnown: lastKnownAge !== undefined,
  }));
  return { ...rest, lookups: untimed, claims: explanation?.claims };
}

const behaviours = fc.record({ one: behaviour, two: behaviour, three: behaviour });

it(
  'a preview is what the sign-in gets, whatever is kept and whatever breaks, and no sign-in notices it',
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        document,
        fc.constantFrom(0, 3_600_000),
        fc.constantFrom(1, 100),
        fc.array(fc.record({ behaviours, subject }), { maxLength: 4 }),
        behaviours,
        subject,
        async (content, ttl, failures, past, present, person) => {
          const world = new World(ttl, failures);
          const plan = world.plan(content);
          for (const earlier of past) {
            world.behave(earlier.behaviours);
            await world.signIn(plan, earlier.subject);
          }
          world.behave(present);
          const before = world.traces;
          const preview = await world.preview(plan, person);
          expect(world.traces).toEqual(before);
          expect(timeless(preview)).toEqual(timeless(await world.signIn(plan, person)));
          await world.close();
        },
      ),
      { numRuns: 250 },
    );
  },
);
