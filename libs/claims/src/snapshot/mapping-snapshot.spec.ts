import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoredMapping } from '../ports/mapping-store.js';
import { MappingSnapshot } from './mapping-snapshot.js';

const id = (digit: number): string => `00000000-0000-0000-0000-${String(digit).padStart(12, '0')}`;
const context = { tenants: new Set(['contoso', 'fabrikam']), sources: new Map() };

const stored = (origin: string, change: object, revision = origin): StoredMapping => ({
  origin,
  revision,
  content: {
    kind: 'document',
    document: { name: origin, tenant: 'contoso', applications: [id(1)], claims: { who: { value: revision } }, ...change },
  },
});
const unreadable = (origin: string): StoredMapping => ({
  origin,
  revision: 'x',
  content: { kind: 'unreadable', reason: 'is not valid YAML' },
});

const chosen = (
  snapshot: MappingSnapshot,
  application: string,
  more: { tenant?: string; client?: string; extension?: string } = {},
): string => {
  const selection = snapshot.select({ tenant: 'contoso', application, ...more });
  return selection.kind === 'mapping' ? selection.plan.revision : selection.kind;
};

describe('MappingSnapshot', () => {
  it('selects by tenant and application', () => {
    const snapshot = MappingSnapshot.compile([stored('a', {}), stored('b', { tenant: 'fabrikam' })], context);
    expect(snapshot.problems).toEqual([]);
    expect(chosen(snapshot, id(1))).toBe('a');
    expect(chosen(snapshot, id(1), { tenant: 'fabrikam' })).toBe('b');
    expect(chosen(snapshot, id(2))).toBe('none');
    expect(chosen(snapshot, id(1), { tenant: 'unknown' })).toBe('none');
  });

  it('prefers the most specific mapping', () => {
    const snapshot = MappingSnapshot.compile(
      [stored('all', {}), stored('client', { clients: [id(7)] }), stored('both', { clients: [id(7)], extensions: [id(8)] })],
      context,
    );
    expect(snapshot.problems).toEqual([]);
    expect(chosen(snapshot, id(1))).toBe('all');
    expect(chosen(snapshot, id(1), { client: id(7) })).toBe('client');
    expect(chosen(snapshot, id(1), { client: id(7), extension: id(8) })).toBe('both');
    expect(chosen(snapshot, id(1), { client: id(6), extension: id(8) })).toBe('all');
  });

  it.each([
    ['the same application', {}, {}],
    ['overlapping clients', { clients: [id(7), id(8)] }, { clients: [id(8)] }],
    ['a client and an extension', { clients: [id(7)] }, { extensions: [id(8)] }],
  ])('refuses two equally specific mappings: %s', (_name, first, second) => {
    const snapshot = MappingSnapshot.compile([stored('first', first), stored('second', second)], context);
    expect(snapshot.problems).toMatchObject([{ origin: 'second', retained: false }]);
    expect(chosen(snapshot, id(1), { client: id(8), extension: id(8) })).toBe('invalid');
  });

  it('refuses a second mapping of the same name', () => {
    const snapshot = MappingSnapshot.compile([stored('a', {}), stored('b', { name: 'a', applications: [id(2)] })], context);
    expect(snapshot.problems[0]?.issues[0]?.reason).toContain('name of a already');
    expect([chosen(snapshot, id(1)), chosen(snapshot, id(2))]).toEqual(['a', 'invalid']);
  });

  it('asks for the lines of a refused mapping once, however much is wrong with it', () => {
    const claims = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`claim${index}`, { vlaue: 'x' }]));
    const asked: number[] = [];
    const linesOf = (paths: readonly unknown[]): readonly number[] => (
      asked.push(paths.length),
      paths.map((_, index) => index + 1)
    );
    const snapshot = MappingSnapshot.compile([{ ...stored('a', { claims }), linesOf }], context);
    const issues = snapshot.problems[0]!.issues;
    expect(issues.length).toBeGreaterThanOrEqual(300);
    expect(asked).toEqual([issues.length]);
    expect(issues.map(({ line }) => line)).toEqual(issues.map((_, index) => index + 1));
  });

  it('contains a bad mapping: its applications get no token, the others are served', () => {
    const snapshot = MappingSnapshot.compile(
      [stored('good', {}), stored('bad', { applications: [id(2).toUpperCase()], claims: { x: {} } })],
      context,
    );
    expect([chosen(snapshot, id(1)), chosen(snapshot, id(2)), chosen(snapshot, id(3))]).toEqual(['good', 'invalid', 'none']);
  });

  it('gives nothing to applications without a mapping while a mapping does not tell whose it is', () => {
    const snapshot = MappingSnapshot.compile([stored('good', {}), unreadable('torn')], context);
    expect([chosen(snapshot, id(1)), chosen(snapshot, id(3)), chosen(snapshot, id(3), { tenant: 'fabrikam' })]).toEqual([
      'good',
      'invalid',
      'invalid',
    ]);
    const ofContoso = MappingSnapshot.compile([stored('bad', { applications: 'all' })], context);
    expect([chosen(ofContoso, id(3)), chosen(ofContoso, id(3), { tenant: 'fabrikam' })]).toEqual(['invalid', 'none']);
  });

  it('keeps the last compiled revision of a mapping that no longer compiles', () => {
    const first = MappingSnapshot.compile([stored('a', {}, 'r1'), stored('b', { applications: [id(2)] }, 'r1')], context);
    const second = MappingSnapshot.compile(
      [stored('a', { claims: 1 }, 'r2'), stored('b', { applications: [id(2)] }, 'r2')],
      context,
      first,
    );
    expect(second.problems).toMatchObject([{ origin: 'a', retained: true }]);
    expect([chosen(second, id(1)), chosen(second, id(2))]).toEqual(['r1', 'r2']);
    expect(second.stored.map(({ origin, revision }) => `${origin} ${revision}`)).toEqual(['a r1', 'b r2']);
    const third = MappingSnapshot.compile([unreadable('a')], context, second);
    expect(chosen(third, id(1))).toBe('r1');
  });
});

