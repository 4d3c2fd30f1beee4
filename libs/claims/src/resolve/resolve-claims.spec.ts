import { FakeSource, type FakeLookup } from '#testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Attributes } from '../attributes.js';
import { ambiguous, found, notFound, unavailable, type Outcome } from '../outcome.js';
import { compileMapping } from '../plan/compile-mapping.js';
import type { Plan } from '../plan/plan.js';
import type { Transform } from '../plan/transform.js';
import type { LocateRule, LookupQuery } from '../ports/source.js';
import type { Subject } from '../subject.js';
import { Deadline } from './deadline.js';
import { resolveClaims } from './resolve-claims.js';

const answers = (attributes: Record<string, string[]>): Outcome => found(new Attributes(Object.entries(attributes)));

function plan(
  lookups: Record<string, FakeLookup>,
  document: { lookups: object; claims: object; overflow?: object },
): { plan: Plan; source: FakeSource } {
  const source = new FakeSource('fake', lookups);
  return { plan: compiledWith([source], document), source };
}

function compiledWith(sources: readonly FakeSource[], document: object): Plan {
  const tenants = new Set(['t']);
  const context = { tenants, sources: new Map(sources.map((source) => [source.name, { source, tenants }])) };
  const result = compileMapping(
    { name: 'm', tenant: 't', applications: ['00000000-0000-0000-0000-000000000001'], ...document },
    'r',
    context,
  );
  if (result.kind !== 'compiled') throw new Error(JSON.stringify(result.issues));
  return result.plan;
}

async function resolve(
  compiled: Plan,
  subject: Subject | undefined = { id: 'u', mail: 'ada@corp.example', onPremisesUserPrincipalName: 'ada@corp.example' },
  milliseconds = 60_000,
) {
  using deadline = new Deadline(milliseconds);
  return await resolveClaims(compiled, subject, deadline);
}

const byMail: FakeLookup = { parameters: ['mail'] };
const oneLookup = { a: { use: 'fake.a', with: { mail: 'subject.onPremisesUserPrincipalName' } } };

