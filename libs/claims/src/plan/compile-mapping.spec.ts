import { FakeSource } from '#testing';
import { describe, expect, it } from 'vitest';
import { compileMapping } from './compile-mapping.js';

const application = '3a1c0000-0000-4000-8000-000000000001';
const directory = new FakeSource('corp-ad', {
  user: {
    locate: [{ key: 'onPremisesSecurityIdentifier', when: {}, fallThrough: false }],
    refuses: (attribute) => (attribute.startsWith('groups.') ? 'there is groups.name' : undefined),
  },
  group: { parameters: ['name'] },
});
const spare = new FakeSource('spare-ad', {
  user: { locate: [] },
  group: { parameters: ['name'] },
  other: { parameters: ['id'] },
});
const context = {
  tenants: new Set(['contoso', 'fabrikam']),
  sources: new Map([directory, spare].map((source) => [source.name, { source, tenants: new Set(['contoso']) }])),
};

const valid = {
  name: 'billing-portal',
  tenant: 'contoso',
  applications: [application.toUpperCase()],
  lookups: {
    person: { use: 'corp-ad.user' },
    team: { use: 'corp-ad.group', with: { name: 'person.department' } },
  },
  claims: {
    department: { from: 'person.Department', transform: ['ToUppercase'] },
    lead: { from: 'team.managedBy', whenUnavailable: 'omit', whenMissing: { default: 'nobody' } },
  },
};

const compile = (change: object) => compileMapping({ ...valid, ...change }, 'r1', context);
const reasons = (change: object): string[] => {
  const result = compile(change);
  return result.kind === 'compiled' ? [] : result.issues.map(({ path, reason }) => `${path.join('.')}: ${reason}`);
};

describe('a parameter that the person or another tenant can set', () => {
  const by = (reference: string, more: object = {}): object => ({
    lookups: { team: { use: 'corp-ad.group', with: { name: reference }, ...more } },
    claims: { lead: { from: 'team.managedBy' } },
  });

  it.each(['mail', 'userPrincipalName', 'displayName', 'givenName', 'surname', 'companyName', 'preferredLanguage'])(
    'needs a word: %s',
    (property) => {
      expect(reasons(by(`subject.${property}`))).toEqual([
        `lookups.team.with.name: subject.${property} can be set by the person or by another tenant`,
      ]);
      expect(reasons(by(`subject.${property}`, { trustUnverified: true }))).toEqual([]);
    },
  );

  it('is none where Entra or the tenant sets it, and then the word means nothing', () => {
    for (const property of ['id', 'onPremisesUserPrincipalName', 'onPremisesSamAccountName', 'onPremisesSecurityIdentifier'])
      expect(reasons(by(`subject.${property}`))).toEqual([]);
    expect(reasons(by('subject.id', { trustUnverified: true }))).toEqual([
      'lookups.team.trustUnverified: is of no use: no parameter is a property that somebody else can set',
    ]);
  });
});

