import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Secrets } from '#claims';
import { LdapConnector } from '#connectors';
import type { Logger } from '#observability';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { readConfiguration } from './config.js';
import { Sources } from './sources.js';

it('warns of a source that may work as long as a request may wait, and of keys that people can set', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-sources-'));
  try {
    const directory = (operation: string, key: string): object => ({
      type: 'ldap',
      tenants: ['contoso'],
      urls: ['ldaps://dc.corp.example'],
      bind: { dn: 'cn=service,dc=corp,dc=example', password: 'env:PASSWORD' },
      limits: { operation },
      lookups: {
        user: {
          base: 'dc=corp,dc=example',
          locate: [{ key, filter: '(mail={value})', trustUnverified: true, when: { userType: 'Member' } }],
        },
      },
    });
    const file = path.join(folder, 'claimbridge.yaml');
    const document = {
      tenants: { contoso: { tenantId: '7d1c5a0e-4c61-4b6f-9d55-2f8a4c1b9e10', audience: 'api' } },
      mappings: { folder: 'mappings' },
      sources: { fine: directory('699ms', 'onPremisesSamAccountName'), slow: directory('700ms', 'mail') },
    };
    await writeFile(file, stringify(document));
    const logged: object[] = [];
    const log = { warn: (fields: object) => void logged.push(fields) } as unknown as Logger;
    const listener = () => undefined;
    const sources = new Sources(await readConfiguration({ CLAIMBRIDGE_CONFIG: file }), [new LdapConnector()], {
      secrets: {} as Secrets,
      log,
      listener: listener as never,
    });
    expect([...sources.registered.keys()]).toEqual(['fine', 'slow']);
    expect(logged).toEqual([
      { source: 'slow', lookup: 'user', key: 'mail' },
      { source: 'slow', operationMs: 700, deadlineMs: 700 },
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
