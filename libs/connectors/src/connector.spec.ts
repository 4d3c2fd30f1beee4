import { describe, expect, it } from 'vitest';
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
});
