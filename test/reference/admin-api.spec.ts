import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { describeAdminApi } from '../../apps/claims-api/src/admin/describe-admin-api.js';

it('docs/reference/admin-api.json is what the routes say; npm run schema writes it', async () => {
  const written = await readFile(path.resolve(import.meta.dirname, '../../docs/reference/admin-api.json'), 'utf8');
  expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify(await describeAdminApi())));
});
