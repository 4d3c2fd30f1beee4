import { FakeSource } from '#testing';
import { describe, expect, it } from 'vitest';
import type { CompileContext } from '../plan/compile-context.js';
import { compileMapping } from '../plan/compile-mapping.js';
import { runMappingTests, type MappingTestResult } from './run-mapping-tests.js';

const application = '00000000-0000-0000-0000-000000000001';
const other = '00000000-0000-0000-0000-000000000002';
const locate = [{ key: 'onPremisesUserPrincipalName', when: {}, fallThrough: false }] as const;
const context: CompileContext = {
  tenants: new Set(['t']),
  sources: new Map(
    [
      new FakeSource('ad', { user: { locate } }),
      new FakeSource('db', { tier: { parameters: ['upn'] } }),
      new FakeSource('spare', { tier: { parameters: ['upn'] } }),
    ].map((source) => [source.name, { source, tenants: new Set(['t']) }]),
  ),
};

const mapping = {
  name: 'm',
  tenant: 't',
  applications: [application, other],
  lookups: {
    person: { use: 'ad.user' },
    billing: { use: 'db.tier', with: { upn: 'person.upn' }, keepLastKnown: '2h', fallback: ['spare.tier'] },
  },
  claims: {
    tier: { from: 'billing.tier', whenUnavailable: { stale: '1h' }, whenMissing: { default: 'free' } },
    spareTier: { from: 'billing.tier', acceptDegraded: true, whenUnavailable: 'omit' },
    groups: { from: 'person.memberOf', list: true, transform: ['GroupName', 'Sort'] },
    id: { from: 'person.objectGUID', transform: [{ Format: 'base64' }] },
    here: { value: 'yes', when: `application == "${other}" && protocol == "SAML"` },
  },
};
const ada = { onPremisesUserPrincipalName: 'ada@x' };

async function results(...tests: object[]): Promise<readonly MappingTestResult[]> {
  const named = tests.map((test, index) => ({ name: `test ${index}`, ...test }));
  const compiled = compileMapping({ ...mapping, tests: named }, 'r', context);
  if (compiled.kind === 'refused') throw new Error(JSON.stringify(compiled.issues));
  return runMappingTests(compiled.plan);
}

describe('runMappingTests', () => {
  it.each<[string, object]>([
    [
      'what sources find',
      {
        subject: ada,
        given: {
          person: { upn: 'ada@x', memberOf: ['CN=B,DC=x', 'CN=A,DC=x'], objectGUID: { base64: 'AAEC' } },
          billing: { tier: 'gold' },
        },
        expect: { tier: 'gold', groups: ['A', 'B'], id: 'AAEC', here: null },
      },
    ],
    ['what is not given, which finds nobody', { subject: ada, expect: { tier: 'free', groups: null } }],
    ['a person without the key, who is not found', { given: { person: { memberOf: 'CN=A,DC=x' } }, expect: { groups: null } }],
    ['no person', { subject: null, given: { person: { memberOf: 'CN=A,DC=x' } }, expect: { groups: null } }],
    ['ambiguous', { subject: ada, given: { person: 'ambiguous' }, fails: 'claims.unavailable' }],
    ['unavailable', { subject: ada, given: { person: { upn: 'a' }, billing: 'unavailable' }, fails: 'claims.unavailable' }],
    [
      'last known',
      {
        subject: ada,
        given: { person: { upn: 'a' }, billing: { lastKnown: { tier: 'gold' }, age: '59m' } },
        expect: { tier: 'gold' },
      },
    ],
    [
      'last known, too old',
      {
        subject: ada,
        given: { person: { upn: 'a' }, billing: { lastKnown: { tier: 'gold' }, age: '61m' } },
        fails: 'claims.unavailable',
      },
    ],
    [
      'a fallback',
      {
        subject: ada,
        given: { person: { upn: 'a' }, billing: { lastKnown: { tier: 'old' }, age: '1m', fallback: { tier: 'spare' } } },
        expect: { tier: 'old', spareTier: 'spare' },
      },
    ],
    [
      'an attribute that is called as the words of a test are',
      { subject: ada, given: { person: { age: 'x', fallback: 'y', memberOf: 'CN=A' } }, expect: { groups: ['A'] } },
    ],
    ['the call', { application: other, protocol: 'SAML', subject: ada, expect: { here: 'yes' } }],
  ])('is green for %s', async (_name, test) => {
    const [result] = await results(test);
    expect(result).toMatchObject({ passed: true, why: [] });
  });

  it('says what differs, and how it came about', async () => {
    const [wrong, failed, fine] = await results(
      {
        subject: ada,
        given: { person: { upn: 'a', memberOf: ['CN=A'] }, billing: { tier: 'gold' } },
        expect: { tier: 'silver', groups: 'A' },
      },
      { subject: ada, given: { person: { upn: 'a' }, billing: 'unavailable' }, expect: { tier: 'gold' } },
      { subject: ada, fails: 'claims.missing' },
    );
    expect(wrong).toMatchObject({
      passed: false,
      expected: { kind: 'claims', claims: { tier: 'silver' } },
      actual: { kind: 'claims', claims: { tier: 'gold', groups: ['A'] } },
      why: [
        'tier is "gold" instead of "silver": tier from billing.tier: value; billing was found',
        'groups is ["A"] instead of "A": groups from person.memberOf → GroupName (1) → Sort (1): value; person was found',
      ],
    });
    expect(failed!.why).toEqual([
      'fails with claims.unavailable: tier from billing.tier: failed, unavailable; billing was unavailable(connection)',
    ]);
    expect(fine!.why).toEqual(['does not fail with claims.missing']);
  });

  it.each([
    [{ expect: { nothing: 'x' } }, 'there is no claim nothing in this mapping'],
    [{ given: { nothing: 'notFound' }, expect: {} }, 'there is no lookup nothing in this mapping'],
    [{ given: { constructor: 'notFound' }, expect: {} }, 'there is no lookup constructor in this mapping'],
    [{ application: '00000000-0000-0000-0000-000000000009', expect: {} }, 'is not an application of this mapping'],
    [{}, 'must have either expect or fails'],
    [{ given: { person: { memberOf: 7 } }, expect: {} }, 'must be attributes, notFound'],
    [{ given: { person: { lastKnown: { a: 'b' } } }, expect: {} }, 'must be attributes, notFound'],
  ])('refuses the test %j', (test, reason) => {
    const compiled = compileMapping({ ...mapping, tests: [{ name: 'x', ...test }] }, 'r', context);
    expect(compiled.kind === 'refused' && compiled.issues.map((issue) => issue.reason).join()).toContain(reason);
  });
});
