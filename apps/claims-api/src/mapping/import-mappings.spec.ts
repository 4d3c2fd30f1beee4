import { MappingRepository, Secrets, revisionOf, type Actor, type MappingKey, type StoredMapping } from '#claims';
import { openPostgresMappings } from '#mapping-store';
import { startPostgres, type RunningPostgres } from '#testing';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { importMappings } from './import-mappings.js';

class Password extends Secrets {
  override read(): Promise<string> {
    return Promise.resolve(server.password);
  }
}

let server: RunningPostgres;
let repository: MappingRepository;
beforeAll(async () => {
  server = await startPostgres();
  repository = await openPostgresMappings(
    {
      host: server.host,
      port: server.port,
      database: server.database,
      user: server.user,
      password: 'env:PASSWORD',
      tls: 'disable',
      connections: 2,
      connect: 2_000,
      operation: 10_000,
      polling: 10_000,
      migrate: true,
    },
    new Password(),
  );
});
afterAll(async () => {
  await repository?.close();
  await server?.stop();
});

const actor: Actor = { id: 'import' };
let count = 0;
let prefix = '';
beforeEach(() => {
  prefix = `m${++count}`;
});

const keyOf = (index: number): MappingKey => ({ tenant: 'contoso', name: `${prefix}-${index}` });

function stored(index: number): StoredMapping {
  const application = `${String(count).padStart(8, '0')}-0000-4000-8000-${String(index).padStart(12, '0')}`;
  const document = { ...keyOf(index), applications: [application], claims: { a: { value: 'b' } } };
  return { origin: `${index}.yaml`, revision: revisionOf(document), content: { kind: 'document', document } };
}

/** Tenants that count how often a document is compiled. */
class CountedTenants extends Set<string> {
  compiled = 0;
  override has(tenant: string): boolean {
    this.compiled++;
    return super.has(tenant);
  }
}

const contextOf = (tenants: Set<string> = new Set(['contoso'])) => ({ tenants, sources: new Map() });

it('compiles each document about once, however many there are', async () => {
  const tenants = new CountedTenants(['contoso']);
  const documents = Array.from({ length: 30 }, (_, index) => stored(index));
  const results = await importMappings(documents, repository, contextOf(tenants), actor);
  expect(new Set(results.map(({ kind }) => kind))).toEqual(new Set(['published']));
  expect(tenants.compiled).toBeLessThan(100);
  const again = await importMappings(documents, repository, contextOf(), actor);
  expect(new Set(again.map(({ kind }) => kind))).toEqual(new Set(['unchanged']));
});

it('goes on where an import ended whose publish could not be done, and leaves other drafts alone', async () => {
  const [mine, others] = [stored(1), stored(2)];
  const { content } = others;
  if (content.kind !== 'document') return expect.unreachable();
  const publish = vi.spyOn(repository, 'publish').mockResolvedValueOnce({ kind: 'unavailable', detail: 'ECONNREFUSED' });
  const discard = vi.spyOn(repository, 'discardDraft').mockResolvedValueOnce({ kind: 'unavailable', detail: 'ECONNREFUSED' });
  await expect(importMappings([mine], repository, contextOf(), actor)).rejects.toThrow('cannot be reached');
  expect(await repository.readDraft(keyOf(1))).toMatchObject({ kind: 'found' });
  publish.mockRestore();
  discard.mockRestore();
  await repository.saveDraft(keyOf(2), { ...(content.document as object), claims: {} }, 0, { id: 'ada' });
  expect(await importMappings([mine, others], repository, contextOf(), actor)).toEqual([
    { origin: mine.origin, kind: 'published' },
    { origin: others.origin, kind: 'refused', issues: [{ path: [], reason: 'has a draft by ada' }] },
  ]);
});
