import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect as connectTls, type SecureVersion } from 'node:tls';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServerCertificate } from '../../apps/entra-simulator/src/certificates.js';
import { applications, eventText } from './event.js';
import { ServiceProcess } from './service-process.js';
import { answerOf, environment, operator, startStack, tenantId, type Document, type Stack } from './stack.js';

const body = eventText(applications.billingPortal);
const limits = (more: Document) => ({
  configure: (document: Document) => void (document['listen'].public.limits = more),
});

/** All that a peer gets for the bytes it sends, until the service closes the connection. */
async function converse(url: string, text: string): Promise<string> {
  const socket = connectTcp(Number(new URL(url).port), '127.0.0.1');
  socket.setEncoding('latin1').on('error', () => undefined);
  socket.write(text);
  let seen = '';
  socket.on('data', (part: string) => (seen += part));
  await new Promise((resolve) => socket.once('close', resolve));
  return seen;
}

const metricsOf = async (stack: Stack): Promise<string> => (await fetch(`${stack.managementUrl}/metrics`)).text();

describe('failed authentications', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack(limits({ failedAuthentications: 5 }));
    await stack.ready();
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  it('of one peer are limited, counted and logged once; who can authenticate is let in', async () => {
    const statuses: number[] = [];
    for (let call = 0; call < 8; call += 1) statuses.push((await stack.post(body, { authorization: 'Bearer a.b.c' })).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
    const limited = await stack.post(body, { authorization: 'Bearer a.b.c' });
    expect(limited.json).toMatchObject({ status: 429, code: 'caller.limited' });
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    expect([limited.headers.get('connection'), limited.headers.get('www-authenticate')]).toEqual(['close', null]);
    expect((await stack.post(body)).status).toBe(200);
    const warnings = stack.service.log.filter(({ peer }) => peer === '127.0.0.1');
    expect(warnings).toEqual([expect.objectContaining({ level: 'warn', door: 'public' })]);
    expect(stack.service.log.filter(({ status }) => status === 429)).toEqual([]);
    const metrics = await metricsOf(stack);
    expect(metrics).toContain('claimbridge_authentications_total{door="public",verdict="token.malformed"} 9');
    expect(metrics).toContain('claimbridge_authentications_total{door="public",verdict="accepted"} 1');
  });

  it('are not spread by a forged X-Forwarded-For, because no proxy is trusted', async () => {
    const answer = await stack.post(body, { authorization: 'Bearer a.b.c', 'x-forwarded-for': '198.51.100.7' });
    expect(answer.status).toBe(429);
  });

  it('are counted by the address that a trusted proxy names, the last one that it did not believe', async () => {
    await using behind = await startStack({
      configure: ({ listen }) =>
        Object.assign(listen.public, { trustedProxies: ['127.0.0.1'], limits: { failedAuthentications: 1 } }),
    });
    const fail = async (forwarded: string): Promise<number> =>
      (await behind.post(body, { authorization: 'Bearer a.b.c', 'x-forwarded-for': forwarded })).status;
    expect([await fail('198.51.100.7'), await fail('198.51.100.7'), await fail('198.51.100.8')]).toEqual([401, 429, 401]);
    expect(await fail('203.0.113.1, 198.51.100.7')).toBe(429);
  });

  it('at the management door are limited by themselves', async () => {
    await using guarded = await startStack({
      configure: ({ listen }) => void (listen.management.limits = { failedAuthentications: 1 }),
    });
    const ask = async (token: string): Promise<number> =>
      (await fetch(`${guarded.managementUrl}/admin/health`, { headers: { authorization: `Bearer ${token}` } })).status;
    expect([await ask('x'), await ask('x'), await ask(await guarded.operatorToken())]).toEqual([401, 429, 200]);
    await guarded.ready();
    expect((await guarded.post(body, { authorization: 'Bearer x' })).status).toBe(401);
  });
});

