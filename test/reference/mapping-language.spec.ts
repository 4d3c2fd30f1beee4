import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { mappingLanguageReference } from '#claims';
import { expect, it } from 'vitest';

it('mapping-language.md is what the schema and the transforms say of themselves; npm run schema writes it', async () => {
  const page = path.resolve(import.meta.dirname, '../../docs/reference/mapping-language.md');
  expect(await readFile(page, 'utf8')).toBe(mappingLanguageReference());
});
