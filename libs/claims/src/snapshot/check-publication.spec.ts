import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoredMapping } from '../ports/mapping-store.js';
import { checkCandidate, checkPublication } from './check-publication.js';
import { MappingSnapshot } from './mapping-snapshot.js';

const id = (digit: number): string => `00000000-0000-0000-0000-00000000000${digit}`;
const context = { tenants: new Set(['contoso']), sources: new Map() };
const document = (fields: object, revision = 'r1'): StoredMapping => {
  const { name, claimSet } = fields as { name?: string; claimSet?: string };
  return {
    origin: `contoso/${name ?? claimSet}`,
    revision,
    content: { kind: 'document', document: { tenant: 'contoso', ...fields } },
  };
};
const mapping = (name: string, application: number, more: object = {}): StoredMapping =>
  document({ name, applications: [id(application)], claims: { who: { value: name } }, ...more });
const basics = (claims: object, revision = 'r1'): StoredMapping => document({ claimSet: 'basics', claims }, revision);

const check = (inForce: StoredMapping[], name: string, before: StoredMapping[] = []) =>
  checkPublication(inForce, { tenant: 'contoso', name }, context, MappingSnapshot.compile(before, context));
const reasons = async (...given: Parameters<typeof check>) => (await check(...given)).map(({ reason }) => reason).join('; ');

describe('checkPublication', () => {
  it('lets happen what compiles beside the others and is green', async () => {
    const green = mapping('b', 2, { tests: [{ name: 'who', expect: { who: 'b' } }] });
    expect(await check([mapping('a', 1), green], 'b')).toEqual([]);
  });

  it('refuses what does not compile, a clash of applications, and a red test', async () => {
    expect(await check([mapping('a', 1, { claims: { x: {} } })], 'a')).toMatchObject([{ path: ['claims', 'x'] }]);
    expect(await check([mapping('b', 1), mapping('a', 1)], 'b')).toMatchObject([{ path: ['applications', 0] }]);
    const red = mapping('a', 1, { tests: [{ name: 'who', expect: { who: 'z' } }] });
    expect(await check([red], 'a')).toMatchObject([{ path: ['tests', 0], reason: expect.stringContaining('“who” is red') }]);
  });

  it('refuses a claim set that breaks a mapping, names it, and says where', async () => {
    const including = mapping('a', 1, { include: ['basics'] });
    const before = [including, basics({ x: { value: 'x' } })];
    const broken = await check([including, basics({ WHO: { value: 'x' } }, 'r2')], 'basics', before);
    expect(broken).toMatchObject([{ document: expect.any(String), path: ['claims', expect.any(String)] }]);
    const tested = mapping('a', 1, { include: ['basics'], tests: [{ name: 'x', expect: { x: 'x' } }] });
    expect(await reasons([tested, basics({ x: { value: 'y' } }, 'r2')], 'basics', [tested, before[1]!])).toContain('“x” is red');
  });

  it('refuses to take a claim set out of force that a mapping includes', async () => {
    const including = mapping('a', 1, { include: ['basics'] });
    expect(await reasons([including], 'basics', [including, basics({ x: { value: 'x' } })])).toContain(
      'there is no claim set basics',
    );
    expect(await check([mapping('b', 2)], 'gone')).toEqual([]);
  });

  it('is not stopped by what was broken before, nor by what has nothing to do with it', async () => {
    const broken = mapping('a', 1, { include: ['basics', 'gone'] });
    const stray = mapping('c', 3, { claims: 1 });
    const before = [broken, stray, basics({ x: { value: 'x' } })];
    expect(await check([broken, stray, basics({ y: { value: 'y' } }, 'r2')], 'basics', before)).toEqual([]);
    expect(await check([broken, stray, mapping('b', 2)], 'b', before)).toEqual([]);
  });
});

describe('checkCandidate', () => {
  const claims = fc.constantFrom<object>(
    { who: { value: 'a' } },
    { WHO: { value: 'a' } },
    { x: { value: 'a' } },
    { x: { value: 'b' } },
  );
  const anyMapping = fc.record(
    {
      name: fc.constantFrom('m1', 'm2', 'm3', 's2'),
      applications: fc.constantFrom(...[1, 2, 3, 4, 5, 6].map((digit) => [id(digit)])),
      include: fc.constantFrom(['s1'], ['s1'], ['s1', 's2']),
      claims,
      tests: fc.constantFrom([], [{ name: 't', expect: { x: 'a' } }]),
    },
    { requiredKeys: ['name', 'applications', 'claims'] },
  );
  const claimSet = (...names: string[]) => fc.record({ claimSet: fc.constantFrom(...names), claims });
  const present = fc
    .tuple(
      claimSet('s1'),
      fc.uniqueArray(fc.oneof(anyMapping, claimSet('s2')), { maxLength: 6, selector: (each) => document(each).origin }),
    )
    .map(([set, others]) => [set, ...others].map((each) => document(each)));

  it('says of a document that is not stored what its publish says', async () => {
    const seen = { own: 0, elsewhere: 0, nothing: 0 };
    await fc.assert(
      fc.asyncProperty(present, fc.oneof(anyMapping, claimSet('s1', 's2', 'm1')), async (stored, fields) => {
        const candidate = document(fields, 'r2');
        const key = { tenant: 'contoso', name: candidate.origin.slice('contoso/'.length) };
        const known = await MappingSnapshot.load(stored, context);
        // Nothing else is ever published.
        fc.pre(known.problems.length === 0);
        const published = [...stored.filter(({ origin }) => origin !== candidate.origin), candidate];
        const issues = await checkPublication(published, key, context, known);
        seen[issues.length === 0 ? 'nothing' : issues.some((issue) => 'document' in issue) ? 'elsewhere' : 'own'] += 1;
        expect(await checkCandidate(candidate, key, context, known)).toEqual(issues);
      }),
      { numRuns: 1_000 },
    );
    expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).toBeGreaterThan(0);
  });
});
