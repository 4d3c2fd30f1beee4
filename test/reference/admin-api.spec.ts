import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { described, schemaOf } from '../admin/described.js';
import type { Document } from '../e2e/stack.js';
import { describeAdminApi } from '../../apps/claims-api/src/admin/describe-admin-api.js';

it('docs/reference/admin-api.json is what the routes say; npm run schema writes it', async () => {
  const written = await readFile(path.resolve(import.meta.dirname, '../../docs/reference/admin-api.json'), 'utf8');
  expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify(await describeAdminApi())));
});

const { schemas } = described['components'] as { readonly schemas: Readonly<Record<string, Document>> };
const withExamples = Object.entries(schemas).flatMap(([name, { example, examples = [] }]) =>
  [example, ...(examples as unknown[])].filter((each) => each !== undefined).map((each) => [name, each] as const),
);

it.each(withExamples)('the example of %s is what its schema says', (name, example) => {
  expect(schemaOf({ $ref: `#/components/schemas/${name}` }).safeParse(example)).toMatchObject({ success: true });
});

it('every body that can be sent has an example', () => {
  const bodies = Object.values(described['paths'] as Document).flatMap((methods) =>
    Object.values(methods as Document).flatMap(({ requestBody }) =>
      requestBody ? [requestBody.content['application/json'].schema.$ref.split('/').at(-1) as string] : [],
    ),
  );
  const named = new Set(withExamples.map(([name]) => name));
  expect(bodies.filter((name) => !named.has(name))).toEqual([]);
});
