import { FakeSource } from '#testing';
import { expect, it } from 'vitest';
import { Attributes } from '../attributes.js';
import { found } from '../outcome.js';
import { compileMapping } from '../plan/compile-mapping.js';
import { Deadline } from './deadline.js';
import { resolveClaims } from './resolve-claims.js';

const locate = [{ key: 'id' as const, when: {}, fallThrough: false }];
const values = Array<string>(1_000).fill('a'.repeat(100));

async function unavailable(...claims: object[]): Promise<readonly string[]> {
  const source = new FakeSource('ad', { user: { locate, answer: () => found(new Attributes([['a', values]])) } });
  const document = {
    name: 'm',
    tenant: 't',
    applications: ['*'],
    lookups: { person: { use: 'ad.user' } },
    claims: Object.fromEntries(
      claims.map((claim, index) => [`c${index}`, { from: 'person.a', list: true, whenUnavailable: 'omit', ...claim }]),
    ),
  };
  const context = { tenants: new Set(['t']), sources: new Map([['ad', { source, tenants: new Set(['t']) }]]) };
  const compiled = compileMapping(document, 'r', context);
  if (compiled.kind === 'refused') throw new Error(JSON.stringify(compiled.issues));
  using deadline = new Deadline(60_000);
  const { deviations } = await resolveClaims(compiled.plan, { id: 'x' }, deadline);
  return deviations.flatMap(({ claim, why }) => (why === 'unavailable' ? [claim] : []));
}

// Each costs more than half of what one claim may.
const costly = { Filter: { matches: '^(aa?)+b$' } };

it('one claim’s transforms and condition share its measure', async () => {
  expect(await unavailable({ transform: [costly] })).toEqual([]);
  expect(await unavailable({ transform: [{ ...costly, Filter: { ...costly.Filter, not: true } }, costly] })).toEqual(['c0']);
  const when = '!person.a.exists(v, v.matches("^(aa?)+b$"))';
  expect(await unavailable({ when, transform: ['Unique'] }, { when, transform: [costly] })).toEqual(['c1']);
});

it('all claims of one answer share another, and none can use it up alone', async () => {
  const claims = await unavailable(...Array.from({ length: 16 }, () => ({ transform: [costly] })));
  expect(claims.length).toBeGreaterThan(8);
  const tooMuch = { transform: Array.from({ length: 16 }, () => ({ Filter: { ...costly.Filter, not: true } })) };
  expect(await unavailable(tooMuch, { transform: ['Unique'] })).toEqual(['c0']);
});