describe('resolveClaims', () => {
  it('runs independent lookups at once and dependent ones when their inputs are there', async () => {
    const order: string[] = [];
    let release!: () => void;
    const both = new Promise<void>((done) => (release = done));
    const meeting = (name: string): FakeLookup => ({
      ...byMail,
      answer: async () => {
        order.push(name);
        if (order.length === 2) release();
        await both;
        return answers({ key: [name] });
      },
    });
    const { plan: compiled, source } = plan(
      {
        left: meeting('left'),
        right: meeting('right'),
        last: { parameters: ['key'], answer: (query) => answers({ value: [query.parameters.get('key')!] }) },
      },
      {
        lookups: {
          left: { use: 'fake.left', with: { mail: 'subject.onPremisesUserPrincipalName' } },
          right: { use: 'fake.right', with: { mail: 'subject.onPremisesUserPrincipalName' } },
          last: { use: 'fake.last', with: { key: 'left.key' } },
        },
        claims: { value: { from: 'last.value' }, right: { from: 'right.key' } },
      },
    );
    const resolution = await resolve(compiled);
    expect(resolution.kind === 'resolved' && Object.fromEntries(resolution.claims)).toEqual({ value: 'left', right: 'right' });
    expect(source.queries.map((query) => query.lookup)).toEqual(['left', 'right', 'last']);
  });

  it('asks nothing without a subject or a key', async () => {
    const { plan: compiled, source } = plan({ a: byMail }, { lookups: oneLookup, claims: { c: { from: 'a.x' } } });
    expect((await resolve(compiled, { id: 'u' })).lookups[0]).toMatchObject({ outcome: 'notFound', reason: 'noKey', ms: 0 });
    const none = await resolveClaims(compiled, undefined, new Deadline(1_000));
    expect(none.lookups[0]).toMatchObject({ outcome: 'notFound', reason: 'noSubject' });
    expect(source.queries).toEqual([]);
  });

  it('locates by the first key that is present and whose condition holds, and falls through only where the rule says so', async () => {
    const locate: readonly LocateRule[] = [
      { key: 'onPremisesSecurityIdentifier', when: {}, fallThrough: true },
      { key: 'onPremisesSamAccountName', when: { userType: { kind: 'oneOf', texts: ['Member'] } }, fallThrough: false },
      { key: 'mail', when: {}, fallThrough: false },
    ];
    const { plan: compiled, source } = plan(
      { a: { locate, answer: () => notFound('noEntry') } },
      { lookups: { a: { use: 'fake.a' } }, claims: { c: { from: 'a.x' } } },
    );
    const asked = async (subject: Subject): Promise<(number | undefined)[]> => {
      source.queries.length = 0;
      await resolve(compiled, subject);
      return source.queries.map((query) => query.locateRule);
    };
    expect(await asked({ onPremisesSecurityIdentifier: 'S-1', onPremisesSamAccountName: 'ada', userType: 'member' })).toEqual([
      0, 1,
    ]);
    expect(await asked({ onPremisesSamAccountName: 'ada', userType: 'Member', mail: 'ceo@corp.example' })).toEqual([1]);
    expect(await asked({ onPremisesSamAccountName: 'ada', userType: 'Guest', mail: 'ceo@corp.example' })).toEqual([2]);
    expect(await asked({ id: 'u' })).toEqual([]);
  });

  it('does not fall through from somebody whom the lookup leaves out', async () => {
    const locate: readonly LocateRule[] = [
      { key: 'onPremisesSecurityIdentifier', when: {}, fallThrough: true },
      { key: 'onPremisesSamAccountName', when: {}, fallThrough: true },
    ];
    const answer = ({ locateRule }: LookupQuery): Outcome =>
      locateRule === 0 ? notFound('excluded') : found(new Attributes([['x', ['somebody else']]]));
    const { plan: compiled, source } = plan(
      { a: { locate, answer } },
      { lookups: { a: { use: 'fake.a' } }, claims: { c: { from: 'a.x' } } },
    );
    const resolution = await resolve(compiled, { onPremisesSecurityIdentifier: 'S-1', onPremisesSamAccountName: 'ada' });
    expect(resolution).toMatchObject({
      kind: 'resolved',
      claims: new Map(),
      lookups: [{ outcome: 'notFound', reason: 'excluded' }],
    });
    expect(source.queries).toHaveLength(1);
  });

  describe('while the source of somebody is unavailable whom a later locate rule found', () => {
    const locate: readonly LocateRule[] = [
      { key: 'onPremisesSecurityIdentifier', when: {}, fallThrough: true },
      { key: 'onPremisesSamAccountName', when: {}, fallThrough: true },
      { key: 'mail', when: {}, fallThrough: false },
    ];
    const down = unavailable('connection');
    const known = (age: number): Outcome => ({
      ...down,
      lastKnown: { attributes: new Attributes([['x', ['known']]]), age },
    });
    const nobody = (age: number): Outcome => ({ ...down, lastKnownNobody: age });
    const everyKey = { onPremisesSecurityIdentifier: 'S-1', onPremisesSamAccountName: 'ada', mail: 'ada@corp.example' };

    it.each<[string, readonly Outcome[], Subject, object]>([
      ['nobody, known', [nobody(5_000), known(9_000)], everyKey, { key: 'onPremisesSamAccountName', lastKnownAge: 9_000 }],
      ['as old as the oldest', [nobody(9_000), known(5_000)], everyKey, { lastKnownAge: 9_000 }],
      ['two nobodies', [nobody(1_000), nobody(8_000), known(5_000)], everyKey, { key: 'mail', lastKnownAge: 8_000 }],
      [
        'a key that is missing',
        [nobody(1_000), known(1), known(5_000)],
        { ...everyKey, onPremisesSamAccountName: undefined! },
        { key: 'mail', lastKnownAge: 5_000 },
      ],
    ])('finds the last known answer: %s', async (_name, outcomes, subject, account) => {
      const answer = ({ locateRule }: LookupQuery): Outcome => outcomes[locateRule!]!;
      const { plan: compiled, source } = plan(
        { a: { locate, answer } },
        {
          lookups: { a: { use: 'fake.a', keepLastKnown: '1h' } },
          claims: { c: { from: 'a.x', whenUnavailable: { stale: '1h' } } },
        },
      );
      const resolution = await resolve(compiled, subject);
      expect(resolution).toMatchObject({
        kind: 'resolved',
        claims: new Map([['c', 'known']]),
        deviations: [{ claim: 'c', treatment: 'stale' }],
        lookups: [{ outcome: 'unavailable', reason: 'connection', ...account }],
      });
      expect(source.queries.map(({ keeping }) => keeping?.lastKnownOnly)).toEqual([
        undefined,
        ...source.queries.slice(1).map(() => true),
      ]);
    });

    it.each<[string, readonly Outcome[]]>([
      ['it is not known that nobody was there', [down, known(1_000), known(1_000)]],
      ['nobody was there by any', [nobody(1_000), nobody(1_000), down]],
      ['it is too old by one', [nobody(2 * 3_600_000), known(1_000), down]],
      ['the next one knows nothing', [nobody(1_000), down, known(1_000)]],
    ])('finds none where %s', async (_name, outcomes) => {
      const answer = ({ locateRule }: LookupQuery): Outcome => outcomes[locateRule!]!;
      const { plan: compiled } = plan(
        { a: { locate, answer } },
        {
          lookups: { a: { use: 'fake.a', keepLastKnown: '1h' } },
          claims: { c: { from: 'a.x', whenUnavailable: { stale: '1h' } } },
        },
      );
      expect(await resolve(compiled, everyKey)).toMatchObject({
        kind: 'failed',
        code: 'claims.unavailable',
        lookups: [{ key: expect.stringContaining('onPremises') }],
      });
    });
  });

  it('asks a fallback in time where the lookup does not answer by the deadline, and takes the lookup’s own answer where it does', async () => {
    const late = Promise.withResolvers<Outcome>();
    const slow = new FakeSource('slow', { a: { ...byMail, answer: () => late.promise } });
    const spare = new FakeSource('spare', {
      a: {
        ...byMail,
        answer: () => {
          if (isAnswered) late.resolve(answers({ x: ['own'] }));
          return answers({ x: ['fallback'] });
        },
      },
    });
    const compiled = compiledWith([slow, spare], {
      lookups: { a: { ...oneLookup.a, use: 'slow.a', fallback: ['spare.a'] } },
      claims: { c: { from: 'a.x', acceptDegraded: true } },
    });
    let isAnswered = false;
    const degraded = await resolve(compiled, undefined, 100);
    expect(degraded).toMatchObject({
      claims: new Map([['c', 'fallback']]),
      lookups: [{ reason: 'deadline', fallback: { source: 'spare', outcome: 'found' } }],
    });
    isAnswered = true;
    expect(await resolve(compiled, undefined, 2_000)).toMatchObject({ claims: new Map([['c', 'own']]), deviations: [] });
    expect(spare.queries).toHaveLength(2);
    await resolve(compiled, undefined, 2_000);
    expect(spare.queries).toHaveLength(2);
  });

  it('ends what it asks of fallbacks, and asks no further one, once the lookup has answered', async () => {
    const late = Promise.withResolvers<Outcome>();
    const ended = Promise.withResolvers<Outcome>();
    const slow = new FakeSource('slow', { a: { ...byMail, answer: () => late.promise } });
    const hanging = new FakeSource('hanging', {
      a: {
        ...byMail,
        answer: (_query, signal) => {
          signal.addEventListener('abort', () => ended.resolve(unavailable('timeout')));
          late.resolve(answers({ x: ['own'] }));
          return ended.promise;
        },
      },
    });
    const spare = new FakeSource('spare', { a: { ...byMail, answer: () => answers({ x: ['fallback'] }) } });
    const compiled = compiledWith([slow, hanging, spare], {
      lookups: { a: { ...oneLookup.a, use: 'slow.a', fallback: ['hanging.a', 'spare.a'] } },
      claims: { c: { from: 'a.x', acceptDegraded: true } },
    });
    expect(await resolve(compiled, undefined, 1_000)).toMatchObject({ claims: new Map([['c', 'own']]) });
    expect(await ended.promise).toEqual(unavailable('timeout'));
    await new Promise((done) => setImmediate(done));
    expect(spare.queries).toEqual([]);
  });

  it('answers by the deadline, whatever hangs, and tells the source to stop', async () => {
    let stopped = false;
    const hang: FakeLookup = {
      ...byMail,
      answer: (_query, signal) => {
        signal.addEventListener('abort', () => (stopped = true));
        return new Promise(() => undefined);
      },
    };
    const { plan: compiled } = plan({ a: hang }, { lookups: oneLookup, claims: { c: { from: 'a.x', whenUnavailable: 'omit' } } });
    const resolution = await resolve(compiled, { mail: 'ada@corp.example', onPremisesUserPrincipalName: 'ada@corp.example' }, 20);
    expect(resolution).toMatchObject({ kind: 'resolved', lookups: [{ outcome: 'unavailable', reason: 'deadline' }] });
    expect(stopped).toBe(true);
  });

  it('turns a defect of a source into unavailable, and keeps serving the others', async () => {
    const broken: FakeLookup = { ...byMail, answer: () => Promise.reject(new TypeError('bug')) };
    const { plan: compiled } = plan(
      { a: broken },
      { lookups: oneLookup, claims: { c: { from: 'a.x', whenUnavailable: 'omit' }, id: { from: 'subject.id' } } },
    );
    const resolution = await resolve(compiled);
    expect(resolution.kind === 'resolved' && Object.fromEntries(resolution.claims)).toEqual({ id: 'u' });
    expect(resolution.lookups[0]).toMatchObject({
      outcome: 'unavailable',
      reason: 'internal',
      detail: expect.stringMatching(/^TypeError at .*resolve-claims\.spec\.ts:\d+\)?$/),
    });
  });

  it('turns a defect of a claim’s evaluation into unavailable, and tells of it without a value', async () => {
    const { plan: compiled } = plan(
      {},
      {
        lookups: {},
        claims: { omitted: { value: 'x', whenUnavailable: 'omit' }, failing: { value: 'x' }, id: { from: 'subject.id' } },
      },
    );
    const broken: Transform = {
      name: 'Sort',
      yields: 'same',
      takes: 'any',
      gives: 'same',
      catchesMissing: false,
      bound: (input) => input,
      apply: ([value]) => {
        throw new RangeError(`cannot sort ${String(value)}`);
      },
    };
    const breaking = (...names: string[]): Plan => ({
      ...compiled,
      claims: compiled.claims.map((claim) => (names.includes(claim.name) ? { ...claim, transforms: [broken] } : claim)),
    });
    const detail = expect.stringMatching(/^RangeError at .*resolve-claims\.spec\.ts:\d+\)?$/);
    const omitted = await resolve(breaking('omitted'));
    expect(omitted).toMatchObject({
      deviations: [{ claim: 'omitted', why: 'unavailable', treatment: 'omitted' }],
      defects: [{ claim: 'omitted', detail }],
    });
    expect(omitted.kind === 'resolved' && Object.fromEntries(omitted.claims)).toEqual({ failing: 'x', id: 'u' });
    expect(await resolve(breaking('failing'))).toMatchObject({
      kind: 'failed',
      code: 'claims.unavailable',
      claims: ['failing'],
      defects: [{ claim: 'failing', detail }],
    });
  });

  it('holds text to one value and lists to lists', async () => {
    const { plan: compiled } = plan(
      { a: { ...byMail, answer: () => answers({ one: ['x'], two: ['x', 'y'], empty: [''] }) } },
      {
        lookups: oneLookup,
        claims: {
          text: { from: 'a.one' },
          list: { from: 'a.one', list: true },
          first: { from: 'a.two', transform: ['First'] },
          joined: { from: 'a.two', transform: [{ Join: ',' }] },
          split: { from: 'a.one', transform: [{ Split: ',' }] },
          many: { from: 'a.two', whenUnavailable: { default: 'ambiguous' } },
          empty: { from: 'a.empty', whenMissing: { default: 'none' } },
          fixed: { value: ['a', 'b'] },
        },
      },
    );
    const resolution = await resolve(compiled);
    expect(resolution.kind === 'resolved' && Object.fromEntries(resolution.claims)).toEqual({
      text: 'x',
      list: ['x'],
      first: 'x',
      joined: 'x,y',
      split: ['x'],
      many: 'ambiguous',
      empty: 'none',
      fixed: ['a', 'b'],
    });
  });

  it('never lets bytes into a claim unformatted', async () => {
    const bytes: FakeLookup = { ...byMail, answer: () => found(new Attributes([['guid', [Uint8Array.of(1, 2)]]])) };
    const { plan: compiled } = plan({ a: bytes }, { lookups: oneLookup, claims: { c: { from: 'a.guid' } } });
    expect(await resolve(compiled)).toMatchObject({ kind: 'failed', code: 'claims.unavailable', claims: ['c'] });
  });

  it('fails or drops where the answer is too large', async () => {
    const large: FakeLookup = { ...byMail, answer: () => answers({ x: ['x'.repeat(4_000)] }) };
    const claims = { big: { from: 'a.x' }, id: { from: 'subject.id' } };
    expect(await resolve(plan({ a: large }, { lookups: oneLookup, claims }).plan)).toMatchObject({
      kind: 'failed',
      code: 'claims.tooLarge',
    });
    const dropping = await resolve(plan({ a: large }, { lookups: oneLookup, claims, overflow: { drop: ['big'] } }).plan);
    expect(dropping).toMatchObject({ kind: 'resolved', deviations: [{ claim: 'big', why: 'tooLarge', treatment: 'omitted' }] });
  });
});