describe('compileMapping', () => {
  it('orders lookups by their inputs and projects the attributes in use, whatever their case', () => {
    const result = compile({
      lookups: { team: valid.lookups.team, person: valid.lookups.person },
      claims: { ...valid.claims, again: { from: 'person.DEPARTMENT' } },
    });
    if (result.kind !== 'compiled') expect.unreachable(JSON.stringify(result.issues));
    expect(result.plan.lookups.map(({ alias, projection }) => [alias, projection])).toEqual([
      ['person', ['Department']],
      ['team', ['managedBy']],
    ]);
    expect(result.plan.applications).toEqual([application]);
    expect(result.plan.revision).toBe('r1');
  });

  it('fails by default where a source is unavailable, and omits where a value is missing', () => {
    const result = compile({});
    if (result.kind !== 'compiled') expect.unreachable();
    expect(result.plan.claims[0]).toMatchObject({ whenUnavailable: 'fail', whenMissing: 'omit' });
    expect(result.plan.claims[1]).toMatchObject({ whenUnavailable: 'omit', whenMissing: { default: 'nobody' } });
  });

  it.each<[string, object, string]>([
    ['unknown key', { colour: 'red' }, 'colour: is not a known key'],
    ['unknown key of a claim', { claims: { a: { from: 'subject.id', fallback: 1 } } }, 'claims.a.fallback: is not a known key'],
    ['no application', { applications: [] }, 'applications: Too small'],
    ['application that is no GUID', { applications: ['billing'] }, 'applications.0: must be a GUID'],
    ['unknown tenant', { tenant: 'nobody' }, 'tenant: there is no tenant nobody'],
    [
      'source of another tenant',
      { tenant: 'fabrikam' },
      'lookups.person.use: the source corp-ad does not serve the tenant fabrikam',
    ],
    ['unknown source', { lookups: { ...valid.lookups, x: { use: 'hr.user' } } }, 'lookups.x.use: there is no source hr'],
    [
      'unknown lookup',
      { lookups: { ...valid.lookups, x: { use: 'corp-ad.x' } } },
      'lookups.x.use: the source corp-ad has no lookup x',
    ],
    [
      'missing parameter',
      { lookups: { person: valid.lookups.person, team: { use: 'corp-ad.group' } } },
      'lookups.team: lacks with: name',
    ],
    [
      'unknown parameter',
      { lookups: { ...valid.lookups, person: { use: 'corp-ad.user', with: { upn: 'subject.id' } } } },
      'lookups.person.with.upn: is not a parameter of the lookup corp-ad.user',
    ],
    [
      'unknown property',
      { claims: { ...valid.claims, a: { from: 'subject.shoeSize' } } },
      'claims.a.from: the subject has no property shoeSize',
    ],
    ['undeclared lookup', { claims: { ...valid.claims, a: { from: 'boss.mail' } } }, 'claims.a.from: there is no lookup boss'],
    ['unused lookup', { claims: { department: valid.claims.department } }, 'lookups.team: is not used'],
    ['neither from nor value', { claims: { ...valid.claims, a: {} } }, 'claims.a: must have either from or value'],
    [
      'both from and value',
      { claims: { ...valid.claims, a: { from: 'subject.id', value: 'x' } } },
      'claims.a: must have either from or value',
    ],
    [
      'unknown policy',
      { claims: { a: { from: 'subject.id', whenMissing: 'ignore' } } },
      'claims.a.whenMissing: must be fail, omit or',
    ],
    [
      'list default of a text claim',
      { claims: { ...valid.claims, a: { value: 'x', whenMissing: { default: ['y'] } } } },
      'claims.a.whenMissing.default: is a list',
    ],
    [
      'list contradicting Join',
      { claims: { ...valid.claims, a: { value: ['x'], list: true, transform: [{ Join: ',' }] } } },
      'claims.a.list: contradicts',
    ],
    [
      'claim name __proto__',
      { claims: JSON.parse('{"__proto__":{"from":"subject.id"}}') as object },
      'claims.__proto__: is not a known key',
    ],
    ['reserved lookup name', { lookups: { subject: { use: 'corp-ad.user' } } }, 'lookups.subject: the name is a reserved word'],
    ['unknown droppable claim', { overflow: { drop: ['x'] } }, 'overflow.drop.0: there is no claim x'],
  ])('refuses: %s', (_name, change, expected) => {
    expect(reasons(change)).toEqual(expect.arrayContaining([expect.stringContaining(expected)]));
  });

  it('refuses lookups that need each other, naming the circle', () => {
    const lookups = {
      person: { use: 'corp-ad.group', with: { name: 'team.cn' } },
      team: { use: 'corp-ad.group', with: { name: 'person.department' } },
    };
    expect(reasons({ lookups })).toContain('lookups.person: needs itself: person → team → person');
  });

  it('refuses what is not a document', () => {
    for (const input of [null, [], 'text', 1]) expect(compileMapping(input, 'r', context).kind).toBe('refused');
  });
});

