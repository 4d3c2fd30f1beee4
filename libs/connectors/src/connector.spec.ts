import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { subjectProperties } from '#claims';
import { z } from 'zod';
import type { Connector } from './connector.js';
import { HttpConnector } from './http/http-connector.js';
import { LdapConnector } from './ldap/ldap-connector.js';
import { PostgresConnector } from './postgres/postgres-connector.js';
import { StaticConnector } from './static/static-connector.js';

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

/** The paths of all keys without a description. */
function undescribed(
  { properties = {}, additionalProperties, items, anyOf = [], oneOf = [] }: Schema,
  path = '',
): readonly string[] {
  const below = [additionalProperties, items, ...anyOf, ...oneOf].filter((schema) => typeof schema === 'object');
  return [
    ...Object.entries(properties).flatMap(([key, schema]) => [
      ...(schema.description ? [] : [`${path}/${key}`]),
      ...undescribed(schema, `${path}/${key}`),
    ]),
    ...below.flatMap((schema) => undescribed(schema, `${path}/*`)),
  ];
}

/** The names of all keys, wherever they are. */
function keysOf({ properties = {}, additionalProperties, items, anyOf = [], oneOf = [] }: Schema): readonly string[] {
  const below = [additionalProperties, items, ...anyOf, ...oneOf].filter((schema) => typeof schema === 'object');
  return [...Object.entries(properties).flatMap(([key, schema]) => [key, ...keysOf(schema)]), ...below.flatMap(keysOf)];
}

const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8').split(/^## /m);
const section = (title: string): string => readme.find((text) => text.startsWith(`${title}\n`)) ?? '';

/** A form for a source is made of this. */
describe('the JSON Schema of a configuration', () => {
  it.each<[string, Connector]>([
    ['ldap', new LdapConnector()],
    ['postgres', new PostgresConnector()],
    ['http', new HttpConnector()],
    ['static', new StaticConnector()],
  ])('of %s says what every key is', (type, connector) => {
    const schema = z.toJSONSchema(connector.config, { io: 'input' }) as Schema & Record<string, unknown>;
    expect(schema).toMatchObject({ type: 'object', additionalProperties: false, properties: { type: { const: type } } });
    expect(undescribed(schema)).toEqual([]);
  });

  it.each<[string, Connector]>([
    ['postgres', new PostgresConnector()],
    ['http', new HttpConnector()],
    ['static', new StaticConnector()],
  ])('of %s has no key that README.md does not have', (type, connector) => {
    const text = section('What every source has') + section(`type: ${type}`);
    const words = new Set(text.match(/\w+/g));
    const keys = keysOf(z.toJSONSchema(connector.config, { io: 'input' }) as Schema);
    const subject = new Set<string>(subjectProperties);
    expect(keys.filter((key) => !words.has(key) && !subject.has(key))).toEqual([]);
  });
});