const fallback = (name: string, change: object = {}): StoredMapping => stored(name, { applications: ['*'], ...change });

describe('the fallback', () => {
  it('serves the applications without a mapping, of its tenant only', () => {
    const snapshot = MappingSnapshot.compile([stored('a', {}), fallback('rest')], context);
    expect(snapshot.problems).toEqual([]);
    expect([chosen(snapshot, id(1)), chosen(snapshot, id(2)), chosen(snapshot, id(2), { tenant: 'fabrikam' })]).toEqual([
      'a',
      'rest',
      'none',
    ]);
  });

  it('never stands in for a mapping that does not compile, or that does not tell whose it is', () => {
    const bad = MappingSnapshot.compile([fallback('rest'), stored('bad', { claims: 1 })], context);
    expect([chosen(bad, id(1)), chosen(bad, id(2))]).toEqual(['invalid', 'rest']);
    const torn = MappingSnapshot.compile([fallback('rest'), unreadable('torn')], context);
    expect(chosen(torn, id(2))).toBe('invalid');
  });

  it('is there once, and is refused beside application ids; without it nobody gets another’s', () => {
    expect(MappingSnapshot.compile([fallback('one'), fallback('two')], context).problems).toMatchObject([{ origin: 'two' }]);
    const mixed = MappingSnapshot.compile([stored('m', { applications: ['*', id(1)] })], context);
    expect(mixed.problems[0]?.issues[0]?.reason).toContain('"*" alone');
    const broken = MappingSnapshot.compile([stored('a', {}), fallback('rest', { claims: 1 })], context);
    expect([chosen(broken, id(1)), chosen(broken, id(2))]).toEqual(['a', 'invalid']);
  });
});

