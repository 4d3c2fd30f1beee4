import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adele, applications, correlationId, eventFor, eventText } from '../e2e/event.js';
import type { Document } from '../e2e/stack.js';
import { startAdminStack, type AdminStack } from './admin-stack.js';

let stack: AdminStack;
beforeAll(async () => {
  stack = await startAdminStack({
    configure: (document) => {
      document['sources']['corp-ad'].lookups.user.cache = { ttl: '1h' };
      document['sources']['corp-ad'].breaker = { failures: 3, retryAfter: '1h' };
      document['sources']['billing-db'].breaker = { failures: 3, retryAfter: '1h' };
      document['probes'] = { interval: '1h', timeout: '1s' };
    },
  });
});
afterAll(() => stack[Symbol.asyncDispose]());

const portal = '/admin/v1/mappings/contoso/billing-portal';
const asEvent = { tenant: 'contoso', event: eventFor(applications.billingPortal) };

async function preview(body: Document, token?: string): Promise<Document> {
  const { status, json, text } = await stack.ask('POST', '/admin/v1/preview', { body, ...(token !== undefined && { token }) });
  expect([status, text]).toEqual([200, expect.any(String)]);
  return json as Document;
}

async function signIn(application = applications.billingPortal): Promise<Document> {
  return (await stack.post(eventText(application))).json as Document;
}

const claimsOf = ({ claims }: Document): Document =>
  Object.fromEntries((claims as Document[]).map(({ name, value }) => [name, value]));

async function inForce(): Promise<Document> {
  return (await stack.ask('GET', `${portal}/revisions/published`)).json.document as Document;
}

/** What monitoring and operators see of the sign-ins. */
async function traces(): Promise<object> {
  const text = await (await fetch(`${stack.managementUrl}/metrics`)).text();
  const kept = /^claimbridge_(lookups|lookup_answers|lookup_duration|events|event_duration|claim_deviations|source|cache)/;
  const { json: health } = await stack.ask('GET', '/admin/health');
  const { json: caches } = await stack.ask('GET', '/admin/v1/caches');
  return { metrics: text.split('\n').filter((line) => kept.test(line)), sources: health.sources, caches };
}

