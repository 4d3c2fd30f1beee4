import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { FileMappingStore } from './file-mapping-store.js';
import { describeMappingStore } from './mapping-store.conformance.js';

describeMappingStore('A folder of YAML files', async () => {
  const base = await mkdtemp(path.join(tmpdir(), 'claimbridge-mappings-'));
  const folder = path.join(base, 'mappings');
  await rename(await mkdtemp(path.join(base, 'new-')), folder);
  const store = new FileMappingStore(folder);
  return {
    store,
    put: (name, document) => writeFile(path.join(folder, `${name}.yaml`), stringify(document)),
    remove: (name) => rm(path.join(folder, `${name}.yaml`)),
    breakDown: async () => {
      await rename(folder, `${folder}-away`);
      return () => rename(`${folder}-away`, folder);
    },
    close: async () => {
      await store.close();
      await rm(base, { recursive: true, force: true });
    },
  };
});
