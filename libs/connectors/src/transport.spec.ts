import { expect, it } from 'vitest';
import type { Connector } from './connector.js';
import { HttpConnector } from './http/http-connector.js';
import { LdapConnector } from './ldap/ldap-connector.js';
import { PostgresConnector } from './postgres/postgres-connector.js';
import { StaticConnector } from './static/static-connector.js';

const tenants = ['contoso'];
const ldap = { type: 'ldap', tenants, bind: { dn: 'cn=claimbridge', password: 'env:A' }, lookups: {} };
const postgres = {
  type: 'postgres',
  tenants,
  hosts: [{ host: 'db1' }],
  database: 'billing',
  user: 'claimbridge',
  password: 'env:A',
  lookups: {},
};
const http = { type: 'http', tenants, allowClearText: true, lookups: {} };
const clientCredentials = { type: 'clientCredentials', clientId: 'a', clientSecret: 'env:A' };
const table = { type: 'static', tenants, records: [{ upn: 'adele' }], lookups: {} };

it.each<[string, Connector, object, string]>([
  ['ldaps://', new LdapConnector(), { ...ldap, urls: ['ldaps://dc1'] }, 'encrypted'],
  ['ldap:// with startTls', new LdapConnector(), { ...ldap, urls: ['ldap://dc1'], startTls: true }, 'encrypted'],
  [
    'one ldap:// of two',
    new LdapConnector(),
    { ...ldap, urls: ['ldaps://dc1', 'ldap://dc2'], allowClearText: true },
    'clearText',
  ],
  ['servers of DNS by ldaps', new LdapConnector(), { ...ldap, discover: { domain: 'corp.example' } }, 'encrypted'],
  [
    'servers of DNS by ldap',
    new LdapConnector(),
    { ...ldap, discover: { domain: 'corp.example', scheme: 'ldap' }, allowClearText: true },
    'clearText',
  ],
  ['PostgreSQL by default', new PostgresConnector(), postgres, 'encrypted'],
  ['PostgreSQL with an authority', new PostgresConnector(), { ...postgres, tls: { ca: 'file:ca.pem' } }, 'encrypted'],
  ['PostgreSQL with tls: disable', new PostgresConnector(), { ...postgres, tls: 'disable' }, 'clearText'],
  ['https://', new HttpConnector(), { ...http, url: 'https://hr.example' }, 'encrypted'],
  ['http://', new HttpConnector(), { ...http, url: 'http://hr.example' }, 'clearText'],
  [
    'https:// with a secret sent by http://',
    new HttpConnector(),
    { ...http, url: 'https://hr.example', auth: { ...clientCredentials, tokenUrl: 'http://login.example/token' } },
    'clearText',
  ],
  ['a table', new StaticConnector(), table, 'none'],
])('the description of %s says how it crosses the network', (_name, connector, document, transport) => {
  expect(connector.describe(connector.config.parse(document)).transport).toBe(transport);
});
