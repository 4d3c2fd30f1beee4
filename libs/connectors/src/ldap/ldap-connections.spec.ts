import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { composeSource } from '../wrappers/compose-source.js';
import { selfSigned } from '#testing';
import {
  Password,
  References,
  adele,
  directory,
  dnsServer,
  eventually,
  find,
  later,
  ldap,
  patient,
  proxy,
} from './ldap-source.harness.js';

describe('refused credentials', () => {
  it('are offered once to the whole directory, until they change', async () => {
    const [first, second] = [await directory(), await directory()];
    const password = new Password('an old one');
    const source = ldap([first.port, second.port], {}, password);
    const outcomes = await Promise.all(Array.from({ length: 30 }, () => find(source, 'user', adele)));
    outcomes.push(await find(source, 'user', adele));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ kind: 'unavailable', reason: 'credentials' });
    expect(await source.probe(patient)).toMatchObject({ kind: 'down', reason: 'credentials' });
    later(290_000);
    await find(source, 'user', adele);
    expect([first.accepted, second.accepted]).toEqual([1, 0]);
    expect(source.logged).toHaveLength(1);
    expect(JSON.stringify(source.logged)).toMatch(/invalidCredentials \(49\), data 52e/);
    expect(JSON.stringify(source.logged)).not.toContain('an old one');

    password.text = 'right';
    await eventually(async () => expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' }));
  });

  it('are offered again after five minutes or a little more, and then after ten', async () => {
    const running = await directory();
    const source = ldap([running.port], {}, new Password('an old one'));
    const acceptedAfter: number[] = [];
    for (const time of [0, 299_000, 450_000, 1_049_000, 1_350_000]) {
      later(time);
      expect(await find(source, 'user', adele)).toMatchObject({ reason: 'credentials' });
      acceptedAfter.push(running.accepted);
    }
    expect(acceptedAfter).toEqual([1, 1, 2, 2, 3]);
  });
});