describe('a last known value', () => {
  const hour = 3_600_000;
  const known = (attribute: string, age: number): Outcome => ({
    ...unavailable('timeout'),
    lastKnown: { attributes: new Attributes([[attribute, ['k']]]), age },
  });
  const chain = {
    lookups: {
      person: { use: 'fake.person', with: { mail: 'subject.onPremisesUserPrincipalName' }, keepLastKnown: '24h' },
      hr: { use: 'fake.hr', with: { id: 'person.id' }, keepLastKnown: '24h' },
    },
    claims: { c: { from: 'hr.id', whenUnavailable: { stale: '2h', then: { default: 'too old' } } } },
  };
  const claimAt = async (person: number, hr: number): Promise<unknown> => {
    const { plan: compiled, source } = plan(
      {
        person: { ...byMail, answer: () => known('id', person) },
        hr: { parameters: ['id'], answer: () => ({ ...known('id', hr), reason: 'input' }) as Outcome },
      },
      chain,
    );
    const resolution = await resolve(compiled);
    expect(source.queries.map(({ lookup, keeping }) => [lookup, keeping?.lastKnownOnly])).toEqual([
      ['person', undefined],
      ['hr', true],
    ]);
    return resolution.kind === 'resolved' && resolution.claims.get('c');
  };

  it('found by a last known key is as old as the older of the two', async () => {
    expect(await claimAt(hour, hour)).toBe('k');
    expect(await claimAt(3 * hour, hour)).toBe('too old');
    expect(await claimAt(hour, 3 * hour)).toBe('too old');
  });
});

