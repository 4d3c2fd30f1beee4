// Writes the published JSON Schemas from the schemas that the service itself checks by.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { mappingJsonSchema } from '../dist/libs/claims/src/index.js';
import { serviceJsonSchema } from '../dist/libs/configuration/src/index.js';

const folder = path.resolve(import.meta.dirname, '../docs/reference');
mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries({ mapping: mappingJsonSchema(), service: serviceJsonSchema() }))
  writeFileSync(path.join(folder, `${name}.schema.json`), `${JSON.stringify(schema, undefined, 2)}\n`);