describe('a preview', () => {
  it('gives what the sign-in of the pasted event gets, and the account of it', async () => {
    const { data } = await signIn();
    const body = await preview(asEvent);
    expect(claimsOf(body)).toEqual(withoutType(data.actions[0].claims));
    expect(body).toMatchObject({
      answer: 'claims',
      mapping: { name: 'billing-portal', version: 'inForce' },
      valuesHidden: false,
      person: { missing: [] },
      deadlineMs: 700,
      size: { limit: 3_000 },
    });
    expect(body['explain'].lookups).toEqual([
      expect.objectContaining({
        alias: 'person',
        use: 'corp-ad.user',
        outcome: 'found',
        key: 'onPremisesSecurityIdentifier',
        asked: { onPremisesSecurityIdentifier: adele.onPremisesSecurityIdentifier },
      }),
      expect.objectContaining({ alias: 'billing', outcome: 'found', asked: { upn: adele.onPremisesUserPrincipalName } }),
    ]);
    expect(body['explain'].claims[2].steps.map(({ step }: Document) => step)).toEqual(['from', 'GroupName', 'Map', 'Sort']);
  });

  it('shows names and no values to who lacks Claims.ReadValues, wherever they would stand', async () => {
    const shown = await preview(asEvent);
    const values = Object.values(claimsOf(shown)).flat() as string[];
    for (const token of [
      await stack.mint(['Claims.Preview']),
      await stack.mint(['Claims.Preview', 'Claims.Read', 'Claims.Publish']),
    ]) {
      const hidden = await preview(asEvent, token);
      const text = JSON.stringify(hidden);
      expect(hidden['valuesHidden']).toBe(true);
      for (const value of [...values, ...Object.values(adele), 'Finance-Admins']) expect(text).not.toContain(value);
      expect(hidden['claims'].map(({ name, count }: Document) => [name, count])).toEqual(
        shown['claims'].map(({ name, count }: Document) => [name, count]),
      );
    }
    expect((await preview({ ...asEvent, values: false }))['valuesHidden']).toBe(true);
  });

  it.each([
    [
      'by object id',
      { id: adele.id },
      ['onPremisesSecurityIdentifier', 'onPremisesUserPrincipalName', 'onPremisesSamAccountName'],
    ],
    [
      'by user principal name',
      { userPrincipalName: adele.userPrincipalName },
      ['onPremisesSecurityIdentifier', 'onPremisesUserPrincipalName', 'onPremisesSamAccountName'],
    ],
    [
      'by mail',
      { mail: adele.mail },
      ['onPremisesSecurityIdentifier', 'onPremisesUserPrincipalName', 'onPremisesSamAccountName'],
    ],
    [
      'by account name',
      { onPremisesSamAccountName: adele.onPremisesSamAccountName },
      ['onPremisesSecurityIdentifier', 'onPremisesUserPrincipalName'],
    ],
  ])('%s knows that property alone, and says what else the mapping reads', async (_name, person, missing) => {
    const body = await preview({ tenant: 'contoso', application: applications.billingPortal, person });
    expect((body['person'] as Document)['known']).toEqual(Object.keys(person));
    expect(new Set((body['person'] as Document)['missing'])).toEqual(new Set(missing));
  });

  it('of an object id alone says why the directory was not asked, and what to give', async () => {
    const person = { id: adele.id };
    const body = await preview({ tenant: 'contoso', application: applications.billingPortal, person });
    expect(body['explain'].lookups[0]).toMatchObject({ alias: 'person', outcome: 'notFound', reason: 'noKey' });
    expect(body['warnings']).toContainEqual({
      path: ['person'],
      reason: expect.stringContaining('the lookup person'),
      remedy: expect.stringMatching(/onPremisesSecurityIdentifier.*event/),
    });
    for (const more of [asEvent, { tenant: 'contoso', application: applications.billingPortal, person: adele }])
      expect((await preview(more))['warnings']).not.toContainEqual(expect.objectContaining({ path: ['person'] }));
  });

  it('tells what each condition came to', async () => {
    const document = {
      name: 'conditions',
      tenant: 'contoso',
      applications: ['3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9abe'],
      claims: {
        met: { value: 'x', when: 'subject.mail != ""' },
        failed: { value: 'x', when: 'subject.mail == "nobody"' },
        unproven: { value: 'x', when: 'subject.displayName == "Adele"' },
        always: { value: 'x' },
      },
    };
    const { explain } = await preview({
      tenant: 'contoso',
      application: document.applications[0],
      person: { mail: adele.mail },
      mapping: { document },
    });
    expect(explain.claims.map(({ claim, when, why }: Document) => [claim, when, why])).toEqual([
      ['met', 'holds', undefined],
      ['failed', 'fails', 'condition'],
      ['unproven', 'unproven', 'condition'],
      ['always', undefined, undefined],
    ]);
  });

  it('of an event that names no application is by no mapping, whichever is asked for', async () => {
    const event = eventFor(applications.billingPortal);
    event['data'].authenticationContext.clientServicePrincipal = null;
    event['data'].authenticationContext.resourceServicePrincipal = null;
    const document = { name: 'rest', tenant: 'contoso', applications: ['*'], claims: { a: { value: 'b' } } };
    for (const mapping of [undefined, { document }, { name: 'billing-portal' }])
      expect(await preview({ tenant: 'contoso', event, ...(mapping && { mapping }) })).toMatchObject({
        answer: 'noMapping',
        claims: [],
        warnings: expect.arrayContaining([expect.objectContaining({ path: ['event'] })]),
      });
  });

  it('of a service has no person', async () => {
    const body = await preview({ tenant: 'contoso', application: applications.billingApi, person: null });
    expect(body['person']).toBeUndefined();
    expect(claimsOf(body)).toEqual({ billingTier: 'free' });
  });

  it('of a draft, a revision and an unsaved document is as if they were in force, and they are not', async () => {
    const document = await inForce();
    document['claims'].department = { value: 'Treasury' };
    const { headers } = await stack.ask('GET', portal);
    const saved = await stack.ask('PUT', `${portal}/draft`, { body: document, headers: { 'if-match': headers.get('etag')! } });
    const published = await preview(asEvent);
    expect(published).not.toHaveProperty('etag');
    const draft = await preview({ ...asEvent, mapping: { name: 'billing-portal', version: 'draft' } });
    expect(draft).toMatchObject({
      mapping: { name: 'billing-portal', version: 'draft' },
      etag: saved.headers.get('etag'),
      warnings: [{ path: ['claims', 'customRoles'] }],
    });
    expect(claimsOf(draft)).toMatchObject({ department: 'Treasury' });
    expect(claimsOf(await preview({ ...asEvent, mapping: { document } }))).toEqual(claimsOf(draft));
    expect(claimsOf(await preview({ ...asEvent, mapping: { name: 'billing-portal', version: 1 } }))).toMatchObject({
      department: 'Finance',
    });
    const revisionOfPreview = async (mapping: Document): Promise<unknown> =>
      (await preview({ ...asEvent, mapping }))['mapping'].revision;
    expect(draft['mapping'].revision).toMatch(/^[0-9a-f]{32}$/);
    expect(await revisionOfPreview({ document })).toBe(draft['mapping'].revision);
    expect(draft['mapping'].revision).not.toBe(published['mapping'].revision);
    expect(await revisionOfPreview({ name: 'billing-portal', version: 1 })).toBe(published['mapping'].revision);
    expect((await signIn())['data'].actions[0].claims).toMatchObject({ department: 'Finance' });
    await stack.ask('DELETE', `${portal}/draft`, { headers: { 'if-match': saved.headers.get('etag')! } });
  });

  it('of a document that does not compile says why; of one that does not serve the application, that', async () => {
    const document = await inForce();
    const refused = await stack.ask('POST', '/admin/v1/preview', {
      body: { ...asEvent, mapping: { document: { ...document, claims: { x: { from: 'nobody.y' } } } } },
    });
    expect(refused.json).toMatchObject({
      status: 422,
      code: 'mapping.refused',
      errors: expect.arrayContaining([expect.objectContaining({ path: ['claims', 'x', 'from'] })]),
    });
    const elsewhere = await preview({
      ...asEvent,
      mapping: { document: { ...document, applications: ['3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9aee'] } },
    });
    expect(elsewhere).toMatchObject({
      answer: 'noMapping',
      warnings: [{ path: ['applications'] }, { path: ['claims', 'customRoles'] }],
    });
    const contested = await stack.ask('POST', '/admin/v1/preview', {
      body: { ...asEvent, mapping: { document: { ...document, name: 'rival' } } },
    });
    expect(contested.json).toMatchObject({ status: 422, errors: [{ path: ['applications', 0] }] });
  });

  it('of an event of another tenant is refused', async () => {
    const event = eventFor(applications.billingPortal);
    event['data'].tenantId = '2b9e4c7f-8d13-4f60-a2b5-6c7d8e9f0a21';
    const { json } = await stack.ask('POST', '/admin/v1/preview', { body: { tenant: 'contoso', event } });
    expect(json).toMatchObject({ status: 400, errors: [{ path: ['event', 'data', 'tenantId'] }] });
    const broken = await stack.ask('POST', '/admin/v1/preview', { body: { tenant: 'contoso', event: { type: 'x' } } });
    expect(broken.json).toMatchObject({
      status: 400,
      errors: expect.arrayContaining([expect.objectContaining({ path: ['event', 'data'] })]),
    });
  });

  it('is audited before anything is asked, with names and no values, in the table and in the log', async () => {
    const from = stack.service.log.length;
    await preview(asEvent, await stack.mint(['Claims.Preview'], { name: 'Pia Preview' }));
    const { json } = await stack.ask('GET', '/admin/v1/audit?action=mapping.preview&limit=1');
    expect(json.items[0]).toMatchObject({
      action: 'mapping.preview',
      tenant: 'contoso',
      target: 'billing-portal',
      actor: { name: 'Pia Preview', address: '127.0.0.1' },
      details: { by: 'event', values: false, version: 'inForce', application: applications.billingPortal },
    });
    expect(await stack.service.line(({ msg }) => msg === 'audit', from)).toMatchObject({ audit: { action: 'mapping.preview' } });
    const said = JSON.stringify([json.items, stack.service.log.slice(from)]);
    for (const value of [adele.userPrincipalName, adele.onPremisesSecurityIdentifier, 'Finance', correlationId])
      expect(said).not.toContain(value);
  });

  it('leaves no trace among the sign-ins: caches, circuits, health and metrics are as they were', async () => {
    await signIn();
    await expect.poll(traces).toEqual(await traces());
    const before = await traces();
    const stranger = { ...adele, onPremisesSecurityIdentifier: 'S-1-5-21-1004336348-1177238915-682003330-1199' };
    for (let round = 0; round < 5; round += 1) {
      await preview(asEvent);
      await preview({ tenant: 'contoso', event: eventFor(applications.billingPortal, stranger) });
    }
    expect(await traces()).toEqual(before);

    stack.databaseProxy.refuse();
    stack.databaseProxy.cut();
    try {
      for (let round = 0; round < 10; round += 1) {
        const body = await preview(asEvent);
        expect(body).toMatchObject({ answer: 'failure', code: 'claims.unavailable', failedClaims: ['billingTier'], claims: [] });
      }
      expect(await traces()).toEqual(before);
    } finally {
      await stack.databaseProxy.restore();
    }
    expect((await signIn())['data'].actions[0].claims).toMatchObject({ billingTier: 'gold' });
  });

  it('finds the circuit that the sign-ins opened open', async () => {
    stack.databaseProxy.refuse();
    stack.databaseProxy.cut();
    await expect
      .poll(async () => (await signIn(), (await preview(asEvent))['explain'].lookups[1].reason), { timeout: 10_000 })
      .toBe('circuitOpen');
    await stack.databaseProxy.restore();
  });
});

function withoutType({ correlationId: _id, ...claims }: Document): Document {
  return claims;
}
