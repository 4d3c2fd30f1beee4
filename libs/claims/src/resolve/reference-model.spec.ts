import { FakeSource } from '#testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Attributes } from '../attributes.js';
import { ambiguous, found, notFound, unavailable, type Outcome } from '../outcome.js';
import { compileMapping } from '../plan/compile-mapping.js';
import { Deadline } from './deadline.js';
import { resolveClaims } from './resolve-claims.js';

/** How a source answers; `known` is the age of a last known value. */
type Answer = 'value' | 'several' | 'noValue' | 'nobody' | 'ambiguous' | 'down' | { readonly known: number };

interface LookupCase {
  readonly answer: Answer;
  readonly fallback: Answer | undefined;
  /** Which earlier lookups give its parameters; none: the subject does. */
  readonly needs: readonly number[];
  readonly keeps: number;
  readonly accepts: boolean;
}

interface ClaimCase {
  readonly of: number;
  readonly list: boolean;
  readonly accepts: boolean;
  readonly stale: number;
  readonly whenUnavailable: 'fail' | 'omit' | 'default';
  readonly whenMissing: 'fail' | 'omit' | 'default';
  /** Its condition: the lookup that it reads, and whether it wants that there is a value or that there is none. */
  readonly gate: { readonly of: number; readonly wants: 'presence' | 'absence' | 'value' } | undefined;
}

type Seen = 'value' | 'several' | 'missing' | 'unavailable';

/**
 * The rules of docs/reference/outcomes.md, said a second time and as plainly as possible: for one lookup, what a reader sees who
 * accepts last known values of some age, and degraded ones or not.
 */
function model(lookups: readonly LookupCase[]) {
  const direct = (answer: Answer): Seen | Extract<Answer, object> | 'ambiguous' => {
    if (typeof answer === 'object' || answer === 'ambiguous') return answer;
    return ({ value: 'value', several: 'several', noValue: 'missing', nobody: 'missing', down: 'unavailable' } as const)[answer];
  };
  /** Whether the lookup is asked, with certain or with degraded parameters, or only for what was known. */
  const parameters = (index: number): 'certain' | 'degraded' | 'missing' | 'unavailable' | { oldest: number } => {
    const { needs, accepts, keeps } = lookups[index]!;
    const seen = needs.map((need) => see(need, 0, accepts));
    if (!seen.some(({ what }) => what === 'unavailable')) {
      if (seen.some(({ what }) => what === 'several')) return 'unavailable';
      if (seen.some(({ what }) => what === 'missing')) return seen.some(({ by }) => by) ? 'unavailable' : 'missing';
      return seen.some(({ by }) => by === 'degraded') ? 'degraded' : 'certain';
    }
    if (keeps === 0) return 'unavailable';
    const old = needs.map((need) => see(need, keeps, accepts));
    return old.every(({ what }) => what === 'value') ? { oldest: Math.max(...old.map(({ age }) => age)) } : 'unavailable';
  };
  const see = (index: number, stale: number, degraded: boolean): { what: Seen; by?: 'stale' | 'degraded'; age: number } => {
    const { answer, fallback, keeps } = lookups[index]!;
    const asked = parameters(index);
    const nothing = { what: 'unavailable', age: 0 } as const;
    if (asked === 'missing') return { what: 'missing', age: 0 };
    if (asked === 'unavailable') return nothing;
    const main = direct(answer);
    const known = typeof main === 'object' && main.known <= keeps ? main.known : undefined;
    if (typeof asked === 'object') {
      const age = known === undefined ? Infinity : Math.max(known, asked.oldest);
      return age <= stale ? { what: 'value', by: 'stale', age } : nothing;
    }
    if (main === 'ambiguous') return nothing;
    if (main !== 'unavailable' && typeof main !== 'object') {
      if (asked === 'certain') return { what: main, age: 0 };
      return degraded ? { what: main, by: 'degraded', age: 0 } : nothing;
    }
    const second = fallback && direct(fallback);
    if (degraded && (second === 'value' || second === 'several' || second === 'missing'))
      return { what: second, by: 'degraded', age: 0 };
    if (known !== undefined && known <= stale && (asked === 'certain' || degraded))
      return { what: 'value', by: 'stale', age: known };
    return nothing;
  };
  return see;
}

