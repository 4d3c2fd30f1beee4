import type { SrvRecord } from 'node:dns';
import { startDnsServer, type DnsZone, type RunningDnsServer } from '#testing';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Discovery } from './connection-config.js';
import { NameService } from './name-service.js';
import { byPriorityAndWeight, ServerDiscovery } from './server-discovery.js';

const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).toReversed()) await each();
});

async function dns(zone: DnsZone): Promise<RunningDnsServer> {
  const running = await startDnsServer(zone);
  cleanUp.push(() => running.stop());
  return running;
}

function discovery(server: RunningDnsServer, changes: Partial<Discovery> = {}) {
  const config: Discovery = {
    domain: 'corp.example',
    service: 'ldap',
    scheme: 'ldaps',
    refresh: 60_000,
    security: 'tls',
    ...changes,
  };
  const logged: object[] = [];
  const note = (fields: object): void => void logged.push(fields);
  const lists: (readonly string[])[] = [];
  const found = new ServerDiscovery(
    'corp-ad',
    config,
    new NameService([server.address], 100),
    { warn: note, error: note },
    (servers) => lists.push(servers.map(({ url }) => url)),
  );
  cleanUp.push(() => found.close());
  return { found, logged, lists };
}

const domain = '_ldap._tcp.corp.example';
const site = '_ldap._tcp.stockholm._sites.dc._msdcs.corp.example';
const at = (name: string, priority = 0) => ({ target: `${name}.corp.example`, port: 389, priority });

