import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adele, applications, eventText } from '../e2e/event.js';
import { environment } from '../e2e/stack.js';
import { startAdminStack, type AdminStack } from './admin-stack.js';

let stack: AdminStack;
beforeAll(async () => {
  stack = await startAdminStack({
    configure: ({ sources, probes: _probes, ...document }) => {
      void document;
      sources['corp-ad'].lookups.user.cache = { ttl: '1h' };
      sources['billing-db'].lookups['tier-by-upn'].cache = { ttl: '1h', negativeTtl: '1m' };
      sources['refused'] = { ...sources['corp-ad'], bind: { ...sources['corp-ad'].bind, password: 'env:WRONG_PASSWORD' } };
    },
    variables: { WRONG_PASSWORD: 'not-the-password' },
  });
});
afterAll(() => stack[Symbol.asyncDispose]());

describe('sources', () => {
  it('are described without a secret, a user or a reference to one', async () => {
    const { json, text } = await stack.ask('GET', '/admin/v1/sources');
    expect(json.items.map(({ name }: { name: string }) => name)).toEqual(['corp-ad', 'billing-db', 'refused']);
    expect(json.items[0]).toMatchObject({
      type: 'ldap',
      tenants: ['contoso'],
      hosts: [`ldap://127.0.0.1:${stack.directoryProxy.port}`],
      transport: 'clearText',
      lookups: [
        {
          use: 'corp-ad.user',
          parameters: [],
          locate: expect.arrayContaining([expect.objectContaining({ key: 'onPremisesSecurityIdentifier' })]),
          attributes: 'any',
          cache: { ttlMs: 3_600_000 },
        },
        { use: 'corp-ad.department-head', parameters: ['department'] },
      ],
    });
    for (const secret of [...Object.values(environment), 'env:', 'cn=claimbridge', 'DIRECTORY_PASSWORD', 'select tier'])
      expect(text).not.toContain(secret);
    expect((await stack.ask('GET', '/admin/v1/sources/billing-db')).json).toEqual(json.items[1]);
    expect((await stack.ask('GET', '/admin/v1/sources/none')).json).toMatchObject({
      status: 404,
      code: 'source.unknown',
      remedy: expect.any(String),
    });
  });

  it('are tested by name; the test says up, or down and why, and sign-ins do not notice', async () => {
    expect((await stack.ask('POST', '/admin/v1/sources/corp-ad/test')).json).toMatchObject({
      result: 'up',
      ms: expect.any(Number),
    });
    const healthOf = async () => (await stack.ask('GET', '/admin/v1/sources/billing-db')).json.health;
    await stack.post(eventText(applications.billingPortal));
    const before = await healthOf();
    stack.databaseProxy.refuse();
    stack.databaseProxy.cut();
    for (let round = 0; round < 12; round += 1)
      expect((await stack.ask('POST', '/admin/v1/sources/billing-db/test')).json).toMatchObject({
        result: 'down',
        reason: 'connection',
      });
    expect(await healthOf()).toEqual(before);
    await stack.databaseProxy.restore();
    const { json } = await stack.ask('GET', '/admin/v1/audit?action=source.test&target=billing-db');
    expect(json.items).toHaveLength(12);
  });

  it('whose credentials are refused are not offered them again', async () => {
    const ask = async () => (await stack.ask('POST', '/admin/v1/sources/refused/test')).json;
    expect(await ask()).toMatchObject({ result: 'down', reason: 'credentials' });
    const accepted = stack.directoryProxy.accepted;
    for (let round = 0; round < 5; round += 1) expect(await ask()).toMatchObject({ result: 'down', reason: 'credentials' });
    expect(stack.directoryProxy.accepted).toBe(accepted);
  });
});

describe('caches', () => {
  const entries = async (): Promise<Record<string, number>> =>
    Object.fromEntries(
      (await stack.ask('GET', '/admin/v1/caches')).json.items.map((item: { source: string; entries: number }) => [
        item.source,
        item.entries,
      ]),
    );

  it('forget a person, whom one identifier finds and whom another answer led to, and nobody else', async () => {
    const zoe = {
      id: '90847c2a-e29d-4d2f-9f54-c5b4d3f20002',
      userType: 'Member',
      onPremisesSamAccountName: 'zoe.muller',
      onPremisesUserPrincipalName: 'zoe.muller@corp.example',
    };
    await stack.post(eventText(applications.billingPortal));
    await stack.post(eventText(applications.billingPortal, zoe));
    const full = await entries();
    expect(full).toMatchObject({ 'corp-ad': 2, 'billing-db': 2 });
    const { json } = await stack.ask('POST', '/admin/v1/caches/erase', {
      body: {
        tenant: 'contoso',
        identifiers: [adele.onPremisesSecurityIdentifier, adele.onPremisesUserPrincipalName.toUpperCase()],
      },
    });
    expect(json).toMatchObject({ erased: 2, replica: expect.any(String), othersKeepAtMostMs: 3_600_000 });
    expect(await entries()).toMatchObject({ 'corp-ad': 1, 'billing-db': 1 });
    expect(
      (await stack.ask('POST', '/admin/v1/caches/erase', { body: { tenant: 'fabrikam', identifiers: ['zoe.muller'] } })).json,
    ).toMatchObject({ erased: 0 });
    const { json: audit, text } = await stack.ask('GET', '/admin/v1/audit?action=cache.erase');
    expect(audit.items[1]).toMatchObject({ tenant: 'contoso', details: { identifiers: 2 } });
    expect(text).not.toContain(adele.onPremisesSecurityIdentifier);
  });
});
