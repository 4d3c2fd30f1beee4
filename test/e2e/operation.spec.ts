import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adele, applications, eventText } from './event.js';
import { ServiceProcess } from './service-process.js';
import { environment, operator, startStack, type Stack } from './stack.js';

const metricsPage = path.resolve(import.meta.dirname, '../../docs/reference/metrics.md');

describe('the doors', () => {
  let stack: Stack;

  beforeAll(async () => {
    stack = await startStack();
    await stack.ready();
  });

  afterAll(() => stack[Symbol.asyncDispose]());

  const manage = async (route: string, token?: string): Promise<Response> =>
    fetch(stack.managementUrl + route, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });

  it.each(['live', 'ready'])('/health/%s tells strangers nothing but that', async (probe) => {
    const answer = await fetch(`${stack.publicUrl}/health/${probe}`);
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok' }]);
  });

  it.each(['/health/live', '/api/onTokenIssuanceStart'])('the management door has no %s', async (route) => {
    expect((await manage(route)).status).toBe(404);
  });

  it('/admin/health has a line for each source, key set, store and snapshot', async () => {
    await stack.post(eventText(applications.billingPortal));
    const answer = await manage('/admin/health', await stack.operatorToken());
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      status: 'ok',
      sources: [
        {
          name: 'corp-ad',
          type: 'ldap',
          state: 'up',
          circuit: 'closed',
          latencyMs: expect.any(Number),
          checkedAt: expect.any(String),
        },
        {
          name: 'billing-db',
          type: 'postgres',
          state: 'up',
          circuit: 'closed',
          latencyMs: expect.any(Number),
          checkedAt: expect.any(String),
        },
      ],
      keys: [
        expect.objectContaining({
          issuer: expect.stringContaining('/v2.0'),
          state: 'fresh',
          keys: 1,
          fetchedAt: expect.any(String),
        }),
      ],
      secrets: expect.arrayContaining([
        { reference: 'env:DIRECTORY_PASSWORD', readable: true, readAt: expect.any(String) },
        { reference: 'env:BILLING_PASSWORD', readable: true, readAt: expect.any(String) },
      ]),
      store: { kind: 'files', state: 'up', listening: true, checkedAt: expect.any(String) },
      snapshot: {
        origin: 'store',
        asOf: expect.any(String),
        ageSeconds: expect.any(Number),
        mappings: 3,
        problems: [],
        file: 'written',
      },
    });
  });

  it.each([
    ['no token', () => undefined, 401],
    ['the token of Entra', () => stack.simulator.mintExtensionToken(), 401],
    [
      'an operator without the role',
      () => stack.simulator.mintExtensionToken({ claims: { aud: operator.audience, azp: operator.clientId } }),
      403,
    ],
  ])('/admin/health refuses %s', async (_name, token, status) => {
    expect((await manage('/admin/health', await token())).status).toBe(status);
  });

  it('/metrics has what the reference says, and no more', async () => {
    await stack.post(eventText(applications.billingPortal));
    await stack.post(eventText(applications.billingPortal, { id: adele.id }));
    const text = await (await manage('/metrics')).text();
    const offered = [...text.matchAll(/^# TYPE (claimbridge_\w+)/gm)].map(([, name]) => name);
    const documented = [...(await readFile(metricsPage, 'utf8')).matchAll(/^\| `(claimbridge_\w+)`/gm)].map(([, name]) => name);
    expect(offered.toSorted()).toEqual(documented.toSorted());
    expect(text).toContain('claimbridge_ready 1');
    expect(text).toContain('claimbridge_source_up{source="corp-ad"} 1');
    expect(text).toMatch(/claimbridge_events_total\{tenant="contoso",mapping="billing-portal",status="200",code=""\} \d+/);
    expect(text).toMatch(/claimbridge_lookups_total\{source="corp-ad",lookup="user",outcome="found",reason=""\} \d+/);
    expect(text).toContain(
      'claimbridge_claim_deviations_total{tenant="contoso",mapping="billing-portal",claim="department",why="missing",treatment="omitted"}',
    );
  });
});

