import { describe, expect, it, vi } from 'vitest';
import type { ReceivedRequest } from '#testing';
import { KnownSecrets, ask, http, later, patient, server, values } from './http-source.harness.js';

const gold = { body: { v: 'gold' } };
const refusedBefore = { kind: 'unavailable', reason: 'credentials', detail: 'refused before; not tried again yet' };

/** Lets in by this header only. */
const guard =
  (header: string, accepted: () => string) =>
  ({ headers }: ReceivedRequest) =>
    headers[header] === accepted() ? gold : { status: 401 };

describe('a secret of the operator’s', () => {
  it.each<[object, string, string]>([
    [{ type: 'bearer', token: 'env:SECRET' }, 'authorization', 'Bearer s3cret'],
    [{ type: 'apiKey', key: 'env:SECRET' }, 'x-api-key', 's3cret'],
    [{ type: 'apiKey', key: 'env:SECRET', header: 'Ocp-Apim-Subscription-Key' }, 'ocp-apim-subscription-key', 's3cret'],
    [{ type: 'basic', user: 'zoë', password: 'env:SECRET' }, 'authorization', 'Basic em/DqzpzM2NyZXQ='],
  ])('is sent as %j says', async (auth, header, value) => {
    const api = await server(guard(header, () => value));
    expect(await values(http(api.url, { auth, secrets: new KnownSecrets({ 'env:SECRET': 's3cret' }) }))).toEqual(['gold']);
  });

  it('is read once, and again when it is refused: a rotated one is found at once', async () => {
    let accepted = 'old';
    const api = await server(guard('x-api-key', () => accepted));
    const secrets = new KnownSecrets({ 'env:KEY': 'old' });
    const source = http(api.url, { auth: { type: 'apiKey', key: 'env:KEY' }, secrets });
    for (let round = 0; round < 3; round++) expect(await values(source)).toEqual(['gold']);
    expect(secrets.reads).toHaveLength(1);
    accepted = secrets.known['env:KEY'] = 'new';
    expect(await values(source)).toEqual(['gold']);
    expect(api.requests.map(({ headers }) => headers['x-api-key'])).toEqual(['old', 'old', 'old', 'old', 'new']);
  });

  it('that is refused is held back until it changes or a while has passed', async () => {
    let accepted = 'another';
    const api = await server(guard('x-api-key', () => accepted));
    const secrets = new KnownSecrets({ 'env:KEY': 'hunter2' });
    const source = http(api.url, { auth: { type: 'apiKey', key: 'env:KEY' }, secrets, probe: { path: '/health' } });
    expect(await ask(source)).toEqual(refusedBefore);
    expect(await ask(source)).toEqual(refusedBefore);
    expect(await source.probe(patient)).toEqual({ ...refusedBefore, kind: 'down' });
    expect(api.requests).toHaveLength(1);
    accepted = 'hunter2';
    later(9_000);
    expect(await ask(source)).toEqual(refusedBefore);
    later(11_000);
    expect(await values(source)).toEqual(['gold']);
    expect(JSON.stringify(source.logged)).not.toContain('hunter2');
  });

  it('that is a password is held back for longer each time, because its account may be locked', async () => {
    const api = await server(() => ({ status: 401 }));
    const secrets = new KnownSecrets({ 'env:KEY': 'hunter2' });
    const source = http(api.url, { auth: { type: 'basic', user: 'zoe', password: 'env:KEY' }, secrets });
    for (const [minutes, requests] of [
      [0, 1],
      [4, 1],
      [8, 2],
      [17, 2],
      [24, 3],
    ] as const) {
      later(minutes * 60_000);
      expect(await ask(source)).toEqual(refusedBefore);
      expect([minutes, api.requests.length]).toEqual([minutes, requests]);
    }
    secrets.known['env:KEY'] = 'another';
    await ask(source);
    expect(api.requests.at(-1)?.headers['authorization']).toBe(`Basic ${Buffer.from('zoe:another').toString('base64')}`);
  });

  it.each([
    ['is not there', {}],
    ['is empty', { 'env:KEY': '' }],
    ['has a line break', { 'env:KEY': 'a\r\nX-Admin: true' }],
    ['has what is not ASCII', { 'env:KEY': 'schlüssel' }],
  ])('that %s is not sent', async (_, known) => {
    const api = await server(() => gold);
    const source = http(api.url, { auth: { type: 'apiKey', key: 'env:KEY' }, secrets: new KnownSecrets(known) });
    expect(await ask(source)).toEqual({
      kind: 'unavailable',
      reason: 'credentials',
      detail: 'the secret cannot be read, is empty or cannot be sent',
    });
    expect(await source.probe(patient)).toMatchObject({ kind: 'down', reason: 'credentials' });
    expect(api.requests).toEqual([]);
  });
});

