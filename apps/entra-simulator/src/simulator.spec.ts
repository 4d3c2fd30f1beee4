import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { Agent, request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SimulatorDocument } from './config.js';
import { startSimulator, type Simulator } from './simulator.js';
import type { TokenOverrides } from './tokens.js';

const id = (digit: number): string => `${String(digit).repeat(8)}-1111-4111-8111-111111111111`;

const config = (targetUrl: string): SimulatorDocument => ({
  tenants: {
    fabrikam: {
      tenantId: id(1),
      api: { appId: id(2), requestedAccessTokenVersion: 2, identifierUri: 'api://claims.example/2' },
      extensions: {
        claims: {
          id: id(3),
          targetUrl,
          timeoutInMilliseconds: 300,
          maximumRetries: 1,
          claimsForTokenConfiguration: ['tier', 'level', 'roles'],
        },
      },
      applications: {
        shop: {
          appId: id(4),
          objectId: id(5),
          displayName: 'Shop',
          extension: 'claims',
          listenerId: id(6),
          claimsMapping: [
            { id: 'tier', jwtClaimType: 'shop_tier' },
            { id: 'roles', jwtClaimType: 'roles' },
          ],
        },
        api: { appId: id(7), objectId: id(8), displayName: 'API', extension: 'claims', listenerId: id(6) },
      },
      clients: { operator: { clientId: id(9), clientSecret: 'right', resource: id(2), roles: ['Claims.Read'] } },
      users: { ada: { id: '0a0a0a0a-1111-4111-8111-111111111111', displayName: 'Ada', mail: null } },
    },
  },
});

type Behaviour = (call: IncomingMessage, answer: ServerResponse, body: string) => void;

const provide =
  (claims: object): Behaviour =>
  (_call, answer) =>
    void answer.writeHead(200, { 'content-type': 'application/json' }).end(
      JSON.stringify({
        data: {
          '@odata.type': 'microsoft.graph.onTokenIssuanceStartResponseData',
          actions: [{ '@odata.type': 'microsoft.graph.tokenIssuanceStart.provideClaimsForToken', claims }],
        },
      }),
    );

let provider: Server;
let behaviour: Behaviour;
let calls: { readonly authorization: string | undefined; readonly body: string }[];
let simulator: Simulator;
let agent: Agent;