const ages = [1, 2, 3] as const;
const answers = fc.constantFrom<Answer[]>(
  'value',
  'several',
  'noValue',
  'nobody',
  'ambiguous',
  'down',
  ...ages.map((known) => ({ known })),
);
const policy = fc.constantFrom('fail', 'omit', 'default');

const cases = fc.integer({ min: 1, max: 5 }).chain((count) =>
  fc.record({
    lookups: fc.tuple(
      ...Array.from({ length: count }, (_, index) =>
        fc.record<LookupCase>({
          answer: answers,
          fallback: fc.option(answers, { nil: undefined }),
          needs: fc.subarray(
            Array.from({ length: index }, (_unused, earlier) => earlier),
            { maxLength: Math.min(2, index) },
          ),
          keeps: fc.constantFrom(0, ...ages),
          accepts: fc.boolean(),
        }),
      ),
    ),
    claims: fc.array(
      fc.record<ClaimCase>({
        of: fc.integer({ min: 0, max: count - 1 }),
        list: fc.boolean(),
        accepts: fc.boolean(),
        stale: fc.constantFrom(0, ...ages),
        whenUnavailable: policy,
        whenMissing: policy,
        gate: fc.option(
          fc.record({ of: fc.integer({ min: 0, max: count - 1 }), wants: fc.constantFrom('presence', 'absence', 'value') }),
          { nil: undefined },
        ),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  }),
);

function conditionOf({ of, wants }: NonNullable<ClaimCase['gate']>): string {
  return { presence: `has(l${of}.x)`, absence: `!has(l${of}.x)`, value: `l${of}.x == "value"` }[wants];
}

/** No longer than what the claim reads is kept; none where its own lookup keeps nothing. */
function staleOf({ stale, of, gate }: ClaimCase, lookups: readonly LookupCase[]): number {
  const kept = lookups[of]!.keeps;
  const gateKept = gate === undefined ? 0 : lookups[gate.of]!.keeps;
  return Math.min(stale, kept, gateKept === 0 ? kept : gateKept);
}

const hours = (age: number): number => age * 3_600_000;

function outcomeOf(answer: Answer, keeps: number): Outcome {
  if (typeof answer === 'object') {
    const lastKnown = { attributes: new Attributes([['x', ['value']]]), age: hours(answer.known) };
    return answer.known <= keeps ? { ...unavailable('timeout'), lastKnown } : unavailable('timeout');
  }
  return {
    value: found(new Attributes([['x', ['value']]])),
    several: found(new Attributes([['x', ['one', 'two']]])),
    noValue: found(new Attributes([['y', ['z']]])),
    nobody: notFound('noEntry'),
    ambiguous,
    down: unavailable('connection'),
  }[answer];
}

/** The document, with the words left out that would be of no use and so would not compile. */
function documentOf(lookups: readonly LookupCase[], claims: readonly ClaimCase[]): object {
  const degradable = lookups.map(() => false);
  for (const [index, { fallback, needs, accepts }] of lookups.entries())
    degradable[index] = fallback !== undefined || (accepts && needs.some((need) => degradable[need]));
  const everyone = lookups.map((_, index) => [
    [
      `seen${index}`,
      { from: `l${index}.x`, list: true, whenUnavailable: 'omit', ...(degradable[index] && { acceptDegraded: true }) },
    ],
    ...(lookups[index]!.keeps > 0
      ? [[`kept${index}`, { from: `l${index}.x`, list: true, whenUnavailable: { stale: '1h', then: 'omit' } }]]
      : []),
  ]);
  const treatment = (name: ClaimCase['whenMissing']): unknown => (name === 'default' ? { default: 'default' } : name);
  return {
    name: 'm',
    tenant: 't',
    applications: ['00000000-0000-0000-0000-000000000001'],
    lookups: Object.fromEntries(
      lookups.map(({ fallback, needs, keeps, accepts }, index) => [
        `l${index}`,
        {
          use: `main.l${index}`,
          with: Object.fromEntries(
            needs.length > 0 ? needs.map((need, position) => [`p${position}`, `l${need}.x`]) : [['p0', 'subject.id']],
          ),
          ...(keeps > 0 && { keepLastKnown: `${keeps}h` }),
          ...(fallback !== undefined && { fallback: [`spare.l${index}`] }),
          ...(accepts && needs.some((need) => degradable[need]) && { acceptDegraded: true }),
        },
      ]),
    ),
    claims: Object.fromEntries([
      ...everyone.flat(),
      ...claims.map((claim, index) => {
        const stale = staleOf(claim, lookups);
        return [
          `c${index}`,
          {
            from: `l${claim.of}.x`,
            ...(claim.list && { list: true }),
            ...(claim.gate && { when: conditionOf(claim.gate) }),
            ...(claim.accepts &&
              [claim.of, claim.gate?.of].some((of) => of !== undefined && degradable[of]) && { acceptDegraded: true }),
            whenUnavailable:
              stale > 0 ? { stale: `${stale}h`, then: treatment(claim.whenUnavailable) } : treatment(claim.whenUnavailable),
            whenMissing: treatment(claim.whenMissing),
          },
        ];
      }),
    ]),
  };
}

function sourceOf(name: string, lookups: readonly LookupCase[], answer: (lookup: LookupCase) => Answer | undefined): FakeSource {
  return new FakeSource(
    name,
    Object.fromEntries(
      lookups.map((lookup, index) => {
        const given = answer(lookup);
        const outcome = given === undefined ? unavailable('refused') : outcomeOf(given, name === 'main' ? lookup.keeps : 0);
        return [
          `l${index}`,
          {
            parameters: lookup.needs.length > 0 ? lookup.needs.map((_, position) => `p${position}`) : ['p0'],
            answer: ({ keeping }) => {
              if (!keeping?.lastKnownOnly) return outcome;
              return outcome.kind === 'unavailable' ? { ...outcome, reason: 'input' as const } : unavailable('input');
            },
          },
        ];
      }),
    ),
  );
}

it('the answer is what the plain model says, for any plan, outcomes and policies', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ lookups, claims }) => {
      const sources = new Map(
        [sourceOf('main', lookups, ({ answer }) => answer), sourceOf('spare', lookups, ({ fallback }) => fallback)].map(
          (source) => [source.name, { source, tenants: new Set(['t']) }],
        ),
      );
      const compiled = compileMapping(documentOf(lookups, claims), 'r', { tenants: new Set(['t']), sources });
      if (compiled.kind === 'refused') throw new Error(JSON.stringify(compiled.issues));
      using deadline = new Deadline(60_000);
      const resolution = await resolveClaims(compiled.plan, { id: 'u' }, deadline);

      const see = model(lookups);
      const expected = claims.map((claim) => {
        const stale = staleOf(claim, lookups);
        const treated = (why: 'missing' | 'unavailable'): unknown => {
          const treatment = why === 'missing' ? claim.whenMissing : claim.whenUnavailable;
          return treatment === 'default' ? (claim.list ? ['default'] : 'default') : treatment;
        };
        if (claim.gate) {
          const { what } = see(claim.gate.of, stale, claim.accepts);
          const isThere = what === 'value' || what === 'several';
          if (what === 'unavailable' || (what === 'several' && claim.gate.wants === 'value')) return treated('unavailable');
          if (isThere === (claim.gate.wants === 'absence')) return 'omit';
        }
        const { what } = see(claim.of, stale, claim.accepts);
        if (what === 'value') return claim.list ? ['value'] : 'value';
        if (what === 'several' && claim.list) return ['one', 'two'];
        return treated(what === 'missing' ? 'missing' : 'unavailable');
      });
      if (expected.includes('fail')) expect(resolution.kind).toBe('failed');
      else
        expect(resolution.kind === 'resolved' && claims.map((_, index) => resolution.claims.get(`c${index}`) ?? 'omit')).toEqual(
          expected,
        );
    }),
    { numRuns: 1_000 },
  );
});