describe('client credentials', () => {
  /** An API that takes the token given last, and the endpoint that gives tokens. */
  async function protectedApi({ lifetime, auth = {} }: { lifetime?: number; auth?: object } = {}) {
    let given = 0;
    let accepted: string | undefined;
    const giveToken = () => {
      accepted = `Bearer token-${(given += 1)}`;
      const expiry = lifetime === undefined ? {} : { expires_in: lifetime };
      return { body: { access_token: `token-${given}`, token_type: 'bearer', ...expiry } };
    };
    const endpoint = await server(giveToken);
    const api = await server(guard('authorization', () => accepted ?? 'nothing'));
    const secrets = new KnownSecrets({ 'env:CLIENT': 's3cret/+' });
    const source = http(api.url, {
      secrets,
      auth: {
        type: 'clientCredentials',
        tokenUrl: `${endpoint.url}/oauth2/token`,
        clientId: 'claim bridge',
        clientSecret: 'env:CLIENT',
        ...auth,
      },
    });
    return { source, api, endpoint, secrets, giveToken, revoke: () => (accepted = undefined) };
  }

  it('are sent in the header, encoded as RFC 6749 §2.3.1 says', async () => {
    const { source, endpoint } = await protectedApi({ auth: { scope: 'a b', tokenParameters: { audience: 'hr' } } });
    expect(await values(source)).toEqual(['gold']);
    expect(endpoint.requests).toMatchObject([
      {
        method: 'POST',
        target: '/oauth2/token',
        body: 'grant_type=client_credentials&scope=a+b&audience=hr',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: `Basic ${Buffer.from('claim+bridge:s3cret%2F%2B').toString('base64')}`,
        },
      },
    ]);
  });

  it('or in the body', async () => {
    const { source, endpoint } = await protectedApi({ auth: { clientAuthentication: 'body' } });
    expect(await values(source)).toEqual(['gold']);
    expect(endpoint.requests[0]!.body).toBe('grant_type=client_credentials&client_id=claim+bridge&client_secret=s3cret%2F%2B');
    expect(endpoint.requests[0]!.headers).not.toHaveProperty('authorization');
  });

  it('get one token for all who ask at the same time, and the probe has it ready', async () => {
    const { source, endpoint } = await protectedApi({ lifetime: 3_600 });
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => values(source)));
    expect(outcomes).toEqual(Array.from({ length: 20 }, () => ['gold']));
    expect(endpoint.requests).toHaveLength(1);

    const another = await protectedApi();
    expect(await another.source.probe(patient)).toEqual({ kind: 'up' });
    expect(another.endpoint.requests).toHaveLength(1);
    expect(await values(another.source)).toEqual(['gold']);
    expect(another.endpoint.requests).toHaveLength(1);
  });

  it.each([
    [3_600, 3_300],
    [600, 540],
    [undefined, 270],
  ])('get the next token of %s s after %i s, in the background', async (lifetime, refreshed) => {
    const { source, api, endpoint } = await protectedApi({ ...(lifetime && { lifetime }) });
    expect(await values(source)).toEqual(['gold']);
    later((refreshed - 5) * 1_000);
    expect(await values(source)).toEqual(['gold']);
    expect(endpoint.requests).toHaveLength(1);
    const { promise: held, resolve: release } = Promise.withResolvers<{ body: object }>();
    endpoint.respond(() => held);
    later((refreshed + 5) * 1_000);
    expect(await values(source)).toEqual(['gold']);
    await vi.waitFor(() => expect(endpoint.requests).toHaveLength(2), { timeout: 15_000 });
    expect(await values(source)).toEqual(['gold']);
    expect(endpoint.requests).toHaveLength(2);
    api.respond(guard('authorization', () => 'Bearer next'));
    release({ body: { access_token: 'next', token_type: 'Bearer', expires_in: 3_600 } });
    await vi.waitFor(async () => expect(await values(source)).toEqual(['gold']), { timeout: 15_000 });
    expect(endpoint.requests).toHaveLength(2);
  });

  it('serve on while the endpoint is away, and ask it no more than every 10 s', async () => {
    const { source, endpoint } = await protectedApi({ lifetime: 3_600 });
    expect(await values(source)).toEqual(['gold']);
    endpoint.respond(() => ({ status: 503 }));
    later(3_400_000);
    for (let round = 0; round < 5; round++) expect(await values(source)).toEqual(['gold']);
    await vi.waitFor(() => expect(endpoint.requests).toHaveLength(2), { timeout: 15_000 });
    expect(await values(source)).toEqual(['gold']);
    expect(endpoint.requests).toHaveLength(2);
    later(3_700_000);
    expect(await ask(source)).toEqual({ kind: 'unavailable', reason: 'overloaded', detail: 'token endpoint: status 503' });
  });

  it('get another token where the API refuses the present one', async () => {
    const { source, api, endpoint, revoke } = await protectedApi({ lifetime: 3_600 });
    expect(await values(source)).toEqual(['gold']);
    later(60_000);
    revoke();
    expect(await Promise.all([values(source), values(source)])).toEqual([['gold'], ['gold']]);
    expect(endpoint.requests).toHaveLength(2);
    expect(api.requests.map(({ headers }) => headers.authorization).at(-1)).toBe('Bearer token-2');
  });

  it('are not tried again at once where the API refuses a new token too', async () => {
    const { source, api, endpoint } = await protectedApi({ lifetime: 3_600 });
    api.respond(() => ({ status: 401 }));
    expect(await ask(source)).toEqual(refusedBefore);
    expect(await ask(source)).toEqual(refusedBefore);
    expect([api.requests.length, endpoint.requests.length]).toEqual([1, 1]);
    api.respond(guard('authorization', () => 'Bearer token-2'));
    later(10_001);
    expect(await values(source)).toEqual(['gold']);
  });

  it('that the endpoint refuses are held back until they change', async () => {
    const { source, endpoint, secrets, giveToken } = await protectedApi();
    endpoint.respond(() => ({ status: 401, body: { error: 'invalid_client', error_description: 'secret s3cret is wrong' } }));
    expect(await ask(source)).toEqual({
      kind: 'unavailable',
      reason: 'credentials',
      detail: 'token endpoint: invalid_client',
    });
    expect(await ask(source)).toEqual(refusedBefore);
    expect(await source.probe(patient)).toEqual({ ...refusedBefore, kind: 'down' });
    expect(endpoint.requests).toHaveLength(1);
    endpoint.respond(giveToken);
    secrets.known['env:CLIENT'] = 'new';
    expect(await values(source)).toEqual(['gold']);
  });

  it.each<[object, object]>([
    [
      { status: 400, body: { error: 'invalid_scope' } },
      { reason: 'credentials', detail: 'token endpoint: invalid_scope' },
    ],
    [
      { status: 400, body: { error: 's3cret is wrong' } },
      { reason: 'refused', detail: 'token endpoint: status 400' },
    ],
    [
      { status: 401, body: 'null' },
      { reason: 'credentials', detail: 'token endpoint: status 401' },
    ],
    [
      { status: 302, headers: { location: 'https://elsewhere.example' } },
      { reason: 'refused', detail: 'token endpoint: status 302' },
    ],
    [{ status: 500 }, { reason: 'refused', detail: 'token endpoint: status 500' }],
    [{ body: 'null' }, { reason: 'malformed', detail: 'token endpoint: no bearer token' }],
    [{ body: { access_token: 'a', token_type: 'mac' } }, { reason: 'malformed', detail: 'token endpoint: no bearer token' }],
    [
      { body: { access_token: 'a\r\nb', token_type: 'bearer' } },
      { reason: 'malformed', detail: 'token endpoint: no bearer token' },
    ],
    [{ body: 'x'.repeat(300_000) }, { reason: 'limit', detail: 'token endpoint: the answer is too large' }],
  ])('that are answered by %j are not to be had', async (answer, outcome) => {
    const { source, api, endpoint } = await protectedApi();
    endpoint.respond(() => answer);
    expect(await ask(source)).toEqual({ kind: 'unavailable', ...outcome });
    expect(api.requests).toEqual([]);
  });

  it('let nobody wait longer than they want, and go on for the next', async () => {
    const { source, endpoint, giveToken } = await protectedApi();
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    endpoint.respond(() => held.then(giveToken));
    const abort = new AbortController();
    const waiting = ask(source, 'adele', abort.signal);
    await vi.waitFor(() => expect(endpoint.requests).toHaveLength(1), { timeout: 15_000 });
    abort.abort();
    expect(await waiting).toEqual({ kind: 'unavailable', reason: 'timeout', detail: 'no token yet' });
    release();
    expect(await values(source)).toEqual(['gold']);
    expect(endpoint.requests).toHaveLength(1);
  });

  it('are asked for anew where an endpoint has been silent for a while, whatever becomes of the silence', async () => {
    const { source, endpoint, giveToken } = await protectedApi();
    const { promise: held, resolve: release } = Promise.withResolvers<{ status: number }>();
    endpoint.respond(() => held);
    const abort = new AbortController();
    const waiting = [ask(source, 'adele', abort.signal), ask(source, 'ben', abort.signal)];
    await vi.waitFor(() => expect(endpoint.requests).toHaveLength(1), { timeout: 15_000 });
    abort.abort();
    await Promise.all(waiting);
    endpoint.respond(giveToken);
    later(1_100);
    expect(await values(source)).toEqual(['gold']);
    release({ status: 500 });
    expect(await values(source)).toEqual(['gold']);
    expect(endpoint.requests).toHaveLength(2);
  });

  it('are sent to no address that is not meant', async () => {
    const { source, endpoint } = await protectedApi({
      auth: { tokenUrl: 'http://169.254.169.254/metadata/identity/oauth2/token' },
    });
    expect(await ask(source)).toMatchObject({ reason: 'connection', detail: expect.stringContaining('the address is refused') });
    expect(endpoint.requests).toEqual([]);
  });
});
