import { FakeSource } from '#testing';
import { expect, it } from 'vitest';
import { compileMapping } from './compile-mapping.js';
import { Linking } from './link-plans.js';
import type { Plan } from './plan.js';

const lookup = { parameters: ['mail'] };
const fake = new FakeSource('fake', { a: lookup, b: lookup });
const other = new FakeSource('other', { a: lookup });
const tenants = new Set(['contoso', 'fabrikam']);
const sources = new Map([fake, other].map((source) => [source.name, { source, tenants }]));

function plan(tenant: string, attribute: string, use = 'fake.a', more: object = {}, claim: object = {}): Plan {
  const result = compileMapping(
    {
      name: 'm',
      tenant,
      applications: ['00000000-0000-0000-0000-000000000001'],
      lookups: { x: { use, with: { mail: 'subject.onPremisesUserPrincipalName' }, ...more } },
      claims: { c: { from: `x.${attribute}`, ...claim } },
    },
    'r',
    { tenants, sources },
  );
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.issues));
  return result.plan;
}

function linkPlans(plans: readonly Plan[]): readonly Plan[] {
  const linking = new Linking();
  for (const each of plans) linking.add(each);
  return plans.map((each) => linking.link(each));
}

const asked = (plans: readonly Plan[]): unknown =>
  linkPlans(plans).map(({ lookups: [only] }) => [only!.projection, only!.keepLastKnown]);

it('lets mappings of a tenant ask alike for the same lookup', () => {
  const stale = { whenUnavailable: { stale: '1h' } };
  expect(
    asked([
      plan('contoso', 'department'),
      plan('contoso', 'Mail', 'fake.a', { keepLastKnown: '2h' }, stale),
      plan('contoso', 'mail', 'fake.a', { keepLastKnown: '1h' }, stale),
    ]),
  ).toEqual(Array.from({ length: 3 }, () => [['Mail', 'department'], 7_200_000]));
});

it('keeps apart tenants, lookups and sources', () => {
  expect(
    asked([
      plan('contoso', 'one'),
      plan('fabrikam', 'two'),
      plan('contoso', 'three', 'fake.b'),
      plan('contoso', 'four', 'other.a'),
    ]),
  ).toEqual([
    [['one'], 0],
    [['two'], 0],
    [['three'], 0],
    [['four'], 0],
  ]);
});

it('counts what a fallback is asked for', () => {
  const [first, second] = linkPlans([
    plan('contoso', 'one', 'fake.a', { fallback: ['other.a'] }, { acceptDegraded: true }),
    plan('contoso', 'two', 'other.a'),
  ]);
  expect([first!.lookups[0]!.projection, second!.lookups[0]!.projection]).toEqual([['one'], ['one', 'two']]);
});

it('gives back what asks the same, and only that', () => {
  const [one, two] = [plan('contoso', 'one'), plan('contoso', 'two')];
  const [alone] = linkPlans([one]);
  const again = new Linking();
  again.add(one);
  expect(again.link(one, alone)).toBe(alone);
  again.add(two);
  expect(again.link(one, alone)!.lookups[0]!.projection).toEqual(['one', 'two']);
  const kept = new Linking();
  for (const each of [one, plan('contoso', 'one', 'fake.a', { keepLastKnown: '1h' }, { whenUnavailable: { stale: '1h' } })])
    kept.add(each);
  expect(kept.link(one, alone)!.lookups[0]!.keepLastKnown).toBe(3_600_000);
});
