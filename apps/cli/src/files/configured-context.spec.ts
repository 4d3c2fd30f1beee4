import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { connectors } from './configured-context.js';

it('knows every connector that the service has', async () => {
  const core = await readFile(path.resolve(import.meta.dirname, '../../../claims-api/src/core.module.ts'), 'utf8');
  const registered = [...core.matchAll(/^ {2}(\w+Connector),$/gm)].map(([, name]) => name);
  expect(registered.length).toBeGreaterThan(3);
  expect(connectors.map(({ constructor }) => constructor.name).toSorted()).toEqual(registered.toSorted());
});