const claimSet = (name: string, claims: object, revision = name): StoredMapping => ({
  origin: name,
  revision,
  content: { kind: 'document', document: { claimSet: name, tenant: 'contoso', claims } },
});
const claimsOf = (snapshot: MappingSnapshot, application: string): readonly string[] => {
  const selection = snapshot.select({ tenant: 'contoso', application });
  return selection.kind === 'mapping' ? selection.plan.claims.map(({ name }) => name).toSorted() : [selection.kind];
};
const including = (origin: string, change: object = {}, revision = origin): StoredMapping =>
  stored(origin, { include: ['basics'], ...change }, revision);

describe('claim sets', () => {
  it('give their claims to the mappings that include them, which tell their revisions', () => {
    const snapshot = MappingSnapshot.compile(
      [including('a'), claimSet('basics', { mail: { from: 'subject.mail' } }, 's1')],
      context,
    );
    expect(snapshot.problems).toEqual([]);
    expect(claimsOf(snapshot, id(1))).toEqual(['mail', 'who']);
    expect(snapshot.planOf('a')?.claimSets).toEqual([{ name: 'basics', revision: 's1' }]);
    expect(snapshot.size).toBe(1);
  });

  it('lose to the mapping’s own claim of the same name', () => {
    const snapshot = MappingSnapshot.compile([claimSet('basics', { who: { value: 'set' } }), including('a')], context);
    expect(snapshot.planOf('a')?.claims.map(({ from }) => from)).toEqual([{ kind: 'constant', values: ['a'] }]);
  });

  it.each<[string, StoredMapping[], string]>([
    ['one that is not there', [including('a')], 'there is no claim set basics'],
    [
      'one of another tenant',
      [including('a', { tenant: 'fabrikam' }), claimSet('basics', { x: { value: 'x' } })],
      'there is no claim set basics',
    ],
    [
      'two that give the same claim',
      [
        including('a', { include: ['basics', 'more'] }),
        claimSet('basics', { x: { value: 'x' } }),
        claimSet('more', { x: { value: 'y' } }),
      ],
      'both give the claim x',
    ],
    ['a claim that differs in case', [including('a'), claimSet('basics', { WHO: { value: 'x' } })], 'differs from'],
    ['a claim set that does not compile', [including('a'), claimSet('basics', { x: {} })], 'there is no claim set basics'],
  ])('refuses a mapping that includes %s', (_name, documents, reason) => {
    const snapshot = MappingSnapshot.compile(documents, context);
    expect(
      snapshot.problems
        .find(({ origin }) => origin === 'a')
        ?.issues.map((issue) => issue.reason)
        .join(),
    ).toContain(reason);
    expect(claimsOf(snapshot, id(1))[0]).not.toBe('who');
  });

  it('keep their last revision when a new one does not compile', () => {
    const first = MappingSnapshot.compile([claimSet('basics', { x: { value: 'x' } }, 's1'), including('a')], context);
    const second = MappingSnapshot.compile([claimSet('basics', { y: {} }, 's2'), including('a')], context, first);
    expect(second.problems).toMatchObject([{ origin: 'basics', retained: true }]);
    expect(claimsOf(second, id(1))).toEqual(['who', 'x']);
  });

  it('leave a mapping as it was that does not compile with a new revision, over a restart too', () => {
    const first = MappingSnapshot.compile(
      [claimSet('basics', { x: { value: 'x' } }, 's1'), including('a'), including('b', { applications: [id(2)] })],
      context,
    );
    const next = [
      claimSet('basics', { Who: { value: 'x' } }, 's2'),
      including('a'),
      stored('b', { applications: [id(2)] }, 'b2'),
    ];
    const second = MappingSnapshot.compile(next, context, first);
    expect(second.problems).toMatchObject([{ origin: 'a', retained: true }]);
    expect(claimsOf(second, id(1))).toEqual(['who', 'x']);
    const restarted = MappingSnapshot.compile(second.stored, context);
    expect(restarted.problems).toEqual([]);
    expect(claimsOf(restarted, id(1))).toEqual(['who', 'x']);
    const loaded = MappingSnapshot.compile(next, context, restarted);
    expect(loaded.problems).toMatchObject([{ origin: 'a', retained: true }]);
    expect(claimsOf(loaded, id(1))).toEqual(['who', 'x']);
  });

  it('share names with mappings, so that a name says which document is meant', () => {
    const snapshot = MappingSnapshot.compile(
      [claimSet('basics', { x: { value: 'x' } }), stored('a', { name: 'basics' })],
      context,
    );
    expect(snapshot.problems).toMatchObject([{ origin: 'a', issues: [{ path: ['name'] }] }]);
  });
});