describe('the explanation', () => {
  const lookups: Record<string, FakeLookup> = {
    a: {
      locate: [{ key: 'mail', when: {}, fallThrough: false }],
      answer: () => ({ ...found(new Attributes([['memberOf', ['CN=Finance,DC=x', 'CN=Sales,DC=x']]])), age: 1_500 }),
    },
    b: { parameters: ['mail'], answer: () => unavailable('timeout', 'secret detail') },
    c: { parameters: ['mail'], answer: () => answers({ tier: ['gold'] }) },
  };
  const document = {
    lookups: {
      person: { use: 'fake.a' },
      billing: { use: 'fake.b', with: { mail: 'subject.onPremisesUserPrincipalName' } },
    },
    claims: {
      groups: { from: 'person.memberOf', list: true, transform: ['GroupName', { Join: ';' }, { Split: ';' }] },
      tier: { from: 'billing.tier', whenUnavailable: { default: 'free' } },
      title: { from: 'person.title' },
      fixed: { value: 'x'.repeat(3_000) },
      source: { value: 'corp' },
    },
    overflow: { drop: ['fixed'] },
  };

  it('has every lookup and every step, without values unless they are asked for', async () => {
    const { plan: compiled } = plan(lookups, document);
    const explained = async (explain: 'names' | 'values') => {
      using deadline = new Deadline(60_000);
      const subject = { id: 'u', mail: 'ada@corp.example', onPremisesUserPrincipalName: 'ada@corp.example' };
      const resolution = await resolveClaims(compiled, subject, deadline, { explain });
      // Accounts go to the log.
      expect(JSON.stringify(resolution.lookups)).not.toContain('ada@');
      return resolution.explanation!;
    };
    const { lookups: accounts, claims } = await explained('names');
    expect(accounts).toEqual([
      { alias: 'person', source: 'fake', lookup: 'a', outcome: 'found', ms: expect.any(Number), key: 'mail', age: 1_500 },
      expect.objectContaining({ alias: 'billing', outcome: 'unavailable', reason: 'timeout', detail: 'secret detail' }),
    ]);
    expect(claims).toEqual([
      {
        claim: 'groups',
        from: 'person.memberOf',
        steps: [
          { step: 'from', count: 2 },
          { step: 'GroupName', count: 2 },
          { step: 'Join', count: 1 },
          { step: 'Split', count: 2 },
        ],
        result: 'value',
      },
      { claim: 'tier', from: 'billing.tier', steps: [], result: 'defaulted', why: 'unavailable' },
      { claim: 'title', from: 'person.title', steps: [], result: 'omitted', why: 'missing' },
      { claim: 'fixed', from: 'value', steps: [{ step: 'from', count: 1 }], result: 'omitted', why: 'tooLarge' },
      { claim: 'source', from: 'value', steps: [{ step: 'from', count: 1 }], result: 'value' },
    ]);
    expect(JSON.stringify(claims)).not.toContain('Finance');
    const withValues = await explained('values');
    expect(withValues.lookups.map(({ asked }) => asked)).toEqual([{ mail: 'ada@corp.example' }, { mail: 'ada@corp.example' }]);
    const [groups] = withValues.claims;
    expect(groups!.steps.map(({ values }) => values)).toEqual([
      ['CN=Finance,DC=x', 'CN=Sales,DC=x'],
      ['Finance', 'Sales'],
      ['Finance;Sales'],
      ['Finance', 'Sales'],
    ]);
  });

  it('is there only where it is asked for', async () => {
    expect(await resolve(plan(lookups, document).plan)).not.toHaveProperty('explanation');
  });
});