describe('refusals that anybody can cause', () => {
  it('are logged one by one up to a limit for each kind, and counted beyond it', async () => {
    await using stack = await startStack(limits({ failedAuthentications: 3 }));
    await stack.ready();
    const kinds: readonly [string, number, () => Promise<unknown>][] = [
      ['route.unknown', 404, async () => fetch(`${stack.publicUrl}/health/nowhere`)],
      ['request.tooLarge', 413, async () => stack.post('x'.repeat(70_000), { authorization: '' })],
      ['request.malformed', 400, async () => converse(stack.publicUrl, 'nonsense\r\n\r\n')],
      ['request.malformed', 400, async () => fetch(`${stack.publicUrl}/%`)],
    ];
    for (const [, , cause] of kinds) for (let call = 0; call < 5; call += 1) await cause();
    await stack.service.stop();
    const lines = stack.service.log.filter(({ msg, status }) => msg === 'event' && Number(status) >= 400);
    const logged = (code: string): number => lines.filter((line) => line['code'] === code).length;
    expect([logged('route.unknown'), logged('request.tooLarge'), logged('request.malformed')]).toEqual([3, 3, 3]);
    const summaries = stack.service.log.filter(({ msg }) => msg === 'refusals without a line of their own');
    expect(summaries.map(({ door, code, count }) => [door, code, count])).toEqual([
      ['public', 'route.unknown', 2],
      ['public', 'request.tooLarge', 2],
      ['public', 'request.malformed', 7],
    ]);
  });

  it('are all counted by the metrics, and those of the probes are no events', async () => {
    await using stack = await startStack();
    await stack.ready();
    await converse(stack.publicUrl, 'nonsense\r\n\r\n');
    await fetch(`${stack.publicUrl}/health/nowhere`);
    await stack.service.line(({ code }) => code === 'route.unknown');
    const metrics = await metricsOf(stack);
    expect(metrics).toMatch(/claimbridge_events_total\{[^}]*status="400",code="request.malformed"\} 1/);
    expect(metrics).toMatch(/claimbridge_events_total\{[^}]*status="404",code="route.unknown"\} 1/);
    expect(metrics).not.toMatch(/claimbridge_events_total\{[^}]*status="200"/);
  });
});

