import { expect, it } from 'vitest';
import type { StoredMapping } from '../ports/mapping-store.js';
import { checkPublication } from './check-publication.js';
import { MappingSnapshot } from './mapping-snapshot.js';

const context = { tenants: new Set(['contoso']), sources: new Map() };
const stored = (document: { readonly name?: string; readonly claimSet?: string }, revision = 'r'): StoredMapping => ({
  origin: `contoso/${document.name ?? document.claimSet}`,
  revision,
  content: { kind: 'document', document: { tenant: 'contoso', ...document } },
});
const basics = (value: string, revision?: string) =>
  stored({ claimSet: 'basics', claims: { who: { value } } } as object, revision);
const mappings = Array.from({ length: 2_000 }, (_, index) =>
  stored({
    name: `m${index}`,
    applications: [`00000000-0000-0000-0000-${String(index).padStart(12, '0')}`],
    include: ['basics'],
    claims: { tier: { value: 'gold', when: 'subject.mail.endsWith("@x")' } },
    tests: [{ name: 'gold', subject: { mail: 'a@x' }, expect: { tier: 'gold' } }],
  } as object),
);

/** How often others had their turn. Each of these takes far longer than one stretch. */
async function turnsWhile(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const others = (): void => {
    turns++;
    if (!isOver) setImmediate(others);
  };
  setImmediate(others);
  await work();
  isOver = true;
  return turns;
}

it('others have their turn while thousands of mappings are loaded, compiled, and checked for a publish', async () => {
  const documents = [basics('a'), ...mappings];
  let loaded = MappingSnapshot.empty;
  expect(await turnsWhile(async () => (loaded = await MappingSnapshot.load(documents, context)))).toBeGreaterThan(10);
  expect([loaded.size, loaded.problems.length]).toEqual([2_000, 0]);
  expect(await turnsWhile(() => MappingSnapshot.compileInTurns(documents, context))).toBeGreaterThan(10);
  const changed = [basics('b', 'r2'), ...mappings];
  const key = { tenant: 'contoso', name: 'basics' };
  expect(await turnsWhile(() => checkPublication(changed, key, context, loaded))).toBeGreaterThan(10);
});

it('what did not change is the same object in the next snapshot', async () => {
  const documents = [basics('a'), ...mappings.slice(0, 3)];
  const first = await MappingSnapshot.load(documents, context);
  const next = await MappingSnapshot.load(
    [...documents.slice(0, 3), stored({ name: 'new', applications: ['*'], claims: { c: { value: 'x' } } } as object)],
    context,
    first,
  );
  expect(next.planOf('contoso/m0')).toBe(first.planOf('contoso/m0'));
  expect(next.planOf('contoso/new')).toBeDefined();
  // In the documents they are kept already.
  expect(first.planOf('contoso/m0')!.tests).toEqual([]);
  expect(MappingSnapshot.compile(documents, context).planOf('contoso/m0')!.tests).toHaveLength(1);
});