describe('privacy', () => {
  it('no person, value, token or password reaches the log, an error body or the metrics', async () => {
    await using stack = await startStack();
    await stack.ready();
    const texts: string[] = [];
    const bodies = [
      eventText(applications.billingPortal),
      eventText(applications.legacyHr),
      eventText(applications.billingApi).slice(0, -30),
      eventText(applications.billingPortal).replace('"userType":"Member"', '"userType":42'),
    ];
    const sent: string[] = [];
    for (const overrides of [{}, { claims: { aud: adele.id } }, { key: 'foreign' as const }]) {
      const token = await stack.simulator.mintExtensionToken(overrides);
      sent.push(token, token.split('.')[2]!);
      for (const body of bodies) {
        const answer = await stack.post(body, { authorization: `Bearer ${token}` });
        if (answer.status !== 200) texts.push(answer.text);
      }
    }
    stack.directory.pause();
    stack.databaseProxy.cut();
    for (const body of bodies) texts.push((await stack.post(body)).text.replace(/.*"actions".*/, ''));
    stack.directory.resume();
    texts.push(await (await fetch(`${stack.managementUrl}/metrics`)).text());
    const health = await fetch(`${stack.managementUrl}/admin/health`, {
      headers: { authorization: `Bearer ${await stack.operatorToken()}` },
    });
    texts.push(await health.text());
    await stack.service.stop();
    const seen = [...texts, stack.service.stderr, ...stack.service.log.map((line) => JSON.stringify(line))].join('\n');
    expect(seen).toContain('claims.unavailable');
    const secrets = [
      adele.id,
      adele.userPrincipalName,
      adele.displayName,
      adele.mail,
      adele.onPremisesSamAccountName,
      adele.onPremisesSecurityIdentifier,
      '192.0.2.77',
      'gold',
      'Finance',
      'ben.olsen',
      'CC-4711',
      ...Object.values(environment),
      ...sent,
    ];
    for (const secret of secrets) expect(seen.toLowerCase(), secret).not.toContain(secret.toLowerCase());
  });
});

describe('SIGTERM', () => {
  it('lets a request in flight finish, after readiness has gone, and ends with 0', async () => {
    await using stack = await startStack({
      configure: (document) => void (document['shutdown'] = { delay: '3s', limit: '5s' }),
    });
    await stack.ready();
    stack.directory.pause();
    const inFlight = stack.post(eventText(applications.billingPortal));
    await expect.poll(() => stack.directory.connections).toBeGreaterThan(0);
    stack.service.kill('SIGTERM');
    await stack.service.line(({ msg }) => msg === 'draining');
    const readiness = await fetch(`${stack.publicUrl}/health/ready`);
    expect([readiness.status, readiness.headers.get('connection')]).toEqual([503, 'close']);
    expect((await inFlight).status).toBe(200);
    expect(await stack.service.exited).toEqual({ code: 0, signal: null });
    expect(stack.service.log.at(-1)).toMatchObject({ msg: 'stopped' });
    await expect(fetch(`${stack.publicUrl}/health/live`)).rejects.toThrow('fetch failed');
  });
});