describe('connections', () => {
  it('beyond the limit are closed at once, and taken again when there is room', async () => {
    await using stack = await startStack(limits({ connections: 3 }));
    const port = Number(new URL(stack.publicUrl).port);
    const open = async (): Promise<Socket> => {
      const socket = connectTcp(port, '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      return socket;
    };
    const held = await Promise.all([open(), open(), open()]);
    // A request on each shows that the service has taken it.
    for (const socket of held) {
      socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
      expect(String((await once(socket, 'data'))[0])).toContain('HTTP/1.1 200');
    }
    expect(await converse(stack.publicUrl, 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n')).toBe('');
    held[0]!.destroy();
    const tried = async (): Promise<string> =>
      converse(stack.publicUrl, 'GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await expect.poll(tried).toContain('HTTP/1.1 200');
    for (const socket of held) socket.destroy();
  });

  it.each([
    ['headers', 'POST /api/onTokenIssuanceStart HTTP/1.1\r\nHost: x\r\nX-Slow: '],
    ['body', 'POST /api/onTokenIssuanceStart HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{'],
  ])('whose %s do not arrive in time are answered 408 and closed', async (_part, text) => {
    await using stack = await startStack(limits({ headers: '200ms', request: '400ms' }));
    const seen = await converse(stack.publicUrl, text);
    expect(seen).toMatch(/^HTTP\/1\.1 408 /);
    expect(seen).toContain('"code":"request.timeout"');
  });
});

describe('a deadline that cannot be met', () => {
  it('is 503 before any source is asked', async () => {
    // One millisecond: the token alone takes longer to verify.
    await using stack = await startStack({
      configure: (document) => void (document['entra'] = { timeout: '200ms', edgeAllowance: '199ms' }),
    });
    await stack.ready();
    const answer = await stack.post(body);
    expect(answer).toMatchObject({ status: 503, json: { code: 'service.overloaded' } });
    expect(await metricsOf(stack)).not.toContain('claimbridge_lookups_total{');
  });
});

describe('answers', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack();
    await stack.ready();
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  it('name no product, version or stack, whatever was asked', async () => {
    const authorization = `Bearer ${await stack.simulator.mintExtensionToken()}`;
    const odd: readonly [string, RequestInit][] = [
      ['/', {}],
      ['/%', {}],
      [`/${'a'.repeat(5_000)}`, {}],
      ['/api/onTokenIssuanceStart', {}],
      ['/api/onTokenIssuanceStart', { method: 'POST', body: '{' }],
      [
        '/api/onTokenIssuanceStart',
        { method: 'POST', body: '{', headers: { authorization, 'content-type': 'application/json' } },
      ],
      ['/api/onTokenIssuanceStart', { method: 'POST', body: 'x'.repeat(70_000) }],
      ['/api/onTokenIssuanceStart', { method: 'PROPFIND' }],
      ['/health/ready', {}],
      ['/admin/health', {}],
      ['/metrics', { method: 'POST' }],
    ];
    for (const door of [stack.publicUrl, stack.managementUrl])
      for (const [route, init] of odd) {
        const answer = await answerOf(await fetch(door + route, init));
        for (const name of ['server', 'x-powered-by', 'via']) expect(answer.headers.get(name), route).toBeNull();
        expect(answer.text, route).not.toMatch(/fastify|nest|node_modules|\bat .*\.js|stack/i);
        if (answer.status !== 200) expect(answer.json, route).toMatchObject({ status: answer.status, code: expect.any(String) });
      }
  });

  it.each(['/admin/health', '/metrics', '/nowhere'])('of the management door carry security headers: %s', async (route) => {
    const { headers } = await fetch(stack.managementUrl + route);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    });
  });

  it('of one door are never those of the other', async () => {
    const routes = {
      public: ['/health/live', '/health/ready', '/api/onTokenIssuanceStart'],
      management: ['/admin/health', '/metrics'],
    };
    const headers = { authorization: `Bearer ${await stack.operatorToken()}` };
    for (const method of ['GET', 'POST', 'HEAD', 'OPTIONS']) {
      for (const route of routes.public)
        expect((await fetch(stack.managementUrl + route, { method, headers })).status, `${method} ${route}`).toBe(404);
      for (const route of routes.management)
        expect((await fetch(stack.publicUrl + route, { method, headers })).status, `${method} ${route}`).toBe(404);
    }
  });
});

describe('metrics', () => {
  it('may be kept for operators', async () => {
    await using stack = await startStack({ configure: ({ listen }) => void (listen.management.metrics = 'Claims.Read') });
    await stack.ready();
    const ask = async (token?: string): Promise<number> =>
      (
        await fetch(
          `${stack.managementUrl}/metrics`,
          token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
        )
      ).status;
    expect(await ask()).toBe(401);
    expect(await ask(await stack.simulator.mintExtensionToken())).toBe(401);
    expect(await ask(await stack.operatorToken())).toBe(200);
  });
});

describe('https', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-tls-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const write = async ({ certificate, key }: { readonly certificate: string; readonly key: string }): Promise<void> => {
    await writeFile(path.join(folder, 'tls.crt'), certificate);
    await writeFile(path.join(folder, 'tls.key'), key);
  };
  const tls = (): Document => ({ certificate: `file:${folder}/tls.crt`, key: `file:${folder}/tls.key` });

  /** The certificate that a new connection gets to see. */
  const presented = async (
    url: string,
    versions: { minVersion?: SecureVersion; maxVersion?: SecureVersion } = {},
  ): Promise<string> => {
    const socket = connectTls({ host: '127.0.0.1', port: Number(new URL(url).port), rejectUnauthorized: false, ...versions });
    try {
      await once(socket, 'secureConnect');
      return socket.getPeerX509Certificate()!.toString();
    } finally {
      socket.destroy();
    }
  };

  it('is served by both doors, and a certificate is replaced without a restart', async () => {
    const [first, second] = await Promise.all([createServerCertificate(['127.0.0.1']), createServerCertificate(['127.0.0.1'])]);
    await write(first);
    await using stack = await startStack({
      configure: ({ listen }) => {
        listen.public.tls = tls();
        listen.management.tls = tls();
        listen.management.host = '0.0.0.0';
      },
    });
    await using disposer = new AsyncDisposableStack();
    const agent = disposer.adopt(new Agent({ connect: { ca: first.ca }, keepAliveTimeout: 60_000 }), (used) => used.destroy());
    const get = async (url: string): Promise<number> => (await request(url, { dispatcher: agent })).statusCode;
    const managementUrl = stack.managementUrl.replace('0.0.0.0', '127.0.0.1');
    expect(stack.publicUrl).toMatch(/^https:/);
    expect([await get(`${stack.publicUrl}/health/live`), await get(`${managementUrl}/metrics`)]).toEqual([200, 200]);
    const { headers } = await request(`${managementUrl}/metrics`, { dispatcher: agent });
    expect(headers['strict-transport-security']).toContain('max-age=31536000');
    for (const url of [stack.publicUrl, managementUrl]) expect(await presented(url)).toBe(first.certificate);

    const reload = async (message: string): Promise<void> => {
      const from = stack.service.log.length;
      stack.service.kill('SIGHUP');
      for (const door of ['public', 'management'])
        await stack.service.line((line) => String(line['msg']).startsWith(message) && line['door'] === door, from);
    };
    await write(second);
    await reload('certificate replaced');
    for (const url of [stack.publicUrl, managementUrl]) expect(await presented(url)).toBe(second.certificate);
    expect(await get(`${stack.publicUrl}/health/live`)).toBe(200);

    await write({ certificate: first.certificate, key: second.key });
    await reload('certificate not replaced');
    for (const url of [stack.publicUrl, managementUrl]) expect(await presented(url)).toBe(second.certificate);
    const text = await (
      await request(`${managementUrl}/metrics`, { dispatcher: new Agent({ connect: { ca: second.ca } }) })
    ).body.text();
    for (const door of ['public', 'management'])
      expect(text).toMatch(new RegExp(`claimbridge_certificate_seconds\\{door="${door}"\\} 3\\d{7}`));
  });

  it('takes no protocol version below the one that is asked for, and no plain http', async () => {
    await write(await createServerCertificate(['127.0.0.1']));
    await using stack = await startStack({
      configure: ({ listen }) => void (listen.public.tls = { ...tls(), minimumVersion: 'TLSv1.3' }),
    });
    await expect(presented(stack.publicUrl, { maxVersion: 'TLSv1.2' })).rejects.toThrow(/protocol version/i);
    expect(await presented(stack.publicUrl, { minVersion: 'TLSv1.3' })).toContain('BEGIN CERTIFICATE');
    expect(await converse(stack.publicUrl, 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n')).not.toContain('200');
  });

  it('with a certificate that cannot be used stops the start', async () => {
    const [first, second] = await Promise.all([createServerCertificate(['a']), createServerCertificate(['b'])]);
    await write({ certificate: first.certificate, key: second.key });
    const file = path.join(folder, 'claimbridge.yaml');
    const listen = { public: { port: 0, tls: tls() }, management: { port: 0 } };
    const contoso = { tenantId, audience: 'api' };
    await writeFile(file, JSON.stringify({ listen, tenants: { contoso }, mappings: { folder: '.' } }));
    const service = new ServiceProcess(file, environment);
    expect(await service.exited).toEqual({ code: 1, signal: null });
    expect(service.stderr).toMatch(/listen\.public\.tls: .*key values mismatch/);
    expect(service.stderr).not.toContain('PRIVATE');
  });
});

describe('a request', () => {
  it('that is refused leaves nothing of its address in the log', async () => {
    await using stack = await startStack();
    await stack.ready();
    for (const door of [stack.publicUrl, stack.managementUrl])
      for (const route of [
        '/nowhere?access_token=canary',
        '/canary',
        '/%canary',
        '/api/onTokenIssuanceStart?canary',
        '/health/canary',
      ])
        for (const method of ['GET', 'POST']) await fetch(door + route, { method });
    await stack.service.stop();
    expect(stack.service.log.length).toBeGreaterThan(10);
    expect(JSON.stringify(stack.service.log)).not.toContain('canary');
  });
});

describe('an ordinary run', () => {
  it('writes nothing on stderr, no deprecation of Node either', async () => {
    await using stack = await startStack({ variables: { NODE_OPTIONS: '--pending-deprecation' } });
    await stack.ready();
    expect((await stack.post(body)).status).toBe(200);
    expect((await stack.post(body, { authorization: 'Bearer a.b.c' })).status).toBe(401);
    await stack.service.stop();
    expect(stack.service.stderr).toBe('');
  });
});

describe('trust', () => {
  it('in callers other than Entra’s own service is told at the start', async () => {
    const callers = ['99045fe1-7639-4a75-9d4a-577b6ca3810f', operator.clientId];
    await using stack = await startStack({ configure: ({ tenants }) => void (tenants.contoso.callers = callers) });
    const line = await stack.service.line(({ callers: told }) => told !== undefined);
    expect(line).toMatchObject({ level: 'warn', tenant: 'contoso', callers: [operator.clientId] });
  });

  it('in pinned keys lets sign-ins begin where the metadata cannot be reached, and health says so', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-pinned-'));
    const file = path.join(folder, 'keys.json');
    try {
      await using stack = await startStack({
        configure: ({ tenants, admin, trust }) => {
          trust.keys = { pinned: `file:${file}` };
          for (const { issuers } of [tenants.contoso, admin]) issuers[0].metadata = 'https://127.0.0.1:9/metadata';
        },
        beforeStart: async ({ simulator }) => {
          const { jwks_uri: address } = await json(
            simulator,
            `${simulator.url}/${tenantId}/v2.0/.well-known/openid-configuration`,
          );
          const issuer = `${simulator.url}/${tenantId}/v2.0`;
          await writeFile(file, JSON.stringify({ [issuer]: await json(simulator, address) }));
        },
      });
      await stack.ready();
      expect((await stack.post(body)).status).toBe(200);
      const health = await fetch(`${stack.managementUrl}/admin/health`, {
        headers: { authorization: `Bearer ${await stack.operatorToken()}` },
      });
      expect(await health.json()).toMatchObject({
        status: 'degraded',
        keys: [{ state: 'pinned', keys: 1, usableUntil: expect.any(String), lastError: { detail: expect.any(String) } }],
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

async function json(simulator: Stack['simulator'], url: string): Promise<Document> {
  const dispatcher = new Agent({ connect: { ca: simulator.ca } });
  try {
    return (await (await request(url, { dispatcher })).body.json()) as Document;
  } finally {
    await dispatcher.destroy();
  }
}