describe('servers in DNS', () => {
  it('are those of the domain by priority, with the port of ldaps', async () => {
    const { found, lists } = discovery(await dns({ services: { [domain]: [at('dc2', 5), at('dc1')] } }));
    expect(await found.list()).toEqual({ kind: 'listed' });
    expect(lists).toEqual([['ldaps://dc1.corp.example:636', 'ldaps://dc2.corp.example:636']]);
  });

  it('have the listed port with ldap, and another where the configuration says so', async () => {
    const server = await dns({ services: { [domain]: [{ target: 'dc1.corp.example', port: 1389 }] } });
    const plain = discovery(server, { scheme: 'ldap', security: 'startTls' });
    await plain.found.list();
    const other = discovery(server, { port: 1636 });
    await other.found.list();
    expect([plain.lists, other.lists]).toEqual([[['ldap://dc1.corp.example:1389']], [['ldaps://dc1.corp.example:1636']]]);
  });

  it('are global catalogs alone where those are wanted, the site’s first, with their own ports', async () => {
    const catalog = (name: string) => ({ target: `${name}.child.corp.example`, port: 3268 });
    const server = await dns({
      services: {
        [domain]: [at('dc1'), at('dc2'), at('dc3')],
        [site]: [at('dc1')],
        '_gc._tcp.corp.example': [catalog('gc1'), catalog('gc2')],
        '_gc._tcp.stockholm._sites.corp.example': [catalog('gc2')],
      },
    });
    const encrypted = discovery(server, { service: 'gc', site: 'stockholm' });
    await encrypted.found.list();
    expect(encrypted.lists).toEqual([['ldaps://gc2.child.corp.example:3269', 'ldaps://gc1.child.corp.example:3269']]);
    const plain = discovery(server, { service: 'gc', site: 'stockholm', scheme: 'ldap', security: 'startTls' });
    await plain.found.list();
    expect(plain.lists).toEqual([['ldap://gc2.child.corp.example:3268', 'ldap://gc1.child.corp.example:3268']]);
    expect(server.questions).not.toContain(`SRV ${domain}`);
  });

  it('of the site come before the others of the domain', async () => {
    const server = await dns({ services: { [site]: [at('dc3')], [domain]: [at('dc1'), at('dc3'), at('dc2', 1)] } });
    const { found, lists } = discovery(server, { site: 'Stockholm' });
    await found.list();
    expect(lists[0]!.map((url) => url.slice(8, 11))).toEqual(['dc3', 'dc1', 'dc2']);
  });

  it('of a site that DNS does not know are those of the domain, which is said once', async () => {
    const server = await dns({ services: { [domain]: [at('dc1')] } });
    const { found, lists, logged } = discovery(server, { site: 'stockholm' });
    await found.list();
    server.serve({ services: { [domain]: [at('dc2')] } });
    await found.refresh();
    expect(lists).toEqual([['ldaps://dc1.corp.example:636'], ['ldaps://dc2.corp.example:636']]);
    expect(logged).toMatchObject([{ detail: `${site}: ENOTFOUND` }]);
  });

  it('are never taken outside the domains that the configuration allows', async () => {
    const evil = [
      { target: 'dc1.evil.example', port: 389 },
      { target: 'corp.example.evil.example', port: 389 },
      { target: 'evilcorp.example', port: 389 },
    ];
    const server = await dns({ services: { [domain]: [...evil, at('dc1')] } });
    const narrow = discovery(server);
    await narrow.found.list();
    expect(narrow.lists).toEqual([['ldaps://dc1.corp.example:636']]);
    const wide = discovery(server, { targets: ['evil.example'] });
    await wide.found.list();
    expect(wide.lists[0]).toHaveLength(2);
    server.serve({ services: { [domain]: evil } });
    expect(await discovery(server).found.list()).toMatchObject({
      kind: 'failed',
      detail: expect.stringContaining('no server of'),
    });
  });

  it.each(['refuses', 'silent'] as const)('stay those known last while DNS %s', { timeout: 20_000 }, async (how) => {
    const server = await dns({ services: { [site]: [at('dc3')], [domain]: [at('dc1')] } });
    const { found, lists } = discovery(server, { site: 'stockholm' });
    await found.list();
    server.fail(how);
    expect(await found.refresh()).toEqual({ kind: 'listed' });
    server.serve({ services: { [domain]: [] } });
    expect(await found.refresh()).toEqual({ kind: 'listed' });
    expect(lists).toHaveLength(1);
    server.serve({ services: { [site]: [at('dc4')], [domain]: [at('dc1')] } });
    await found.refresh();
    expect(lists.at(-1)![0]).toContain('dc4');
  });

  it('are unknown while DNS has never answered, and found when it does', { timeout: 20_000 }, async () => {
    const server = await dns({ services: { [domain]: [at('dc1')] } });
    server.fail('refuses');
    const { found, lists } = discovery(server);
    expect(await found.list()).toMatchObject({ kind: 'failed', detail: expect.stringContaining(`${domain}: ESERVFAIL`) });
    server.serve({ services: { [domain]: [at('dc1')] } });
    expect(await found.list()).toEqual({ kind: 'listed' });
    expect(lists).toHaveLength(1);
  });

  it('are unknown where DNS cannot even be asked, and the process goes on', async () => {
    const [lists, logged]: [unknown[], object[]] = [[], []];
    const note = (fields: object): void => void logged.push(fields);
    const config: Discovery = { domain: 'corp.example', service: 'ldap', scheme: 'ldaps', refresh: 5, security: 'tls' };
    const names = new NameService(['10.0.0.256'], 100);
    const found = new ServerDiscovery('corp-ad', config, names, { warn: note, error: note }, (servers) => lists.push(servers));
    cleanUp.push(() => found.close());
    expect(await found.list()).toMatchObject({ kind: 'failed', detail: expect.stringContaining('ERR_INVALID_IP_ADDRESS') });
    const broken = new ServerDiscovery(
      'corp-ad',
      config,
      {
        service: () =>
          Promise.resolve([at('dc1')].map(({ target: name, port, priority }) => ({ name, port, priority, weight: 0 }))),
      },
      { warn: note, error: note },
      () => {
        throw Object.assign(new Error('defect'), { code: 'EDEFECT' });
      },
    );
    cleanUp.push(() => broken.close());
    expect(await broken.refresh()).toEqual({ kind: 'listed' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(lists).toEqual([]);
    expect(logged.length).toBeGreaterThan(0);
  });

  it('are asked for again at the interval, once at a time, and keep their order while the records do', async () => {
    const many = Array.from({ length: 8 }, (_, index) => at(`dc${index}`));
    const server = await dns({ services: { [domain]: many } });
    const { found, lists } = discovery(server, { refresh: 20 });
    await Promise.all([found.list(), found.list(), found.refresh()]);
    expect(server.questions).toEqual([`SRV ${domain}`]);
    await vi.waitFor(() => expect(server.questions.length).toBeGreaterThan(3), { timeout: 15_000 });
    expect(lists).toHaveLength(1);
  });
});

describe('byPriorityAndWeight', () => {
  const record = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    port: fc.integer({ min: 1, max: 65_535 }),
    priority: fc.integer({ min: 0, max: 3 }),
    weight: fc.integer({ min: 0, max: 100 }),
  });

  it('orders by priority and loses or invents none', () => {
    fc.assert(
      fc.property(fc.array(record), fc.double({ min: 0, max: 0.999_999, noNaN: true }), (records, drawn) => {
        const ordered = byPriorityAndWeight(records, () => drawn);
        expect(new Set(ordered)).toEqual(new Set(records));
        expect(ordered).toHaveLength(records.length);
        expect(ordered.map(({ priority }) => priority)).toEqual(
          records.map(({ priority }) => priority).toSorted((a, b) => a - b),
        );
      }),
    );
  });

  it('draws the first by weight', () => {
    const records: SrvRecord[] = [
      { name: 'light', port: 1, priority: 0, weight: 1 },
      { name: 'heavy', port: 1, priority: 0, weight: 9 },
      { name: 'none', port: 1, priority: 0, weight: 0 },
    ];
    const first = { light: 0, heavy: 0, none: 0 };
    for (let round = 0; round < 1_100; round++)
      first[byPriorityAndWeight(records, () => round / 1_100)[0]!.name as keyof typeof first]++;
    expect(first).toEqual({ none: 100, light: 100, heavy: 900 });
  });
});