describe('last known and degraded values', () => {
  const stale = { whenUnavailable: { stale: '1h' } };
  const { person, team } = valid.lookups;
  const { department, lead } = valid.claims;

  it('compile where a lookup keeps them, and where a fallback gives them', () => {
    const result = compile({
      lookups: {
        person: { ...person, keepLastKnown: '2h', fallback: ['spare-ad.user'] },
        team: { ...team, acceptDegraded: true, keepLastKnown: '1h' },
      },
      claims: {
        department: { ...department, whenUnavailable: { stale: '2h', then: { default: 'NONE' } } },
        lead: { ...lead, whenUnavailable: { stale: '1h', then: 'omit' }, acceptDegraded: true },
      },
    });
    if (result.kind === 'refused') throw new Error(JSON.stringify(result.issues));
    const { claims, lookups } = result.plan;
    expect(claims.map(({ stale: age, acceptDegraded, whenUnavailable }) => [age, acceptDegraded, whenUnavailable])).toEqual([
      [7_200_000, false, { default: 'NONE' }],
      [3_600_000, true, 'omit'],
    ]);
    expect(
      lookups.map(({ keepLastKnown, fallbacks, acceptDegraded }) => [keepLastKnown, fallbacks.length, acceptDegraded]),
    ).toEqual([
      [7_200_000, 1, false],
      [3_600_000, 0, true],
    ]);
  });

  const used = (more: object): object => ({ lookups: { person: { ...person, ...more }, team } });
  it.each<[string, object, string]>([
    [
      'stale without keepLastKnown',
      { claims: { department: { ...department, ...stale }, lead } },
      'needs keepLastKnown at the lookup person',
    ],
    [
      'stale longer than it is kept',
      { ...used({ keepLastKnown: '30m' }), claims: { department: { ...department, ...stale }, lead } },
      'claims.department.whenUnavailable.stale: is longer than keepLastKnown of the lookup person',
    ],
    [
      'stale of the subject',
      { claims: { ...valid.claims, a: { from: 'subject.mail', ...stale } } },
      'claims.a.whenUnavailable.stale: needs a claim',
    ],
    [
      'stale of a fixed value',
      { claims: { ...valid.claims, a: { value: 'x', ...stale } } },
      'claims.a.whenUnavailable.stale: needs a claim',
    ],
    ['keepLastKnown that nobody uses', used({ keepLastKnown: '1h' }), 'lookups.person.keepLastKnown: is of no use'],
    ['keepLastKnown of a month', used({ keepLastKnown: '30d' }), 'lookups.person.keepLastKnown: must be at most 7d'],
    [
      'an attribute that the source refuses',
      { claims: { a: { from: 'person.groups.names' }, lead: valid.claims.lead } },
      'lookups.person: corp-ad.user has no groups.names: there is groups.name',
    ],
    ['a fallback that nobody accepts', used({ fallback: ['spare-ad.user'] }), 'lookups.person.fallback: is of no use'],
    [
      'a fallback of the same source',
      used({ fallback: ['corp-ad.user'] }),
      'lookups.person.fallback.0: is of the source corp-ad too',
    ],
    [
      'an unknown fallback',
      used({ fallback: ['spare-ad.nobody'] }),
      'lookups.person.fallback.0: the source spare-ad has no lookup nobody',
    ],
    [
      'a fallback with other parameters',
      { lookups: { person, team: { ...team, fallback: ['spare-ad.other'] } } },
      'lookups.team.fallback.0: asks for other parameters than the lookup corp-ad.group',
    ],
    [
      'a claim that accepts what cannot be',
      { claims: { department: { ...department, acceptDegraded: true }, lead } },
      'claims.department.acceptDegraded: is of no use',
    ],
    [
      'a lookup that accepts what cannot be',
      { lookups: { person, team: { ...team, acceptDegraded: true } } },
      'lookups.team.acceptDegraded: is of no use',
    ],
  ])('is refused: %s', (_name, change, reason) => {
    expect(reasons(change)).toContainEqual(expect.stringContaining(reason));
  });
});