describe('mappings', () => {
  const refused = `name: broken
tenant: contoso
applications: [${applications.legacyHr}]
lookups:
  person: { use: corp-ad.nobody }
claims:
  tier: { from: person.tier, colour: red }
`;
  const good = (value: string) => `name: portal
tenant: contoso
applications: [${applications.billingPortal}]
claims:
  tier: { value: ${value} }
`;

  it('that do not compile are named with file, line, path and reason; their applications get no token and all others do', async () => {
    await using stack = await startStack({ mappings: { 'broken.yaml': refused, 'portal.yaml': good('gold') } });
    await stack.ready();
    expect(await stack.post(eventText(applications.legacyHr))).toMatchObject({ status: 503, json: { code: 'mapping.invalid' } });
    expect((await stack.post(eventText(applications.billingPortal))).json.data.actions[0].claims).toEqual({ tier: 'gold' });
    const lines = stack.service.log.filter(({ mapping, reason }) => mapping === 'broken.yaml' && reason);
    expect(lines.map(({ path: at, line }) => [at, line])).toContainEqual(['claims.tier.colour', 7]);
    const health = await fetch(`${stack.managementUrl}/admin/health`, {
      headers: { authorization: `Bearer ${await stack.operatorToken()}` },
    });
    expect(await health.json()).toMatchObject({
      status: 'degraded',
      snapshot: { mappings: 1, problems: [{ origin: 'broken.yaml', retained: false }] },
    });
  });

  it('are read again at SIGHUP, and one that got worse keeps its last revision', async () => {
    await using stack = await startStack({ mappings: { 'portal.yaml': good('gold') } });
    await stack.ready();
    const tier = async (): Promise<unknown> =>
      (await stack.post(eventText(applications.billingPortal))).json.data.actions[0].claims.tier;
    const reload = async (text: string): Promise<void> => {
      const from = stack.service.log.length;
      await writeFile(path.join(stack.mappingsFolder, 'portal.yaml'), text);
      stack.service.kill('SIGHUP');
      await stack.service.line(({ msg }) => msg === 'mappings: loaded', from);
    };
    await reload(good('silver'));
    expect(await tier()).toBe('silver');
    await reload(`${good('bronze')}surprise: true\n`);
    expect(await tier()).toBe('silver');
    expect(stack.service.log).toContainEqual(
      expect.objectContaining({ mapping: 'portal.yaml', path: 'surprise', retained: true }),
    );
    await reload(good('bronze'));
    expect(await tier()).toBe('bronze');
  });

  it('of the last start are used when the folder cannot be read', async () => {
    await using stack = await startStack({ mappings: { 'portal.yaml': good('gold') } });
    await stack.ready();
    await rm(stack.mappingsFolder, { recursive: true });
    const second = new ServiceProcess(stack.configurationFile, environment);
    try {
      const { publicUrl } = await second.listening();
      await expect.poll(async () => (await fetch(`${publicUrl}/health/ready`)).status).toBe(200);
      const answer = await fetch(`${publicUrl}/api/onTokenIssuanceStart`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${await stack.simulator.mintExtensionToken()}` },
        body: eventText(applications.billingPortal),
      });
      expect(await answer.json()).toMatchObject({ data: { actions: [{ claims: { tier: 'gold' } }] } });
    } finally {
      await second.stop();
    }
  });

  it('are missing altogether: 503 and not ready, but alive', async () => {
    await using stack = await startStack({
      configure: (document) => {
        document['mappings'].folder = 'nowhere';
      },
    });
    expect(await stack.post(eventText(applications.billingPortal))).toMatchObject({
      status: 503,
      json: { code: 'mapping.unloaded' },
    });
    expect((await fetch(`${stack.publicUrl}/health/ready`)).status).toBe(503);
    expect((await fetch(`${stack.publicUrl}/health/live`)).status).toBe(200);
  });

  it('may be demanded: an application without one gets no token', async () => {
    await using stack = await startStack({
      configure: (document) => void (document['tenants'].contoso.unmappedApplications = 'fail'),
    });
    await stack.ready();
    expect(await stack.post(eventText(applications.cafeteria))).toMatchObject({ status: 503, json: { code: 'mapping.none' } });
  });
});

describe('a configuration that is not as it must be', () => {
  it.each([
    ['an unknown key', 'tenants: { a: { tenantId: x } }\nsurprise: 1\n', /surprise: is not a known key/],
    ['no YAML', 'a: [', /is not valid YAML/],
    [
      'an open management door',
      'listen: { management: { host: 0.0.0.0 } }\n',
      /listen\.management\.host: listens beyond loopback/,
    ],
  ])('stops the start: %s', async (_name, text, reason) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-configuration-'));
    try {
      const file = path.join(folder, 'claimbridge.yaml');
      await writeFile(file, text);
      const service = new ServiceProcess(file);
      expect(await service.exited).toEqual({ code: 1, signal: null });
      expect(service.stderr).toMatch(reason);
      expect(service.stderr).toContain(file);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
