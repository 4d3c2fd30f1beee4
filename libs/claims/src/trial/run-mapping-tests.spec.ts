import { FakeSource } from '#testing';
import { describe, expect, it } from 'vitest';
import type { CompileContext } from '../plan/compile-context.js';
import { compileMapping } from '../plan/compile-mapping.js';
import type { Plan } from '../plan/plan.js';
import { pseudonym, keyedHash } from '../plan/pseudonym.js';
import { standInKey } from '../ports/secrets.js';
import { Deadline } from '../resolve/deadline.js';
import { resolveClaims } from '../resolve/resolve-claims.js';
import { Turns } from '../turns.js';
import { redTests, runMappingTests, type MappingTestResult } from './run-mapping-tests.js';

const application = '00000000-0000-0000-0000-000000000001';
const other = '00000000-0000-0000-0000-000000000002';
const locate = [{ key: 'onPremisesUserPrincipalName', when: {}, fallThrough: false }] as const;
const operatorsKey = new TextEncoder().encode('0123456789abcdef0123456789abcdef');
const context: CompileContext = {
  tenants: new Set(['t']),
  sources: new Map(
    [
      new FakeSource('ad', { user: { locate } }),
      new FakeSource('db', { tier: { parameters: ['upn'] } }),
      new FakeSource('spare', { tier: { parameters: ['upn'] } }),
    ].map((source) => [source.name, { source, tenants: new Set(['t']) }]),
  ),
  secrets: new Map([['pseudonyms', { tenants: new Set(['t']), value: () => operatorsKey }]]),
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
    oid: { from: 'subject.id', whenMissing: 'omit' },
    here: { value: 'yes', when: `application == "${other}" && protocol == "SAML"` },
  },
};
const ada = { onPremisesUserPrincipalName: 'ada@x' };

function planOf(tests: readonly object[], more: object = {}): Plan {
  const named = tests.map((test, index) => ({ name: `test ${index}`, ...test }));
  const compiled = compileMapping({ ...mapping, ...more, tests: named }, 'r', context);
  if (compiled.kind === 'refused') throw new Error(JSON.stringify(compiled.issues));
  return compiled.plan;
}

const results = (...tests: object[]): Promise<readonly MappingTestResult[]> => runMappingTests(planOf(tests));

describe('runMappingTests', () => {
  it('has a test fail for a defect of a claim, even one that expects no token', async () => {
    const plan = planOf([{ expect: {} }, { fails: 'claims.unavailable' }]);
    const broken = {
      ...plan,
      claims: plan.claims.map((claim) => ({
        ...claim,
        get transforms(): never {
          throw new RangeError('a value of somebody');
        },
      })),
    };
    for (const result of await runMappingTests(broken))
      expect(result).toMatchObject({
        passed: false,
        why: expect.arrayContaining([expect.stringMatching(/^tier .*RangeError at /)]),
      });
    expect(JSON.stringify(await redTests(broken, new Turns()))).not.toContain('somebody');
    expect(await redTests(broken, new Turns())).toHaveLength(2);
  });

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
    [
      'an id, which an event has in lower case',
      {
        subject: { ...ada, id: 'ABCDEF00-0000-0000-0000-000000000007' },
        expect: { oid: 'abcdef00-0000-0000-0000-000000000007' },
      },
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
        'tier is not what was expected ("gold" instead of "silver"): tier from billing.tier: value; billing was found',
        'groups is not what was expected (["A"] instead of "A"): groups from person.memberOf → GroupName (1) → Sort (1): value; person was found',
      ],
    });
    expect(failed!.why).toEqual([
      'fails with claims.unavailable: tier from billing.tier: failed, unavailable; billing was unavailable(connection)',
    ]);
    expect(fine!.why).toEqual(['does not fail with claims.missing']);
  });

  it('never uses the key of the operator: who may write tests could tell whose pseudonym is whose', async () => {
    const claims = {
      pairwise: { value: 'E-1', transform: [{ Pairwise: 'pseudonyms' }] },
      hash: { value: 'E-1', transform: [{ Hash: 'sha256', secret: 'pseudonyms' }] },
    };
    const plan = planOf([{ expect: { pairwise: 'guess', hash: 'guess' } }], { claims, lookups: {} });
    const [result] = await runMappingTests(plan);
    expect(result!.actual).toEqual({
      kind: 'claims',
      claims: { pairwise: pseudonym(standInKey, 't', application, 'E-1'), hash: keyedHash('sha256', standInKey, 'E-1') },
    });
    using deadline = new Deadline(60_000);
    const signIn = await resolveClaims(plan, undefined, deadline, { call: { application } });
    expect(signIn.kind === 'resolved' && Object.fromEntries(signIn.claims)).toEqual({
      pairwise: pseudonym(operatorsKey, 't', application, 'E-1'),
      hash: keyedHash('sha256', operatorsKey, 'E-1'),
    });
  });

  it('works on all tests together no longer than on a few answers', async () => {
    const claims = {
      c: { from: 'person.a', list: true, transform: [{ Filter: { matches: '^(aa?)+b$', not: true } }], whenUnavailable: 'fail' },
    };
    const costly = { subject: ada, given: { person: { a: Array<string>(1_000).fill('a'.repeat(100)) } } };
    const tests = Array.from({ length: 200 }, () => ({ ...costly, expect: {} }));
    const codes = (await runMappingTests(planOf(tests, { claims, lookups: { person: mapping.lookups.person } }))).map(
      ({ actual }) => (actual.kind === 'fails' ? actual.code : actual.kind),
    );
    expect(codes[0]).toBe('claims.tooLarge');
    expect(codes.at(-1)).toBe('claims.unavailable');
  });

  it('refuses with the names of test and claim, and without a value', async () => {
    const tests = [
      { subject: ada, given: { person: { upn: 'a' }, billing: { tier: 'gold' } }, expect: { tier: 'silver' } },
      { subject: ada, expect: { tier: 'free' } },
    ];
    expect(await redTests(planOf(tests), new Turns())).toEqual([
      {
        path: ['tests', 0],
        reason: 'the test “test 0” is red: tier is not what was expected: tier from billing.tier: value; billing was found',
        remedy: 'validate the document to see the values',
      },
    ]);
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
