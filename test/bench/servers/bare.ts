// What the work costs at least with these drivers: node:http, jose, ldapts and pg, and nothing that keeps a sign-in safe.
import { Client, EqualityFilter } from 'ldapts';
import pg from 'pg';
import { claimsOf } from './claims.js';
import { servePlain } from './plain-server.js';
import { attributes, readSettings, statement } from './settings.js';

const settings = readSettings();
const { directory, database } = settings;
const client = new Client({ url: directory.url });
await client.bind(directory.dn, directory.password);
const pool = new pg.Pool({ ...database, max: 10 });

servePlain(settings, async (upn) => {
  const [{ searchEntries }, { rows }] = await Promise.all([
    client.search(directory.base, {
      scope: 'sub',
      filter: new EqualityFilter({ attribute: 'userPrincipalName', value: upn }),
      attributes,
      sizeLimit: 2,
    }),
    pool.query<{ tier: string; products: string[] }>({ name: 'account', text: statement, values: [upn] }),
  ]);
  return claimsOf(searchEntries[0]!, rows[0]!);
});
