import { startTcpProxy, type RunningPostgres } from '#testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { ada, allow, changed } from '../mapping-repository.conformance.js';
import { describeMappingStore } from '../mapping-store.conformance.js';
import { connectTo, repositoryFor, startStore } from './postgres.harness.js';

let database: RunningPostgres;
beforeAll(async () => {
  database = await startStore();
});
afterAll(() => database?.stop());

describeMappingStore('PostgreSQL', async () => {
  const client = await connectTo(database);
  await client.query(
    'set session_replication_role = replica; truncate claimbridge.document, claimbridge.revision, claimbridge.draft',
  );
  await client.end();
  const proxy = await startTcpProxy(database);
  const store = repositoryFor({ ...database, port: proxy.port });
  const versionOf = async (name: string): Promise<number> => {
    const answer = await store.read({ tenant: 'contoso', name });
    return answer.kind === 'found' ? answer.record.version : answer.kind === 'unknown' ? 0 : expect.unreachable(answer.detail);
  };
  return {
    store,
    put: async (name, document) => {
      const key = { tenant: 'contoso', name };
      const saved = changed(await store.saveDraft(key, document, await versionOf(name), ada));
      changed(await store.publish(key, saved.version, '', ada, allow));
    },
    remove: async (name) => {
      changed(await store.delete({ tenant: 'contoso', name }, await versionOf(name), ada, allow));
    },
    breakDown: () => {
      proxy.refuse();
      proxy.cut();
      return Promise.resolve(() => proxy.restore());
    },
    close: async () => {
      await store.close();
      await proxy.stop();
    },
  };
});
