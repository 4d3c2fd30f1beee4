import type { PostgresMappingRepository } from './postgres/postgres-mapping-repository.js';

export { FileMappingStore, parseMapping } from './file-mapping-store.js';
export { SnapshotFile, type SavedSnapshot } from './snapshot-file.js';
export type { PostgresMappingRepository, PostgresStoreOptions } from './postgres/postgres-mapping-repository.js';

/** A repository in PostgreSQL. Its libraries are loaded by the first call: who keeps mappings in files starts faster and smaller. */
export async function openPostgresMappings(
  ...parts: ConstructorParameters<typeof PostgresMappingRepository>
): Promise<PostgresMappingRepository> {
  const { PostgresMappingRepository: Repository } = await import('./postgres/postgres-mapping-repository.js');
  return new Repository(...parts);
}
