import { describeWithSlapd, selfSigned, startDirectory } from '#testing';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { spread } from '../sources/fault-stack.js';
import { base, Parts, password, people, startPeople, tally, Texts, type Asked, type Replica } from './ldap-system.js';

const parts = new Parts();
const report: string[] = [];
afterEach(() => parts.end());
afterAll(() => void process.stdout.write(`Connections to OpenLDAP; an operation may take 500 ms:\n${report.join('\n')}\n`));

/** For what must succeed however busy the machine is. */
const unhurried = { limits: { operation: '5s', connect: '5s', queue: 1_000 } };

const url = ({ port }: { readonly port: number }): string => `ldap://127.0.0.1:${port}`;

/** Until every connection is open. */
async function warm(replica: Replica, { connections }: { readonly connections: number }): Promise<void> {
  void connections;
  await expect.poll(() => replica.probe(), { timeout: 10_000 }).toEqual({ kind: 'up' });
  await replica.askMany(20);
}

function tell(what: string, asked: readonly Asked[], more = ''): void {
  report.push(`  ${what}: ${spread(asked.map(({ ms }) => ms))}${more && `, ${more}`}`);
}

/** Asks so often until told to end; nothing is waited for. */
function keepAsking(replica: Replica, everyMs: number): () => Promise<readonly Asked[]> {
  const asked: Promise<Asked>[] = [];
  const timer = setInterval(() => asked.push(replica.ask(asked.length % people)), everyMs);
  return () => {
    clearInterval(timer);
    return Promise.all(asked);
  };
}