beforeAll(async () => {
  provider = createServer((call, answer) => {
    let body = '';
    call.setEncoding('utf8').on('data', (text: string) => (body += text));
    call.on('end', () => {
      calls.push({ authorization: call.headers.authorization, body });
      behaviour(call, answer, body);
    });
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  simulator = await startSimulator({ config: config(`http://127.0.0.1:${(provider.address() as AddressInfo).port}/claims`) });
  agent = new Agent({ connect: { ca: simulator.ca } });
  calls = [];
});

afterEach(() => {
  calls = [];
  simulator.setFaults({ metadata: 'none', keys: 'none' });
});

afterAll(async () => {
  await agent.close();
  await simulator.stop();
  provider.closeAllConnections();
  await new Promise((resolve) => provider.close(resolve));
});

async function get(path: string): Promise<{ readonly status: number; readonly json: Record<string, unknown> }> {
  const { statusCode, body } = await request(simulator.url + path, { dispatcher: agent });
  return { status: statusCode, json: (await body.json()) as Record<string, unknown> };
}

async function verify(token: string, version: 1 | 2): Promise<Record<string, unknown>> {
  const { json } = await get(`/${id(1)}${version === 1 ? '' : '/v2.0'}/.well-known/openid-configuration`);
  const keys = await get(new URL(json['jwks_uri'] as string).pathname);
  const { payload } = await jwtVerify(token, createLocalJWKSet(keys.json as unknown as JSONWebKeySet), {
    issuer: json['issuer'] as string,
    algorithms: ['RS256'],
  });
  return payload;
}

describe('the tokens of the simulator', () => {
  it.each<[string, TokenOverrides, 1 | 2, object]>([
    ['version 2.0', {}, 2, { aud: id(2), azp: '99045fe1-7639-4a75-9d4a-577b6ca3810f', tid: id(1), ver: '2.0' }],
    [
      'version 1.0',
      { version: 1 },
      1,
      { aud: 'api://claims.example/2', appid: '99045fe1-7639-4a75-9d4a-577b6ca3810f', ver: '1.0' },
    ],
  ])('of %s are verified by the published keys', async (_name, overrides, version, expected) => {
    const payload = await verify(await simulator.mintExtensionToken(overrides), version);
    expect(payload).toMatchObject(expected);
    expect(payload['sub']).toBe(payload['oid']);
  });

  it.each(['foreign', 'none', 'hs256'] as const)('are not verified where they are signed otherwise: %s', async (key) => {
    await expect(verify(await simulator.mintExtensionToken({ key }), 2)).rejects.toThrow(/key|algorithm|alg/i);
  });

  it('outlive an overlapping change of keys, and not an emergency', async () => {
    const before = await simulator.mintExtensionToken();
    await simulator.rollKeys('overlap');
    expect(await verify(before, 2)).toMatchObject({ ver: '2.0' });
    await simulator.rollKeys('emergency');
    await expect(verify(before, 2)).rejects.toThrow(/no applicable key/);
    expect(await verify(await simulator.mintExtensionToken(), 2)).toMatchObject({ ver: '2.0' });
  });
});

describe('a sign-in', () => {
  it('posts the event with the token, leads the claims through the gates and makes the token', async () => {
    behaviour = provide({ tier: 'gold', level: '3', extra: 'x', roles: ['a'] });
    const signIn = await simulator.signIn({ application: 'shop', user: 'ada' });
    expect(signIn).toMatchObject({
      callout: { attempts: 1, status: 200 },
      claims: { tier: 'gold', level: '3', extra: 'x', roles: ['a'] },
      token: { kind: 'idToken', claims: { aud: id(4), shop_tier: 'gold', name: 'Ada' } },
    });
    expect(signIn.dropped.map(({ claim, gate }) => [claim, gate])).toEqual([
      ['level', 'application'],
      ['extra', 'extension'],
      ['roles', 'restricted'],
    ]);
    expect(JSON.parse(calls[0]!.body)).toEqual(signIn.event);
    expect(await verify(calls[0]!.authorization!.slice('Bearer '.length), 2)).toMatchObject({ aud: id(2) });
  });

  it('of a service has no user, and of a client for an API names both', async () => {
    behaviour = provide({});
    const service = await simulator.signIn({ application: 'api' });
    const api = await simulator.signIn({ application: 'api', client: 'shop', user: 'ada' });
    expect(JSON.stringify(service.event)).not.toContain('"user"');
    expect(api.token).toMatchObject({ kind: 'accessToken', claims: { aud: id(7), azp: id(4) } });
    expect(api.event).toMatchObject({
      data: { authenticationContext: { clientServicePrincipal: { appId: id(4) }, resourceServicePrincipal: { appId: id(7) } } },
    });
  });

  it.each<[string, Behaviour, number, number]>([
    ['hangs', () => undefined, 1003005, 2],
    ['breaks the connection', (call) => void call.socket.destroy(), 1003027, 2],
    ['answers 503', (_call, answer) => void answer.writeHead(503).end(), 1003002, 2],
    ['answers 401', (_call, answer) => void answer.writeHead(401).end(), 1003002, 1],
    ['answers text', (_call, answer) => void answer.writeHead(200, { 'content-type': 'text/plain' }).end('{}'), 1003006, 1],
    ['answers numbers', provide({ level: 3 }), 1003003, 1],
  ])('fails where the provider %s', async (_name, behave, errorCode, attempts) => {
    behaviour = behave;
    const signIn = await simulator.signIn({ application: 'shop', user: 'ada' });
    expect(signIn).toMatchObject({ callout: { errorCode, attempts }, error: { code: 'AADSTS1100001' } });
    expect(signIn.token).toBeUndefined();
    expect(calls).toHaveLength(attempts);
  });

  it('succeeds by the retry', async () => {
    let first = true;
    behaviour = (call, answer, body) => {
      if (first) answer.writeHead(500).end();
      else provide({ tier: 'gold' })(call, answer, body);
      first = false;
    };
    expect(await simulator.signIn({ application: 'shop', user: 'ada' })).toMatchObject({ callout: { attempts: 2, status: 200 } });
  });

  it('of an unknown name is refused, with the names that there are', async () => {
    await expect(simulator.signIn({ application: 'nothing' })).rejects.toThrow('there are shop, api');
  });
});

describe('the public documents', () => {
  it.each([
    ['html', 200],
    ['unavailable', 503],
  ] as const)('fail as they are told: %s', async (metadata, status) => {
    simulator.setFaults({ metadata, keys: 'none' });
    const { statusCode, body } = await request(`${simulator.url}/${id(1)}/v2.0/.well-known/openid-configuration`, {
      dispatcher: agent,
    });
    await body.dump();
    expect(statusCode).toBe(status);
  });

  it('are there for the tenants of the configuration only', async () => {
    expect((await get(`/${id(9)}/v2.0/.well-known/openid-configuration`)).status).toBe(404);
  });
});

describe('the configuration', () => {
  it('names what is wrong with it', async () => {
    const wrong = {
      tenants: { a: { ...config('http://x').tenants['fabrikam']!, surprise: 1, tenantId: 'x' } },
    } as SimulatorDocument;
    await expect(startSimulator({ config: wrong })).rejects.toThrow(
      /tenants\.a\.tenantId: must be a GUID[\s\S]*tenants\.a\.surprise: is not a known key/,
    );
  });
});
