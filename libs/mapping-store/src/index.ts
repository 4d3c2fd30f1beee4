export { FileMappingStore, parseMapping } from './file-mapping-store.js';
export { SnapshotFile, type SavedSnapshot } from './snapshot-file.js';
export { PostgresMappingRepository, type PostgresStoreOptions } from './postgres/postgres-mapping-repository.js';