describe('MappingSnapshot.load', () => {
  const tested = (origin: string, value: string, expected: string, revision = origin): StoredMapping =>
    stored(origin, { claims: { who: { value } }, tests: [{ name: 'who', expect: { who: expected } }] }, revision);

  it('refuses what has a red test, and keeps what was in force', async () => {
    const first = await MappingSnapshot.load([tested('a', 'x', 'x', 'r1')], context);
    expect(first.problems).toEqual([]);
    const second = await MappingSnapshot.load([tested('a', 'x', 'y', 'r2')], context, first);
    expect(second.problems).toMatchObject([{ origin: 'a', retained: true, issues: [{ path: ['tests', 0] }] }]);
    expect(chosen(second, id(1))).toBe('r1');
    expect(chosen(await MappingSnapshot.load([tested('a', 'x', 'y')], context), id(1))).toBe('invalid');
  });

  it('runs the tests of mappings again when a claim set changes', async () => {
    const mapping = stored('a', { include: ['basics'], claims: {}, tests: [{ name: 'x', expect: { x: 'good' } }] });
    const first = await MappingSnapshot.load([claimSet('basics', { x: { value: 'good' } }, 's1'), mapping], context);
    const second = await MappingSnapshot.load([claimSet('basics', { x: { value: 'bad' } }, 's2'), mapping], context, first);
    expect(first.problems).toEqual([]);
    expect(second.problems).toMatchObject([{ origin: 'a', retained: true }]);
    expect(second.planOf('a')?.claimSets).toEqual([{ name: 'basics', revision: 's1' }]);
  });

  it('compiles again only what has changed', async () => {
    const documents = [tested('a', 'x', 'x'), stored('b', { applications: [id(2)] })];
    const first = await MappingSnapshot.load(documents, context);
    const second = await MappingSnapshot.load([documents[0]!, stored('b', { applications: [id(2)] }, 'b2')], context, first);
    expect(second.planOf('a')).toBe(first.planOf('a'));
    expect(second.planOf('b')).not.toBe(first.planOf('b'));
  });
});

describe('a defect of a compiler', () => {
  const source = Object.defineProperty({}, 'source', {
    get: () => {
      throw new RangeError('a value of somebody');
    },
  });
  const defective = { ...context, sources: new Map([['broken', source as never]]) };
  const using = { lookups: { a: { use: 'broken.a' } }, claims: { x: { from: 'a.x', whenUnavailable: 'omit' } } };

  it('stays with the document that shows it', async () => {
    const documents = [stored('a', { applications: [id(2)], ...using }), stored('b', {})];
    for (const snapshot of [MappingSnapshot.compile(documents, defective), await MappingSnapshot.load(documents, defective)]) {
      expect(snapshot.problems).toMatchObject([{ origin: 'a', issues: [{ reason: expect.stringContaining('RangeError at ') }] }]);
      expect(JSON.stringify(snapshot.problems)).not.toContain('somebody');
      expect(chosen(snapshot, id(2))).toBe('invalid');
      expect(chosen(snapshot, id(1))).toBe('b');
    }
  });
});

