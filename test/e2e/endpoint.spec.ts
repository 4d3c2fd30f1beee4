import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adele, applications, correlationId, eventFor, eventText } from './event.js';
import { startStack, tenantId, type Answer, type Document, type Stack } from './stack.js';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    configure: (document) => {
      // A busy machine must not make these tests fail: what is too slow is the subject of failure.spec.ts.
      document['entra'] = { timeout: '2s', edgeAllowance: '100ms' };
      for (const source of Object.values<Document>(document['sources'])) source['limits'] = { operation: '1500ms' };
    },
  });
  await stack.ready();
});

afterAll(() => stack[Symbol.asyncDispose]());

const provided = (answer: Answer): unknown => {
  expect(answer.status, answer.text).toBe(200);
  return answer.json.data.actions[0].claims;
};

const change = (act: (event: Document) => void): string => {
  const event = eventFor(applications.billingPortal);
  act(event);
  return JSON.stringify(event);
};

describe('POST /api/onTokenIssuanceStart', () => {
  it('answers with exactly the document that Entra accepts', async () => {
    const answer = await stack.post(eventText(applications.billingPortal));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.json).toEqual({
      data: {
        '@odata.type': 'microsoft.graph.onTokenIssuanceStartResponseData',
        actions: [
          {
            '@odata.type': 'microsoft.graph.tokenIssuanceStart.provideClaimsForToken',
            claims: { billingTier: 'gold', department: 'Finance', customRoles: ['admin', 'reader'] },
          },
        ],
      },
    });
  });

  it.each([
    [
      'a B2B guest with the mail of somebody else',
      { id: adele.id, userPrincipalName: 'x_y.example#EXT#@contoso.example', mail: 'grace.hopper@corp.example' },
    ],
    ['a social account without user principal name', { id: adele.id, mail: 'someone@mail.example', displayName: 'Someone' }],
    [
      'a person whom no source knows',
      { ...adele, onPremisesSecurityIdentifier: 'S-1-5-21-1-2-3-9', onPremisesUserPrincipalName: 'gone@corp.example' },
    ],
    [
      'values that are LDAP and SQL syntax',
      { id: adele.id, onPremisesSamAccountName: '*)(objectClass=*', onPremisesUserPrincipalName: "' or 1=1 --" },
    ],
  ])('gives %s nothing of another person', async (_name, user) => {
    expect(provided(await stack.post(JSON.stringify(eventFor(applications.billingPortal, user))))).toEqual({
      billingTier: 'free',
    });
  });

  it('takes an event without user: a service signs in', async () => {
    const event = eventFor(applications.billingApi);
    delete event['data'].authenticationContext.user;
    expect(provided(await stack.post(JSON.stringify(event)))).toEqual({ billingTier: 'free' });
  });

  it('answers by the resource application of an access token, not by its client', async () => {
    const body = change(({ data }) => {
      data.authenticationContext.resourceServicePrincipal = {
        id: 'e1d5b6c8-7f20-4a39-b5c4-9d8e7f6a5b03',
        appId: applications.billingApi.toUpperCase(),
      };
    });
    expect(provided(await stack.post(body))).toEqual({ billingTier: 'gold', products: ['ledger', 'invoices'] });
  });

  it('answers by the client application where the resource is null', async () => {
    const body = change(({ data }) => (data.authenticationContext.resourceServicePrincipal = null));
    expect(provided(await stack.post(body))).toMatchObject({ billingTier: 'gold' });
  });

  it('gives an application without a mapping no claims, and no failure', async () => {
    expect(provided(await stack.post(eventText(applications.cafeteria)))).toEqual({});
  });

  it('gives each of many concurrent events its own answer', async () => {
    const wanted = [applications.billingPortal, applications.legacyHr, applications.billingApi, applications.cafeteria];
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => stack.post(eventText(wanted[index % wanted.length]!))),
    );
    const names = answers.map((answer) => Object.keys(provided(answer) as object).length);
    expect(names).toEqual(Array.from({ length: 40 }, (_, index) => [3, 7, 2, 0][index % 4]));
  });

  it.each([
    ['no JSON', '{"type":', []],
    ['no object', '[]', []],
    [
      'another event',
      change((event) => (event['type'] = 'microsoft.graph.authenticationEvent.attributeCollectionStart')),
      ['type'],
    ],
    ['no tenant', change(({ data }) => delete data.tenantId), ['data.tenantId']],
    ['a tenant that is no GUID', change(({ data }) => (data.tenantId = 'contoso')), ['data.tenantId']],
    [
      'no correlation id',
      change(({ data }) => delete data.authenticationContext.correlationId),
      ['data.authenticationContext.correlationId'],
    ],
  ])('refuses %s with 400, naming what failed', async (_name, body, paths) => {
    const answer = await stack.post(body);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(answer.json).toMatchObject({ type: 'urn:claimbridge:problem:request.body', status: 400, code: 'request.body' });
    expect(answer.json.correlationId).toMatch(/^[0-9a-f-]{36}$/);
    expect(JSON.stringify(answer.json)).not.toContain('contoso.example');
    for (const path of paths) expect(JSON.stringify(answer.json.errors)).toContain(path);
  });

  it('refuses the event of another tenant with 403, under its correlation id', async () => {
    const answer = await stack.post(change(({ data }) => (data.tenantId = '00000000-1111-4222-8333-444444444444')));
    expect(answer).toMatchObject({ status: 403, json: { code: 'tenant.mismatch', correlationId } });
  });

  it.each([
    ['GET', '/api/onTokenIssuanceStart', 404],
    ['POST', '/api/onAttributeCollectionStart', 404],
    ['GET', '/metrics', 404],
    ['GET', '/admin/health', 404],
    ['GET', '/api/%00', 404],
  ])('has nothing at %s %s', async (method, path, status) => {
    const answer = await fetch(stack.publicUrl + path, { method });
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ status, code: expect.stringMatching(/^route\./) });
  });

  it('logs one line for each event: ids, names, times and outcomes', async () => {
    const own = '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d';
    await stack.post(eventText(applications.billingPortal).replace(correlationId, own));
    const line = await stack.service.line((candidate) => candidate['correlationId'] === own);
    expect(line).toMatchObject({
      level: 'info',
      msg: 'event',
      tenant: 'contoso',
      application: applications.billingPortal,
      mapping: 'billing-portal',
      revision: expect.stringMatching(/^[0-9a-f]{32}$/),
      status: 200,
      ms: expect.any(Number),
      lookups: [
        { alias: 'person', source: 'corp-ad', lookup: 'user', outcome: 'found', ms: expect.any(Number) },
        { alias: 'billing', source: 'billing-db', lookup: 'tier-by-upn', outcome: 'found', ms: expect.any(Number) },
      ],
    });
    expect(stack.service.log.filter((candidate) => candidate['correlationId'] === own)).toHaveLength(1);
  });

  it('stands the judgement of the simulator, from token to token', async () => {
    const signIn = await stack.simulator.signIn({ application: 'billing-portal', user: 'adele' });
    expect(signIn).toMatchObject({
      callout: { status: 200, attempts: 1 },
      claims: { billingTier: 'gold' },
      token: { claims: { tid: tenantId, billing_tier: 'gold', department: 'Finance', my_roles: ['admin', 'reader'] } },
    });
    expect(signIn.error).toBeUndefined();
  });
});
