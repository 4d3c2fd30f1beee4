// Writes the published JSON Schemas, the reference of the mapping language, and the OpenAPI document of the admin API, from the schemas that the service itself checks by.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describeAdminApi } from '../dist/apps/claims-api/src/admin/describe-admin-api.js';
import { mappingJsonSchema, mappingLanguageReference } from '../dist/libs/claims/src/index.js';
import { serviceJsonSchema } from '../dist/libs/configuration/src/index.js';

const folder = path.resolve(import.meta.dirname, '../docs/reference');
mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries({ mapping: mappingJsonSchema(), service: serviceJsonSchema() }))
  writeFileSync(path.join(folder, `${name}.schema.json`), `${JSON.stringify(schema, undefined, 2)}\n`);
writeFileSync(path.join(folder, 'mapping-language.md'), mappingLanguageReference());
writeFileSync(path.join(folder, 'admin-api.json'), `${JSON.stringify(await describeAdminApi(), undefined, 2)}\n`);