it('tells sources for whom they keep, and whether somebody will ask again', async () => {
  const { plan: compiled, source } = plan(
    { a: byMail },
    { lookups: oneLookup, claims: { c: { from: 'a.x', whenUnavailable: 'omit' } } },
  );
  await resolve(compiled);
  using deadline = new Deadline(60_000);
  await resolveClaims(compiled, { mail: 'ada@corp.example', onPremisesUserPrincipalName: 'ada@corp.example' }, deadline, {
    noHandOver: true,
  });
  expect(source.queries.map(({ keeping }) => keeping)).toEqual([
    { tenant: 't', lastKnown: 0 },
    { tenant: 't', lastKnown: 0, noHandOver: true },
  ]);
});

/** The table of outcome and policy, as the documentation has it. */
const outcomes: Record<string, Outcome> = {
  found: answers({ x: ['value'] }),
  'found without the attribute': answers({ y: ['value'] }),
  'notFound(noEntry)': notFound('noEntry'),
  ambiguous,
  'unavailable(timeout)': unavailable('timeout'),
};
const treats = {
  found: 'value',
  'found without the attribute': 'missing',
  'notFound(noEntry)': 'missing',
  ambiguous: 'unavailable',
  'unavailable(timeout)': 'unavailable',
} as const;
const policies = ['fail', 'omit', { default: 'fallback' }] as const;

