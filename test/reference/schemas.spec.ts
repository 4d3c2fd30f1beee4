import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { mappingJsonSchema } from '#claims';
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
});
