import { FakeSource } from '#testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Attributes } from '../attributes.js';
import { ambiguous, found, notFound, unavailable, type Outcome } from '../outcome.js';
import { compileMapping } from '../plan/compile-mapping.js';
import type { LocateRule, LookupQuery } from '../ports/source.js';
import { Deadline } from './deadline.js';
import { resolveClaims } from './resolve-claims.js';

/** How a source answers a locate rule; `known` and `nobodyFor` are the ages of what was last known, in hours, while it is down. */
type Answer =
  | 'found'
  | 'nobody'
  | 'excluded'
  | 'ambiguous'
  | 'down'
  | { readonly known: number }
  | { readonly nobodyFor: number };

interface RuleCase {
  readonly hasKey: boolean;
  readonly isFor: 'Member' | 'Guest' | undefined;
  readonly fallThrough: boolean;
  readonly answer: Answer;
}

interface Known {
  readonly by: number;
  readonly age: number;
}

type Located =
  | { readonly kind: 'found'; readonly by: number }
  | { readonly kind: 'nobody' | 'ambiguous' }
  | { readonly kind: 'down'; readonly known: Known | undefined };

type Numbered = RuleCase & { readonly number: number };

/** The rules of docs/guides/configuration.md, as plainly as possible, for the rules that are for the person. */
function locate([rule, ...further]: readonly Numbered[]): Located {
  if (rule === undefined || rule.answer === 'excluded') return { kind: 'nobody' };
  const { answer, number, fallThrough } = rule;
  if (answer === 'found') return { kind: 'found', by: number };
  if (answer === 'ambiguous') return { kind: 'ambiguous' };
  if (answer === 'nobody') return fallThrough ? locate(further) : { kind: 'nobody' };
  return { kind: 'down', known: lastKnown([rule, ...further]) };
}

function lastKnown([rule, ...further]: readonly Numbered[]): Known | undefined {
  if (rule === undefined || typeof rule.answer === 'string') return undefined;
  if ('known' in rule.answer) return { by: rule.number, age: rule.answer.known };
  const next = rule.fallThrough ? lastKnown(further) : undefined;
  return next && { by: next.by, age: Math.max(next.age, rule.answer.nobodyFor) };
}

const keys = ['onPremisesSecurityIdentifier', 'onPremisesSamAccountName', 'onPremisesUserPrincipalName', 'mail'] as const;
const hours = (age: number): number => age * 3_600_000;
const ages = fc.constantFrom(1, 2, 3);
const mostly = <Value>(usual: Value, ...others: Value[]) =>
  fc.constantFrom(...others.flatMap(() => [usual, usual, usual]), ...others);
const rules = fc.array(
  fc.record<RuleCase>({
    hasKey: mostly(true, false),
    isFor: mostly(undefined, 'Member', 'Guest'),
    fallThrough: mostly(true, false),
    answer: fc.oneof(
      fc.constantFrom<Answer[]>('found', 'nobody', 'excluded', 'ambiguous', 'down'),
      fc.record({ known: ages }),
      fc.record({ nobodyFor: ages }),
    ),
  }),
  { minLength: 1, maxLength: keys.length },
);

function outcomeOf({ answer }: RuleCase, number: number, { keeping }: LookupQuery): Outcome {
  const attributes = new Attributes([['x', [`by ${number}`]]]);
  const down = unavailable('connection');
  if (typeof answer === 'object') {
    if ('known' in answer) return { ...down, lastKnown: { attributes, age: hours(answer.known) } };
    return keeping?.lastKnownNobody ? { ...down, lastKnownNobody: hours(answer.nobodyFor) } : down;
  }
  if (keeping?.lastKnownOnly) return down;
  return { found: found(attributes), nobody: notFound('noEntry'), excluded: notFound('excluded'), ambiguous, down }[answer];
}

it('people are located as the plain model says, for any rules and answers', async () => {
  await fc.assert(
    fc.asyncProperty(rules, ages, async (cases, stale) => {
      const locateRules = cases.map(({ isFor, fallThrough }, index): LocateRule => ({
        key: keys[index]!,
        when: isFor === undefined ? {} : { userType: { kind: 'oneOf', texts: [isFor] } },
        fallThrough,
      }));
      const answer = (query: LookupQuery): Outcome => outcomeOf(cases[query.locateRule!]!, query.locateRule!, query);
      const source = new FakeSource('ad', { user: { locate: locateRules, answer } });
      const tenants = new Set(['t']);
      const document = {
        name: 'm',
        tenant: 't',
        applications: ['00000000-0000-0000-0000-000000000001'],
        lookups: { person: { use: 'ad.user', keepLastKnown: '3h' } },
        claims: {
          now: { from: 'person.x', whenUnavailable: { default: 'down' }, whenMissing: { default: 'nobody' } },
          lately: { from: 'person.x', whenUnavailable: { stale: `${stale}h`, then: 'omit' }, whenMissing: { default: 'nobody' } },
        },
      };
      const compiled = compileMapping(document, 'r', { tenants, sources: new Map([['ad', { source, tenants }]]) });
      if (compiled.kind === 'refused') throw new Error(JSON.stringify(compiled.issues));
      using deadline = new Deadline(60_000);
      const subject = {
        userType: 'Member',
        ...Object.fromEntries(cases.flatMap(({ hasKey }, index) => (hasKey ? [[keys[index], 'k']] : []))),
      };
      const resolution = await resolveClaims(compiled.plan, subject, deadline);

      const mine = cases.map((rule, number) => ({ ...rule, number })).filter(({ hasKey, isFor }) => hasKey && isFor !== 'Guest');
      const located = locate(mine);
      const known = located.kind === 'down' && located.known && located.known.age <= stale ? `by ${located.known.by}` : undefined;
      const now = { found: located.kind === 'found' && `by ${located.by}`, nobody: 'nobody', ambiguous: 'down', down: 'down' }[
        located.kind
      ];
      const lately = now === 'down' ? known : now;
      expect(resolution.kind === 'resolved' && Object.fromEntries(resolution.claims)).toEqual({ now, ...(lately && { lately }) });
    }),
    { numRuns: 2_000 },
  );
});