describe('credentials that are refused later than the connect limit', () => {
  const late = async (milliseconds: number): Promise<undefined> => {
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    return undefined;
  };

  it('are offered to two servers at most, and then to none', async () => {
    const servers = [await directory({ onBind: () => late(900) }), await directory({ onBind: () => late(900) })];
    servers.push(await directory({ onBind: () => late(900) }));
    const source = ldap(
      servers.map(({ port }) => port),
      {},
      new Password('an old one'),
    );
    await eventually(async () =>
      expect(await find(source, 'user', adele)).toMatchObject({ kind: 'unavailable', reason: 'credentials' }),
    );
    await Promise.all(Array.from({ length: 20 }, () => find(source, 'user', adele)));
    const [first, second, third] = servers.map(({ accepted }) => accepted);
    expect([first, third]).toEqual([1, 0]);
    expect(second).toBeLessThanOrEqual(1);
    expect(source.logged.filter(({ message }) => message.includes('refuses the credentials'))).toHaveLength(1);
  });

  it('count no more once others were accepted', async () => {
    const [slow, other] = [await directory({ onBind: () => late(900) }), await directory()];
    const password = new Password('an old one');
    const source = ldap([slow.port, other.port], {}, password);
    const first = find(source, 'user', adele);
    await eventually(() => expect(slow.accepted).toBe(1));
    password.text = 'right';
    await first;
    await eventually(async () => expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' }));
    await eventually(() => expect(slow.binds).toContain(49));
    expect(await source.probe(patient)).toEqual({ kind: 'up' });
    expect(source.logged.filter(({ message }) => message.includes('refuses the credentials'))).toEqual([]);
  });

  it('are not offered again to the only server until it has answered; one that accepts late is used', async () => {
    let binds = 0;
    const running = await directory({ onBind: () => (++binds === 1 ? late(1_200) : undefined) });
    const source = ldap([running.port]);
    const before: number[] = [];
    await eventually(async () => {
      before.push(binds);
      expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' });
    });
    expect(before.length).toBeGreaterThan(3);
    expect(running.binds.slice(0, 2)).toEqual([0, 0]);
    expect(before.slice(0, -1).every((count) => count <= 1)).toBe(true);
  });
});

describe('a password that was accepted, and then lost on the way with its bind', () => {
  const isRoot = ({ base }: { readonly base: string }): boolean => base === '';

  it('is offered once more to a server that answers something else', async () => {
    const running = await directory();
    const wire = await proxy(running);
    const source = ldap([wire.port], { limits: { connect: '1s', operation: '1s' } });
    expect(await source.probe(patient)).toEqual({ kind: 'up' });
    const before = wire.accepted;
    wire.loseBytes();
    wire.cut();
    // The bind of the first attempt may be lost, and the next finds nobody.
    await eventually(async () => {
      expect(await source.probe(patient)).toMatchObject({ kind: 'down' });
      expect(wire.accepted - before).toBeGreaterThanOrEqual(2);
    });
    await wire.restore();
    // An attempt that began before is waited for by whoever comes.
    await source.probe(patient);
    expect(await source.probe(patient)).toEqual({ kind: 'up' });
  });

  it('is offered no more where that bind has no answer either, and neither is one that no server accepted', async () => {
    for (const isProven of [true, false]) {
      let isSilent = !isProven;
      let binds = 0;
      const onBind = (): 'silence' | undefined => (isSilent && ++binds ? 'silence' : undefined);
      const running = await directory({ onBind, onSearch: (search) => (isRoot(search) ? undefined : 'disconnect') });
      const source = ldap([running.port], { limits: { connect: '300ms', operation: '1s' } });
      await source.probe(patient);
      isSilent = true;
      running.dropConnections();
      for (let probe = 0; probe < 5; probe++) expect(await source.probe(patient)).toMatchObject({ kind: 'down' });
      expect(binds).toBe(isProven ? 2 : 1);
    }
  });
});

describe('connections', () => {
  it('are two, however many searches come at once', async () => {
    const running = await directory();
    const source = ldap([running.port]);
    for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: 50 }, () => find(source, 'user', adele)));
    expect(running.accepted).toBe(2);
  });

  it('that end while idle or at work cost no search', async () => {
    let drop = (): void => undefined;
    const running = await directory({ onSearch: () => drop() });
    const source = ldap([running.port]);
    await find(source, 'user', adele);
    await find(source, 'user', adele);
    running.dropConnections();
    for (const outcome of await Promise.all(Array.from({ length: 20 }, () => find(source, 'user', adele))))
      expect(outcome).toMatchObject({ kind: 'found' });
    drop = () => {
      drop = () => undefined;
      running.dropConnections();
    };
    for (const outcome of await Promise.all(Array.from({ length: 20 }, () => find(source, 'user', adele))))
      expect(outcome).toMatchObject({ kind: 'found' });
  });

  it('that are lost with every search are asked twice for one, by whoever composes the source', async () => {
    const running = await directory({ onSearch: ({ base }) => (base === '' ? undefined : 'disconnect') });
    const silent = (): void => undefined;
    const { source } = composeSource(
      ldap([running.port]),
      {
        limits: { operation: 1_000, connect: 1_000, concurrency: 4, queue: 4 },
        breaker: { failures: 10, retryAfter: 1_000 },
        cache: { entries: 1, bytes: 1 },
        lookups: {},
      },
      { fetched: silent, answered: silent, circuit: silent },
      60_000,
    );
    expect(await find(source, 'user', adele)).toMatchObject({ kind: 'unavailable', reason: 'connection' });
    expect(running.searches).toBe(2);
  });

  it('that are lost together send no search from one to the other', async () => {
    const target = await directory();
    const clients: Socket[] = [];
    const relay = createServer((client) => {
      const upstream = connect(target.port, '127.0.0.1');
      for (const socket of [client, upstream]) socket.on('error', () => undefined);
      client.pipe(upstream).pipe(client);
      clients.push(client);
    });
    await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
    const source = ldap([(relay.address() as AddressInfo).port]);
    await eventually(async () => {
      await find(source, 'user', adele);
      expect(clients).toHaveLength(2);
    });
    await source.probe(patient);

    for (const client of clients) client.unpipe();
    const some = [1, 2, 3, 4].map(() => find(source, 'user', adele));
    clients[0]!.resetAndDestroy();
    setTimeout(() => clients[1]!.resetAndDestroy(), 20);
    for (const outcome of await Promise.all(some)) expect(outcome).toMatchObject({ kind: 'found' });

    await source.close();
    for (const client of clients) client.destroy();
    await new Promise((resolve) => relay.close(resolve));
  });

  it('lose one slow search alone, which the directory is told to abandon', async () => {
    const slow = Promise.withResolvers<void>();
    let searches = 0;
    const running = await directory({ onSearch: () => (++searches === 1 ? slow.promise : undefined) });
    const source = ldap([running.port]);
    const abort = new AbortController();
    const hanging = find(source, 'user', adele, [], abort.signal);
    await eventually(() => expect(searches).toBe(1));
    const others = await Promise.all(Array.from({ length: 50 }, () => find(source, 'user', adele)));
    abort.abort();
    expect(await hanging).toEqual({ kind: 'unavailable', reason: 'timeout' });
    for (const outcome of others) expect(outcome).toMatchObject({ kind: 'found' });
    expect((await find(source, 'user', adele)).kind).toBe('found');
    await eventually(() => expect(running.abandons).toBe(1));
    expect(running.accepted).toBe(2);
    slow.resolve();
  });

  it('on which nothing comes any more are given up, and another server is used', async () => {
    const [preferred, other] = [await directory(), await directory()];
    const faulty = await proxy(preferred);
    const source = ldap([faulty.port, other.port]);
    await find(source, 'user', adele);
    expect(other.accepted).toBe(0);
    faulty.blackHole();
    await eventually(async () =>
      expect(await find(source, 'user', adele, [], AbortSignal.timeout(30))).toMatchObject({ kind: 'found' }),
    );
    expect(other.searches).toBeGreaterThan(0);
  });

  it('go to the next server where one is down, and back to the preferred one', async () => {
    const [preferred, other] = [await directory(), await directory()];
    const faulty = await proxy(preferred);
    const source = ldap([faulty.port, other.port]);
    await faulty.refuse();
    for (let round = 0; round < 3; round++) expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' });
    await eventually(() => expect(other.connections).toBe(2));
    expect(preferred.accepted).toBe(0);

    await faulty.restore();
    later(6_000);
    await eventually(async () => {
      expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' });
      expect([preferred.connections, other.connections]).toEqual([2, 0]);
    });
    const before = other.searches;
    await find(source, 'user', adele);
    expect(other.searches).toBe(before);
  });

  it('are opened within the connect limit, though a server accepts and says nothing', async () => {
    const silent = await directory();
    silent.pause();
    const source = ldap([silent.port, (await directory()).port], { limits: { connect: '500ms' } });
    expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' });
  });

  it('take the next search where the fewest are under way', async () => {
    const gate = Promise.withResolvers<void>();
    const running = await directory({ onSearch: ({ base }) => (base === '' ? undefined : gate.promise) });
    const searches = new Map<number, number>();
    const wire = await proxy(running, (sent, connection) => {
      const count = sent.toString('latin1').split(adele.upn).length - 1;
      searches.set(connection, (searches.get(connection) ?? 0) + count);
    });
    const source = ldap([wire.port]);
    await source.probe(patient);
    const hanging = [1, 2, 3].map(() => find(source, 'user', adele));
    await eventually(async () => {
      expect(wire.connections).toBe(2);
      expect(await source.probe(patient)).toEqual({ kind: 'up' });
    });
    for (let search = 0; search < 7; search++) {
      await new Promise((resolve) => setImmediate(resolve));
      hanging.push(find(source, 'user', adele));
    }
    await eventually(() => expect([...searches.values()]).toEqual([5, 5]));
    gate.resolve();
    for (const outcome of await Promise.all(hanging)) expect(outcome).toMatchObject({ kind: 'found' });
  });

  it('are tried for a few times a second where every attempt fails at once, however many searches come', async () => {
    const running = await directory();
    const wire = await proxy(running);
    wire.spoil({ kind: 'garbage' });
    const source = ldap([wire.port]);
    const end = performance.now() + 500;
    let asked = 0;
    for (; performance.now() < end; asked += 5) {
      for (const outcome of await Promise.all(Array.from({ length: 5 }, () => find(source, 'user', adele))))
        expect(outcome).toMatchObject({ kind: 'unavailable', reason: 'connection' });
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(wire.accepted).toBeLessThan(20);
    expect(asked).toBeGreaterThan(wire.accepted);
  });

  it.each([
    ['refuses', { code: 53 }, 'refused'],
    ['is busy', { code: 51 }, 'connection'],
  ] as const)(
    'are tried for less and less often while somebody waits at every moment and the directory %s',
    async (_, fault, reason) => {
      let binds = 0;
      const onBind = async (): Promise<typeof fault> => {
        binds++;
        await new Promise((resolve) => setTimeout(resolve, 5));
        return fault;
      };
      const source = ldap([(await directory({ onBind })).port]);
      const end = performance.now() + 1_000;
      const isOver = (): boolean => performance.now() > end && binds > 2;
      const ask = async (_each: unknown, index: number): Promise<void> => {
        for (await new Promise((resolve) => setTimeout(resolve, index)); !isOver();) {
          expect(await find(source, 'user', adele)).toMatchObject({ kind: 'unavailable', reason });
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      };
      await Promise.all(Array.from({ length: 10 }, ask));
      expect(binds).toBeGreaterThan(2);
      expect(binds).toBeLessThan(12);
    },
  );

  it('that work are used while another cannot be opened, which is tried for less and less often', async () => {
    let binds = 0;
    const onBind = async (): Promise<{ code: number } | undefined> => {
      if (++binds === 1) return undefined;
      await new Promise((resolve) => setTimeout(resolve, 5));
      return { code: 51 };
    };
    const source = ldap([(await directory({ onBind })).port]);
    const end = performance.now() + 1_000;
    const isOver = (): boolean => performance.now() > end && binds > 2;
    while (!isOver()) {
      expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' });
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(binds).toBeGreaterThan(2);
    expect(binds).toBeLessThan(12);
  });

  const isRoot = ({ base }: { readonly base: string }): boolean => base === '';

  it.each([51, 52])('go to the next server where the first answers %i', async (code) => {
    const first = await directory({ onSearch: (search) => (isRoot(search) ? undefined : { code }) });
    const second = await directory();
    const source = ldap([first.port, second.port]);
    for (let search = 0; search < 100; search++) expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' });
    for (const outcome of await Promise.all(Array.from({ length: 50 }, () => find(source, 'user', adele))))
      expect(outcome).toMatchObject({ kind: 'found' });
    expect(first.accepted).toBeLessThanOrEqual(3);
    expect(second.accepted).toBeLessThanOrEqual(4);
  });

  it.each([51, 52])('are opened anew a few times, and not for each search, where every server answers %i', async (code) => {
    const servers = [await directory({ onSearch: () => ({ code }) }), await directory({ onSearch: () => ({ code }) })];
    for (const ports of [servers.slice(0, 1), servers].map((some) => some.map(({ port }) => port))) {
      const before = servers.reduce((sum, { accepted }) => sum + accepted, 0);
      const source = ldap(ports);
      for (let search = 0; search < 100; search++)
        expect(await find(source, 'user', adele)).toMatchObject({ kind: 'unavailable', reason: 'connection' });
      expect(servers.reduce((sum, { accepted }) => sum + accepted, 0) - before).toBeLessThan(12);
    }
  });

  it.each([1, 51])('are two, however many searches at work are answered %i one after the other', async (code) => {
    const gates = Array.from({ length: 100 }, () => Promise.withResolvers<void>());
    let asked = 0;
    const running = await directory({
      onSearch: async (search) => {
        if (isRoot(search)) return undefined;
        await gates[asked++]?.promise;
        return { code };
      },
    });
    const source = ldap([running.port], { limits: { connect: '10s', operation: '10s' } });
    await source.probe(patient);
    const asking = gates.map(() => find(source, 'user', adele));
    await eventually(() => expect([asked, running.binds.length]).toEqual([100, 2]));
    for (const gate of gates) {
      gate.resolve();
      // A new connection is bound before the next answer: whoever lost one of the first two later has no need of another.
      await source.probe(patient);
    }
    await Promise.all(asking);
    expect(running.binds.length).toBeLessThanOrEqual(4);
    await eventually(() => expect(running.connections).toBeLessThanOrEqual(2));
  });

  it.each([1, 51])(
    'that are bound stay in use after the answer %i where the directory takes the password no more',
    async (code) => {
      let answer: { code: number } | undefined;
      const running = await directory({ onSearch: (search) => (isRoot(search) ? undefined : answer) });
      const password = new Password('right');
      const source = ldap([running.port], { limits: { connect: '10s', operation: '10s' } }, password);
      await eventually(async () => {
        await find(source, 'user', adele);
        expect(running.binds).toEqual([0, 0]);
      });
      running.setPassword('cn=service,dc=corp,dc=example', 'another');
      answer = { code };
      await Promise.all(Array.from({ length: 10 }, () => find(source, 'user', adele)));
      answer = undefined;
      for (const outcome of await Promise.all(Array.from({ length: 10 }, () => find(source, 'user', adele))))
        expect(outcome).toMatchObject({ kind: 'found' });
      expect(running.binds).toEqual([0, 0, 49]);
      expect(running.connections).toBe(2);

      password.text = 'another';
      await eventually(async () => {
        expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' });
        expect([running.binds.length, running.connections]).toEqual([5, 2]);
      });
    },
  );

  it('carry slow searches one after the other, which say nothing of a server that answers others', async () => {
    const never = Promise.withResolvers<void>();
    const first = await directory({ onSearch: (search) => (isRoot(search) ? undefined : never.promise) });
    const second = await directory();
    const source = ldap([first.port, second.port], { limits: { connect: '10s', operation: '2s' } });
    await source.probe(patient);
    for (let search = 0; search < 30; search++)
      expect(await find(source, 'user', adele, [], AbortSignal.timeout(20))).toMatchObject({ reason: 'timeout' });
    expect([first.accepted, second.accepted]).toEqual([2, 0]);
    never.resolve();
  });

  it('stay where they are while a better server binds and answers no search', async () => {
    let isSilent = true;
    const preferred = await directory({ onSearch: (search) => (isSilent && !isRoot(search) ? 'silence' : undefined) });
    const other = await directory();
    const wire = await proxy(preferred);
    wire.refuse();
    const source = ldap([wire.port, other.port], { limits: { connect: '10s', operation: '1s' } });
    await eventually(async () => {
      await find(source, 'user', adele);
      expect(other.binds).toEqual([0, 0]);
    });
    await source.probe(patient);
    await wire.restore();
    later(6_000);
    await eventually(async () => {
      expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' });
      expect([preferred.accepted, preferred.connections]).toEqual([1, 0]);
    });
    isSilent = false;
    later(60_000);
    await eventually(async () => {
      expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' });
      expect([preferred.connections, other.connections]).toEqual([2, 0]);
    });
    expect(preferred.accepted).toBe(3);
  });

  it('whose session the directory has forgotten are opened anew, and cost no search', async () => {
    let forgotten = false;
    const running = await directory({ onSearch: () => (forgotten && running.accepted < 3 ? { code: 1 } : undefined) });
    const source = ldap([running.port]);
    await eventually(async () => {
      await find(source, 'user', adele);
      expect(running.binds).toEqual([0, 0]);
    });
    await source.probe(patient);
    forgotten = true;
    for (const outcome of await Promise.all(Array.from({ length: 20 }, () => find(source, 'user', adele))))
      expect(outcome).toMatchObject({ kind: 'found' });
    expect(running.accepted).toBeGreaterThan(2);
  });

  it('are not opened anew for each search that the directory takes for wrong', async () => {
    const running = await directory({ onSearch: ({ base }) => (base.includes('other') ? { code: 1 } : undefined) });
    const source = ldap([running.port]);
    const reasons = new Set<string>();
    for (let search = 0; search < 50; search++) {
      const outcome = await find(source, 'elsewhere', adele);
      reasons.add(outcome.kind === 'unavailable' ? outcome.reason : outcome.kind);
      expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' });
    }
    expect(reasons).toEqual(new Set(['refused']));
    expect(running.accepted).toBeLessThanOrEqual(6);
  });

  it('are opened while a better server is tried that says nothing', async () => {
    const certificate = await selfSigned();
    const tls = { startTls: true, tls: { ca: 'file:ca' }, limits: { connect: '60s', operation: '1s' } };
    const secrets = new References({ 'file:ca': certificate.cert, 'env:PASSWORD': 'right' });
    const [preferred, other] = [await directory({ tls: certificate }), await directory({ tls: certificate })];
    const wire = await proxy(preferred);
    wire.refuse();
    const source = ldap([wire.port, other.port], tls, secrets);
    await eventually(async () => {
      await find(source, 'user', adele);
      expect(other.binds).toEqual([0, 0]);
    });
    await source.probe(patient);
    await wire.restore();
    wire.blackHole();
    later(6_000);
    const before = wire.accepted;
    await eventually(async () => {
      await find(source, 'user', adele);
      expect(wire.accepted).toBe(before + 1);
    });
    other.dropConnections();
    expect(await find(source, 'user', adele, [], AbortSignal.timeout(5_000))).toMatchObject({ kind: 'found' });
  });

  it('that end are replaced without being asked for, and none is kept beyond their number', async () => {
    const running = await directory();
    const source = ldap([running.port], { connections: { count: 3 }, limits: { connect: '10s' } });
    await eventually(async () => {
      await find(source, 'user', adele);
      expect(running.connections).toBe(3);
    });
    running.dropConnections();
    await eventually(() => expect([running.connections, running.accepted]).toEqual([3, 6]));
    await source.probe(patient);
    expect(running.accepted).toBe(6);
    source.logged.splice(0);
    await source.close();
    await eventually(() => expect(running.connections).toBe(0));
    expect(source.logged).toEqual([]);
  });

  it('follow the list of DNS: to another server where one fails, and away from one that is not listed any more', async () => {
    const [first, second] = [await directory(), await directory()];
    const [one, two] = [await proxy(first), await proxy(second)];
    const at = (name: string, { port }: { port: number }, priority = 0) => ({ target: `${name}.corp.example`, port, priority });
    const service = '_ldap._tcp.corp.example';
    const addresses = { 'dc1.corp.example': ['127.0.0.1'], 'dc2.corp.example': ['127.0.0.1'] };
    const dns = await dnsServer({ addresses, services: { [service]: [at('dc1', one), at('dc2', two, 5)] } });
    const source = ldap([], {
      urls: undefined,
      discover: { domain: 'corp.example', scheme: 'ldap', dns: [dns.address], refresh: '1s' },
    });
    const settledOn = (there: { connections: number }, notThere: { connections: number }): Promise<unknown> =>
      eventually(async () => {
        expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' });
        expect([there.connections, notThere.connections]).toEqual([2, 0]);
      });
    await settledOn(one, two);
    one.refuse();
    one.cut();
    await settledOn(two, one);
    await one.restore();
    dns.serve({ addresses, services: { [service]: [at('dc1', one)] } });
    later(6_000);
    await settledOn(one, two);
    dns.serve({ addresses, services: { [service]: [at('dc2', two)] } });
    await settledOn(two, one);
    dns.fail('refuses');
    two.cut();
    await settledOn(two, one);
  });
});
