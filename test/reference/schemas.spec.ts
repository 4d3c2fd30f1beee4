import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { guid, mappingJsonSchema } from '#claims';
import { serviceJsonSchema } from '#configuration';
import { describe, expect, it } from 'vitest';

const reference = path.resolve(import.meta.dirname, '../../docs/reference');

describe('the published schemas', () => {
  it.each([
    ['mapping', mappingJsonSchema()],
    ['service', serviceJsonSchema()],
  ])('%s.schema.json is the one that the service checks by; npm run schema writes it', async (name, schema) => {
    expect(JSON.parse(await readFile(path.join(reference, `${name}.schema.json`), 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(schema)),
    );
  });

  it.each(['mapping.schema.json', 'service.schema.json', 'admin-api.json'])(
    '%s takes ids in any case, as the service does',
    async (file) => {
      const id = '3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9a01';
      const text = await readFile(path.join(reference, file), 'utf8');
      const patterns = [...text.matchAll(/"pattern": (".*")/g)].map(([, json]) => new RegExp(JSON.parse(json!) as string));
      const ofIds = patterns.filter((pattern) => pattern.test(id) && !pattern.test(`${id}0`));
      expect(ofIds.length).toBeGreaterThan(0);
      expect(guid.parse(id.toUpperCase())).toBe(id);
      expect(ofIds.filter((pattern) => !pattern.test(id.toUpperCase()))).toEqual([]);
    },
  );
});