describe('a document beside what is in force', () => {
  const inForce = MappingSnapshot.compile(
    [
      claimSet('basics', { x: { value: 'x' } }),
      including('a'),
      stored('b', { applications: [id(2)] }),
      stored('bad', { applications: [id(3)], claims: 1 }),
    ],
    context,
  );
  const chosenBeside = (candidate: StoredMapping, application: string): string => {
    const result = inForce.selectBeside(candidate, context, { tenant: 'contoso', application });
    if (result.kind === 'refused') return result.kind;
    const { selection } = result;
    if (selection.kind !== 'mapping') return selection.kind;
    return `${selection.plan.revision}: ${selection.plan.claims.map(({ name }) => name).join()}`;
  };

  it('takes the place of the one of its name, wherever that came from', () => {
    const draft = { ...stored('draft', { name: 'b', applications: [id(4)] }), origin: 'elsewhere' };
    expect([chosenBeside(draft, id(4)), chosenBeside(draft, id(2)), chosenBeside(draft, id(3))]).toEqual([
      'draft: who',
      'none',
      'invalid',
    ]);
    expect(chosenBeside({ ...stored('mended', { name: 'bad', applications: [id(3)] }), origin: 'bad' }, id(3))).toBe(
      'mended: who',
    );
  });

  it('is a claim set too, seen through the mappings that include it', () => {
    expect(chosenBeside(claimSet('basics', { y: { value: 'y' } }, 'draft'), id(1))).toBe('a: y,who');
  });

  it('is refused for what speaks against it, and changes nothing', () => {
    expect(inForce.compileBeside(stored('c', {}), context)).toMatchObject({
      kind: 'refused',
      issues: [{ path: ['applications', 0] }],
    });
    expect(inForce.compileBeside(unreadable('c'), context).kind).toBe('refused');
    expect(inForce.compileBeside(stored('c', { applications: [id(5)] }), context).kind).toBe('compiled');
    expect([chosen(inForce, id(1)), chosen(inForce, id(5))]).toEqual(['a', 'none']);
  });
});

describe('selection', () => {
  it('is what a plain search says, for any mappings', () => {
    const some = (values: string[]) => fc.option(fc.subarray(values, { minLength: 1 }), { nil: undefined });
    const documents = fc.array(
      fc.record({
        applications: fc.oneof(fc.constant(['*']), fc.subarray([id(1), id(2), id(3)], { minLength: 1 })),
        clients: some([id(7), id(8)]),
        extensions: some([id(9)]),
        broken: fc.boolean(),
      }),
      { maxLength: 6 },
    );
    const calls = fc.record({
      application: fc.constantFrom(id(1), id(2), id(3), id(4)),
      client: fc.constantFrom(undefined, id(7), id(8)),
      extension: fc.constantFrom(undefined, id(9)),
    });
    fc.assert(
      fc.property(documents, fc.array(calls, { minLength: 1, maxLength: 5 }), (given, asked) => {
        const snapshot = MappingSnapshot.compile(
          given.map(({ broken, ...change }, index) => stored(`m${index}`, { ...change, ...(broken && { claims: 1 }) })),
          context,
        );
        const refused = new Set(snapshot.problems.map(({ origin }) => origin));
        for (const { application, client, extension } of asked) {
          const named = (which: string) =>
            given.flatMap((each, index) =>
              (each.applications as readonly string[]).includes(which) ? [{ ...each, name: `m${index}` }] : [],
            );
          const fitting = (which: string) =>
            named(which)
              .filter(({ name }) => !refused.has(name))
              .filter(
                ({ clients, extensions }) =>
                  (!clients || clients.includes(client ?? '')) && (!extensions || extensions.includes(extension ?? '')),
              )
              .toSorted(
                (left, right) =>
                  Number(!left.clients) + Number(!left.extensions) - Number(!right.clients) - Number(!right.extensions),
              );
          const isRefused = (which: string): boolean => named(which).some(({ name }) => refused.has(name));
          const expected = isRefused(application)
            ? 'invalid'
            : (fitting(application)[0]?.name ?? (isRefused('*') ? 'invalid' : (fitting('*')[0]?.name ?? 'none')));
          expect(chosen(snapshot, application, { ...(client && { client }), ...(extension && { extension }) })).toBe(expected);
        }
      }),
    );
  });
});