describeWithSlapd(describe, 'connections to OpenLDAP', () => {
  it('that were cut while idle cost none of 20 searches at once, and are opened once', async () => {
    const slapd = await parts.slapd();
    const proxy = await parts.proxy(slapd.port);
    const replica = parts.replica({ urls: [url(proxy)], ...unhurried });
    await warm(replica, proxy);
    await expect.poll(() => proxy.connections).toBe(2);
    await expect.poll(async () => (await slapd.binds()).length).toBe(2);
    const [before, bound] = [proxy.accepted, 2];
    for (let round = 1; round <= 5; round += 1) {
      proxy.cut();
      const asked = await replica.askMany(20);
      tell('cut while idle', asked, `opened ${proxy.accepted - before} in ${round} rounds`);
      expect(tally(asked)).toEqual({ found: 20 });
      // The next round cuts what is idle, so both have been bound by then.
      await expect.poll(async () => (await slapd.binds()).length - bound, { timeout: 20_000 }).toBe(2 * round);
    }
    expect([proxy.connections, proxy.accepted - before]).toEqual([2, 10]);
  });

  it('that the directory ends for being idle cost none of 20 searches', async () => {
    const slapd = await parts.slapd({ directives: ['idletimeout 1'] });
    const proxy = await parts.proxy(slapd.port);
    const replica = parts.replica({ urls: [url(proxy)], connections: { keepAlive: '1h' }, ...unhurried });
    await warm(replica, proxy);
    await expect.poll(() => proxy.accepted, { timeout: 20_000 }).toBeGreaterThan(2);
    const asked = await replica.askMany(20);
    tell('ended for being idle', asked);
    expect(tally(asked)).toEqual({ found: 20 });
  });

  it('that are cut while searches are under way cost none of 200', async () => {
    const slapd = await parts.slapd();
    const proxy = await parts.proxy(slapd.port);
    const replica = parts.replica({ urls: [url(proxy)], ...unhurried });
    await warm(replica, proxy);
    proxy.spoil({ kind: 'delay', milliseconds: 5 });
    const before = proxy.accepted;
    const asking = replica.askMany(200);
    await new Promise((resolve) => setTimeout(resolve, 10));
    proxy.cut();
    const asked = await asking;
    tell('cut at work', asked, `opened ${proxy.accepted - before}`);
    expect(tally(asked)).toEqual({ found: 200 });
    expect(proxy.accepted - before).toBeLessThanOrEqual(3);
  });

  it('carry 500 searches beside one that hangs, which fails alone', async () => {
    const slapd = await parts.slapd();
    const proxy = await parts.proxy(slapd.port);
    const replica = parts.replica({ urls: [url(proxy)], limits: { operation: '2s', connect: '5s', queue: 1_000 } });
    await warm(replica, proxy);
    const before = proxy.accepted;
    const hanging = replica.ask(0, 'slow');
    const asked = await replica.askMany(500);
    tell('beside one that hangs', asked);
    expect(tally(asked)).toEqual({ found: 500 });
    expect(tally([await hanging])).toEqual({ timeout: 1 });
    expect(tally(await replica.askMany(100))).toEqual({ found: 100 });
    expect(proxy.accepted).toBe(before);
  });

  it('are not opened in a storm while nothing answers, and are there again within two probes', async () => {
    const slapd = await parts.slapd();
    const proxy = await parts.proxy(slapd.port);
    const replica = parts.replica({ urls: [url(proxy)], limits: { operation: '500ms', connect: '300ms', queue: 1_000 } });
    await warm(replica, proxy);
    const before = proxy.accepted;
    proxy.blackHole();
    const stop = keepAsking(replica, 2);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const asked = await stop();
    const opened = proxy.accepted - before;
    tell('nothing answers for 3 s', asked, `opened ${opened}`);
    // One at a time, each until the connect limit.
    expect(opened).toBeLessThanOrEqual(3_000 / 300 + 3);
    await proxy.restore();
    const restored = performance.now();
    await expect.poll(async () => tally([await replica.ask(1)]), { interval: 10, timeout: 10_000 }).toEqual({ found: 1 });
    report.push(`    right again after ${Math.round(performance.now() - restored)} ms; tried every 200 ms`);
    expect(await slapd.binds()).not.toContain(49);
  });

  it.each(['nothing', 'StartTLS', 'ldaps'])(
    'whose bytes are lost for good are replaced at the first attempt after that, protected by %s',
    async (protection) => {
      const [startTls, implicit] = [protection === 'StartTLS', protection === 'ldaps'];
      const certificate = await selfSigned();
      const slapd = await parts.slapd(startTls || implicit ? { tls: { ...certificate, implicit } } : {});
      const proxy = await parts.proxy(slapd.port);
      const address = `${implicit ? 'ldaps' : 'ldap'}://127.0.0.1:${proxy.port}`;
      const limits = { operation: '500ms', connect: '1s', queue: 1_000 };
      const files = new Texts({ 'file:ca': certificate.cert });
      const replica = parts.replica({ urls: [address], startTls, tls: { ca: 'file:ca' }, limits }, files);
      const probe = (): Promise<unknown> => replica.source.probe(AbortSignal.timeout(20_000));
      await warm(replica, proxy);
      const before = proxy.accepted;
      proxy.loseBytes();
      const stop = keepAsking(replica, 20);
      // Each waits until the connect limit of one more; the first of them may have had its bind sent.
      await expect.poll(() => proxy.accepted - before, { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
      expect(await probe()).toMatchObject({ kind: 'down' });
      await proxy.restore();
      // It may join an attempt that began before.
      await probe();
      expect(await probe()).toEqual({ kind: 'up' });
      await expect.poll(async () => tally(await replica.askMany(20)), { timeout: 20_000 }).toEqual({ found: 20 });
      tell(`every byte is lost, protected by ${protection}`, await stop());
      expect(await slapd.binds()).not.toContain(49);
    },
  );

  it('go on with the next host while the first is dead, and come back to it', async () => {
    const [one, two] = await Promise.all([parts.slapd(), parts.slapd()]);
    const [first, second] = await Promise.all([parts.proxy(one.port), parts.proxy(two.port)]);
    first.refuse();
    const replica = parts.replica({ urls: [url(first), url(second)] });
    const dead = await replica.askMany(100);
    tell('the first host is dead', dead);
    expect(tally(dead)).toEqual({ found: 100 });
    await first.restore();
    const back = performance.now();
    const stop = keepAsking(replica, 10);
    await expect.poll(() => [first.connections, second.connections], { timeout: 20_000 }).toEqual([2, 0]);
    report.push(`    back on it ${Math.round(performance.now() - back)} ms after it was; tried after 5 s`);
    expect(Object.keys(tally(await stop()))).toEqual(['found']);

    first.blackHole();
    const stopAgain = keepAsking(replica, 10);
    await expect.poll(() => second.connections, { timeout: 20_000 }).toBe(2);
    await expect.poll(async () => tally(await replica.askMany(50)), { timeout: 20_000 }).toEqual({ found: 50 });
    tell('the first host hangs', await stopAgain());
  });

  it('are made by the list of DNS, and by the one known last while DNS fails', async () => {
    const [one, two] = await Promise.all([parts.slapd(), parts.slapd()]);
    const [first, second] = await Promise.all([parts.proxy(one.port), parts.proxy(two.port)]);
    const local = ['127.0.0.1'];
    const dns = await parts.dns({
      addresses: { 'dc1.corp.example': local, 'dc2.corp.example': local },
      services: {
        '_ldap._tcp.corp.example': [
          { target: 'dc2.corp.example', port: second.port, priority: 10 },
          { target: 'dc1.corp.example', port: first.port },
        ],
      },
    });
    const discover = { domain: 'corp.example', scheme: 'ldap', dns: [dns.address], refresh: '1s' };
    const replica = parts.replica({ discover, ...unhurried });
    await warm(replica, first);
    await expect.poll(() => [first.connections, second.connections]).toEqual([2, 0]);
    for (const how of ['refuses', 'silent'] as const) {
      dns.fail(how);
      const questions = dns.questions.length;
      await expect.poll(() => dns.questions.length, { timeout: 10_000 }).toBeGreaterThan(questions);
      first.cut();
      const asked = await replica.askMany(20);
      tell(how === 'refuses' ? 'DNS refuses' : 'DNS is silent', asked);
      expect(tally(asked)).toEqual({ found: 20 });
    }
    first.refuse();
    first.cut();
    expect(tally(await replica.askMany(20))).toEqual({ found: 20 });
    await expect.poll(() => second.connections).toBeGreaterThan(0);
    // A replica that starts while DNS fails has no list, says so, and finds one when DNS is back.
    const late = parts.replica({ discover, ...unhurried });
    expect(await late.source.probe(AbortSignal.timeout(10_000))).toMatchObject({
      kind: 'down',
      reason: 'connection',
      detail: expect.stringMatching(/DNS does not answer|no server of corp\.example is listed/),
    });
    dns.serve({
      addresses: { 'dc2.corp.example': local },
      services: { '_ldap._tcp.corp.example': [{ target: 'dc2.corp.example', port: second.port }] },
    });
    await expect.poll(() => late.probe(), { timeout: 20_000 }).toEqual({ kind: 'up' });
  });

  it('that asked for StartTLS carry nothing in clear text, whatever becomes of them', async () => {
    const certificate = await selfSigned();
    const slapd = await parts.slapd({ tls: certificate });
    const sent = new Map<number, Buffer>();
    const watch = (bytes: Buffer, connection: number): void => {
      sent.set(connection, Buffer.concat([sent.get(connection) ?? Buffer.alloc(0), bytes]));
    };
    const proxy = await parts.proxy(slapd.port, watch);
    const plain = parts.keep(await startDirectory({ ldif: `dn: ${base}\nobjectClass: domain\ndc: corp\n` }), (each) =>
      each.stop(),
    );
    const stripping = await parts.proxy(plain.port, (bytes, connection) => watch(bytes, 10_000 + connection));
    const replica = parts.replica(
      { urls: [url(proxy), url(stripping)], startTls: true, tls: { ca: 'file:ca' }, ...unhurried },
      new Texts({ 'file:ca': certificate.cert }),
    );
    await warm(replica, proxy);
    for (let round = 0; round < 10; round += 1) {
      const asking = replica.askMany(20);
      if (round % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 3));
      proxy.cut();
      await asking;
      await expect.poll(async () => tally(await replica.askMany(20)), { timeout: 10_000 }).toEqual({ found: 20 });
    }
    // Nothing but the other server is left, and that one takes no StartTLS.
    proxy.refuse();
    proxy.cut();
    await expect.poll(() => stripping.accepted, { timeout: 10_000 }).toBeGreaterThan(0);
    expect(tally(await replica.askMany(20))).not.toHaveProperty('found');
    await proxy.restore();
    await expect.poll(async () => tally(await replica.askMany(20)), { timeout: 20_000 }).toEqual({ found: 20 });

    expect(sent.size).toBeGreaterThan(10);
    const startTls = Buffer.concat([Buffer.from('301d02010177188016', 'hex'), Buffer.from('1.3.6.1.4.1.1466.20037')]);
    for (const bytes of sent.values()) {
      expect(bytes.subarray(0, startTls.length)).toEqual(startTls);
      // After it comes TLS, a handshake record, or nothing.
      expect([undefined, 0x16]).toContain(bytes[startTls.length]);
      expect(bytes.includes(password)).toBe(false);
      expect(bytes.includes('cn=service')).toBe(false);
    }
    report.push(`  StartTLS on ${sent.size} connections: each began with it, and nothing else was readable`);
  });

  it('end with a certificate that has ended, and come back with the next one and a new authority, without a restart', async () => {
    const [good, ended, next] = await Promise.all([selfSigned(), selfSigned({ until: Date.now() - 60_000 }), selfSigned()]);
    const files = new Texts({ 'file:ca': `${good.cert}\n${ended.cert}` });
    let slapd = await startPeople({ tls: { ...good, implicit: true } });
    parts.keep(slapd, () => slapd.stop());
    const proxy = await parts.proxy(slapd.port);
    const replica = parts.replica({ urls: [`ldaps://127.0.0.1:${proxy.port}`], tls: { ca: 'file:ca' }, ...unhurried }, files);
    await warm(replica, proxy);
    const restartWith = async (certificate: typeof good): Promise<void> => {
      const { port } = slapd;
      await slapd.stop();
      slapd = await startPeople({ port, tls: { ...certificate, implicit: true } });
    };
    await restartWith(ended);
    await expect
      .poll(() => replica.probe(), { timeout: 10_000 })
      .toMatchObject({ detail: expect.stringContaining('CERT_HAS_EXPIRED') });
    expect(tally(await replica.askMany(20))).not.toHaveProperty('found');
    expect(replica.health()).toMatchObject({ state: 'down', lastError: { code: 'connection' } });
    expect(await slapd.binds()).toEqual([]);
    await restartWith(next);
    files.texts['file:ca'] = next.cert;
    await expect.poll(() => replica.probe(), { timeout: 10_000 }).toEqual({ kind: 'up' });
    await expect.poll(async () => tally(await replica.askMany(20)), { timeout: 10_000 }).toEqual({ found: 20 });
  });
});

describeWithSlapd(describe, 'a password that is rotated at OpenLDAP', () => {
  it('is offered wrongly at most once by each replica, while both are busy and every connection is lost', async () => {
    const slapd = await parts.slapd();
    const [one, two] = await Promise.all([parts.proxy(slapd.port), parts.proxy(slapd.port)]);
    const secrets = [new Texts(), new Texts()];
    const replicas = secrets.map((each) => parts.replica({ urls: [url(one), url(two)], ...unhurried }, each));
    await Promise.all(replicas.map((each) => warm(each, one)));
    const stops = replicas.map((each) => keepAsking(each, 5));
    const probes = setInterval(() => replicas.forEach((each) => void each.probe()), 200);
    parts.keep(probes, clearInterval);

    await slapd.setPassword(`cn=service,${base}`, 'the next password');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await slapd.binds()).filter((code) => code === 49)).toEqual([]);
    for (const proxy of [one, two]) proxy.cut();
    const refusals = async (): Promise<number> => (await slapd.binds()).filter((code) => code === 49).length;
    await expect.poll(refusals, { timeout: 20_000 }).toBe(2);
    // Long enough for many more, were they sent.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const refused = await refusals();
    expect(refused).toBe(2);
    for (const replica of replicas)
      expect(replica.health()).toMatchObject({
        state: 'down',
        lastError: {
          code: 'credentials',
          detail: expect.stringMatching(/invalidCredentials \(49\): the name or the password is wrong/),
        },
      });

    const rotated = performance.now();
    for (const each of secrets) each.texts['env:PASSWORD'] = 'the next password';
    for (const replica of replicas)
      await expect.poll(async () => tally([await replica.ask(1)]), { interval: 10, timeout: 10_000 }).toEqual({ found: 1 });
    const recovery = Math.round(performance.now() - rotated);
    const asked = (await Promise.all(stops.map((stop) => stop()))).flat();
    const binds = await slapd.binds();
    tell('a password is rotated, two replicas', asked, JSON.stringify(tally(asked)));
    report.push(`    ${refused} binds refused, right again ${recovery} ms after the file had the new one`);
    expect(binds.filter((code) => code === 49)).toHaveLength(2);
    expect(Object.keys(tally(asked)).toSorted()).toEqual(['credentials', 'found']);
    await expect.poll(() => replicas[0]!.health().state, { timeout: 10_000 }).toBe('up');
    for (const replica of replicas)
      expect(JSON.stringify([replica.logged, replica.health()])).not.toMatch(/service password|next password/);
  });
});
