import type { RunningPostgres } from '#testing';
import { afterAll, beforeAll } from 'vitest';
import { describeMappingRepository } from '../mapping-repository.conformance.js';
import { repositoryFor, startStore } from './postgres.harness.js';

let database: RunningPostgres;
beforeAll(async () => {
  database = await startStore();
});
afterAll(() => database?.stop());

describeMappingRepository('PostgreSQL', () => {
  const [repository, replica] = [repositoryFor(database), repositoryFor(database)];
  return Promise.resolve({
    repository,
    replica,
    close: async () => {
      await Promise.all([repository.close(), replica.close()]);
    },
  });
});