describe('outcome × policy → claim', () => {
  const cells = Object.keys(outcomes).flatMap((outcome) =>
    policies.flatMap((whenUnavailable) => policies.map((whenMissing) => [outcome, whenUnavailable, whenMissing] as const)),
  );

  it.each(cells)('%s, whenUnavailable %j, whenMissing %j', async (name, whenUnavailable, whenMissing) => {
    const { plan: compiled } = plan(
      { a: { ...byMail, answer: () => outcomes[name]! } },
      { lookups: oneLookup, claims: { c: { from: 'a.x', whenUnavailable, whenMissing } } },
    );
    const resolution = await resolve(compiled);
    const treated = treats[name as keyof typeof treats];
    const policy = treated === 'unavailable' ? whenUnavailable : whenMissing;
    if (treated === 'value')
      expect(resolution).toMatchObject({ kind: 'resolved', claims: new Map([['c', 'value']]), deviations: [] });
    else if (policy === 'fail') expect(resolution).toMatchObject({ kind: 'failed', code: `claims.${treated}`, claims: ['c'] });
    else if (policy === 'omit')
      expect(resolution).toMatchObject({
        kind: 'resolved',
        claims: new Map(),
        deviations: [{ claim: 'c', why: treated, treatment: 'omitted' }],
      });
    else
      expect(resolution).toMatchObject({
        kind: 'resolved',
        claims: new Map([['c', 'fallback']]),
        deviations: [{ claim: 'c', why: treated, treatment: 'defaulted' }],
      });
  });

  it('is contagious over two lookups, and stronger than a missing input', async () => {
    const kinds = fc.constantFrom(...Object.keys(outcomes));
    await fc.assert(
      fc.asyncProperty(kinds, kinds, async (left, right) => {
        const { plan: compiled, source } = plan(
          {
            left: { ...byMail, answer: () => outcomes[left]! },
            right: { ...byMail, answer: () => outcomes[right]! },
            last: { parameters: ['l', 'r'], answer: () => answers({ x: ['end'] }) },
          },
          {
            lookups: {
              left: { use: 'fake.left', with: { mail: 'subject.onPremisesUserPrincipalName' } },
              right: { use: 'fake.right', with: { mail: 'subject.onPremisesUserPrincipalName' } },
              last: { use: 'fake.last', with: { l: 'left.x', r: 'right.x' } },
            },
            claims: { c: { from: 'last.x', whenUnavailable: { default: 'unavailable' }, whenMissing: { default: 'missing' } } },
          },
        );
        const resolution = await resolve(compiled);
        const inputs = [left, right].map((name) => treats[name as keyof typeof treats]);
        const expected = inputs.includes('unavailable') ? 'unavailable' : inputs.includes('missing') ? 'missing' : 'end';
        expect(resolution.kind === 'resolved' && resolution.claims.get('c')).toBe(expected);
        expect(source.queries.some((query) => query.lookup === 'last')).toBe(expected === 'end');
      }),
    );
  });
});
