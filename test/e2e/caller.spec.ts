import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applications, eventText } from './event.js';
import { answerOf, startStack, type Stack } from './stack.js';

let stack: Stack;
const body = eventText(applications.billingPortal);

beforeAll(async () => {
  stack = await startStack();
  await stack.ready();
});

afterAll(() => stack[Symbol.asyncDispose]());

type Overrides = Parameters<Stack['simulator']['mintExtensionToken']>[0];

const other = '11111111-2222-4333-8444-555555555555';

describe('the caller of the event endpoint', () => {
  it('is Entra, by a version 2.0 token', async () => {
    expect((await stack.post(body)).status).toBe(200);
  });

  it.each<[string, Overrides]>([
    ['another audience', { claims: { aud: other } }],
    ['several audiences, ours among them', { claims: { aud: ['b0a4d6a2-53f1-4b39-9a7c-1de0c4c5f201', other] } }],
    ['another calling application', { claims: { azp: other } }],
    ['no calling application', { claims: { azp: null } }],
    ['another issuer', { claims: { iss: 'https://sts.attacker.example/v2.0' } }],
    ['another tenant', { claims: { tid: other } }],
    ['an expiry in the past', { expiresIn: -3_600 }],
    ['a beginning in the future', { claims: { nbf: Math.floor(Date.now() / 1_000) + 3_600 } }],
    ['no signature', { key: 'none' }],
    ['an HMAC made with the public key', { key: 'hs256' }],
    ['a key that is not published', { key: 'foreign' }],
    ['no key id', { header: { kid: null } }],
    ['an unknown key id', { header: { kid: 'made-up' } }],
  ])('is refused with %s', async (_name, overrides) => {
    const token = await stack.simulator.mintExtensionToken(overrides);
    const answer = await stack.post(body, { authorization: `Bearer ${token}` });
    expect(answer).toMatchObject({ status: 401, json: { code: 'caller.unauthenticated', status: 401 } });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
    expect(answer.text).not.toContain(other);
  });

  it('is refused without a token, by a bare challenge', async () => {
    const answer = await stack.post(body, { authorization: '' });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it.each(['Bearer', 'Bearer x', 'Bearer a.b.c', 'Basic dXNlcjpwYXNz', `Bearer ${'a'.repeat(12_000)}`])(
    'is refused with "%.20s"',
    async (authorization) => {
      expect((await stack.post(body, { authorization })).status).toBe(401);
    },
  );

  it('is not found in the body, the query or a header of the platform', async () => {
    const token = await stack.simulator.mintExtensionToken();
    const principal = Buffer.from(
      JSON.stringify({ claims: [{ typ: 'azp', val: '99045fe1-7639-4a75-9d4a-577b6ca3810f' }] }),
    ).toString('base64');
    const answer = await fetch(`${stack.endpoint}?access_token=${token}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-ms-client-principal': principal,
        'x-ms-client-principal-idp': 'aad',
        'x-ms-token-aad-access-token': token,
      },
      body: JSON.stringify({ access_token: token, ...(JSON.parse(body) as object) }),
    });
    expect(answer.status).toBe(401);
  });

  it('is not told apart while there are no keys: 503, never 401, and the replica is not ready', async () => {
    const audience = 'b0a4d6a2-53f1-4b39-9a7c-1de0c4c5f201';
    await using dark = await startStack({
      configure: (document) => {
        // Nothing listens on port 9 of this machine.
        const away = 'https://127.0.0.1:9/v2.0/.well-known/openid-configuration';
        for (const entry of [document['tenants'].contoso, document['admin']]) entry.issuers[0].metadata = away;
        expect(document['tenants'].contoso.audience).toBe(audience);
      },
    });
    const answer = await dark.post(body);
    expect(answer).toMatchObject({ status: 503, json: { code: 'keys.unavailable' } });
    expect(answer.headers.get('retry-after')).toBe('1');
    expect((await fetch(`${dark.publicUrl}/health/live`)).status).toBe(200);
    expect((await fetch(`${dark.publicUrl}/health/ready`)).status).toBe(503);
  });
});

describe('the order of refusals', () => {
  /** Each makes one defect, in the order in which they must be found. */
  const defects = {
    tooLarge: { status: 413, make: (request: Request) => ({ ...request, body: request.body + ' '.repeat(70_000) }) },
    caller: {
      status: 401,
      make: (request: Request) => ({ ...request, headers: { ...request.headers, authorization: 'Bearer a.b.c' } }),
    },
    contentType: {
      status: 415,
      make: (request: Request) => ({ ...request, headers: { ...request.headers, 'content-type': 'text/xml' } }),
    },
    body: { status: 400, make: (request: Request) => ({ ...request, body: request.body.replace('"type"', '"typo"') }) },
    tenant: {
      status: 403,
      make: (request: Request) => ({ ...request, body: request.body.replace('"tenantId":"7d1c5a0e', '"tenantId":"00000000') }),
    },
  };
  interface Request {
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  }
  const names = Object.keys(defects) as (keyof typeof defects)[];
  const pairs = names.flatMap((first, index) => names.slice(index).map((second) => [first, second] as const));

  it.each(pairs)('finds %s before %s', async (first, second) => {
    const made = defects[first].make(defects[second].make({ headers: {}, body }));
    expect((await stack.post(made.body, made.headers)).status).toBe(defects[first].status);
  });

  it('finds headers that are too large before everything else', async () => {
    const answer = await answerOf(
      await fetch(stack.endpoint, {
        method: 'POST',
        headers: { 'x-padding': 'x'.repeat(20_000), authorization: 'Bearer a.b.c' },
        body: '',
      }),
    );
    expect(answer).toMatchObject({ status: 431, json: { code: 'request.headersTooLarge' } });
  });
});
