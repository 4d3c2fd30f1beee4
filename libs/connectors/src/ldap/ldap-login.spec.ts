import { createServer } from 'node:tls';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import {
  describeWithSlapd,
  selfSigned,
  startSlapd,
  startTcpProxy,
  type RunningSlapd,
  type SlapdOptions,
  type TcpProxy,
} from '#testing';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { adele, directory, dnsServer, find, ldap, patient, References } from './ldap-source.harness.js';

type Pem = Awaited<ReturnType<typeof selfSigned>>;

const base = 'dc=corp,dc=example';
const service = `cn=service,${base}`;
const ldif = [
  [`dn: ${base}`, 'objectClass: top', 'objectClass: dcObject', 'objectClass: organization', 'dc: corp', 'o: Corp'],
  [`dn: ${service}`, 'objectClass: user', 'cn: service', 'sn: service', 'userPassword: right'],
  [`dn: cn=Adele,${base}`, 'objectClass: user', 'cn: Adele', 'sn: Vance', `userPrincipalName: ${adele.upn}`],
]
  .map((entry) => `${entry.join('\n')}\n`)
  .join('\n');

const cleanUp: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).toReversed()) await each();
});

let server: Pem;
let own: Pem;
let ended: Pem;
beforeAll(async () => {
  [server, own, ended] = await Promise.all([
    selfSigned(),
    selfSigned({ subject: 'CN=claimbridge' }),
    selfSigned({ subject: 'CN=claimbridge', until: Date.now() - 60_000 }),
  ]);
});

async function slapd(
  options: Partial<SlapdOptions> = {},
): Promise<{ running: RunningSlapd; wire: TcpProxy; sent: () => Buffer }> {
  const running = await startSlapd({ ldif, ...options });
  cleanUp.push(() => running.stop());
  const sent: Buffer[] = [];
  const wire = await startTcpProxy({ host: '127.0.0.1', port: running.port }, (bytes) => sent.push(bytes));
  cleanUp.push(() => wire.stop());
  return { running, wire, sent: () => Buffer.concat(sent) };
}

/** Maps the subject of our certificate to the service’s entry. */
const mapped = (): Partial<SlapdOptions> => ({ directives: [`authz-regexp "^cn=claimbridge$" "${service}"`] });

const external = {
  bind: { mechanism: 'external' },
  tls: { ca: 'file:ca', certificate: 'file:own', key: 'file:key' },
  limits: { connect: '2s', operation: '1s' },
};
const references = (shown: Pem = own): References =>
  new References({ 'file:ca': server.cert, 'file:own': shown.cert, 'file:key': shown.key, 'env:PASSWORD': 'right' });

describeWithSlapd(describe, 'a login at OpenLDAP', () => {
  describe.each([
    ['ldaps', true],
    ['StartTLS', false],
  ] as const)('with %s', (_, implicit) => {
    const urls = (port: number) => ({ urls: [`${implicit ? 'ldaps' : 'ldap'}://127.0.0.1:${port}`], startTls: !implicit });

    it('by a certificate is as the entry that the directory maps it to', async () => {
      const { running, wire } = await slapd({ tls: { ...server, implicit, clientAuthority: own.cert }, ...mapped() });
      const source = ldap([], { ...external, ...urls(wire.port) }, references());
      expect(await find(source, 'user', adele, ['cn'])).toMatchObject({ kind: 'found' });
      expect(new Set(await running.binds())).toEqual(new Set([0]));
    });

    it('by a certificate that has ended is refused and said to be, until there is another in its file', async () => {
      const { running, wire } = await slapd({ tls: { ...server, implicit, clientAuthority: own.cert }, ...mapped() });
      const files = references(ended);
      const source = ldap([], { ...external, ...urls(wire.port) }, files);
      expect(await source.probe(patient)).toMatchObject({
        kind: 'down',
        reason: 'credentials',
        detail: expect.stringMatching(/refuses the service’s certificate.*: it ended .*; put a new one in its file/),
      });
      expect(await running.binds()).toEqual([]);
      Object.assign(files.texts, { 'file:own': own.cert, 'file:key': own.key });
      expect(await source.probe(patient)).toEqual({ kind: 'up' });
      expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' });
    });

    it('by a certificate is never as nobody, where the directory does not ask for one', async () => {
      const { running, wire } = await slapd({ tls: { ...server, implicit }, ...mapped() });
      const source = ldap([], { ...external, ...urls(wire.port) }, references());
      expect(await find(source, 'user', adele)).toMatchObject({ kind: 'unavailable', detail: expect.stringContaining('bind ') });
      expect(await running.binds()).not.toContain(0);
    });

    it('by a password leaves neither name nor password on the wire', async () => {
      const { wire, sent } = await slapd({ tls: { ...server, implicit } });
      const source = ldap([], { tls: { ca: 'file:ca' }, ...urls(wire.port), limits: external.limits }, references());
      expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' });
      expect(sent().includes('right')).toBe(false);
      expect(sent().includes('cn=service')).toBe(false);
    });
  });

  it('at a server that DNS named is made only where the certificate has that name', async () => {
    const named = await selfSigned({ names: ['dc1.corp.example'] });
    const { wire } = await slapd({ tls: { ...named, implicit: true } });
    const dns = await dnsServer({
      addresses: { 'dc1.corp.example': ['127.0.0.1'], 'dc2.corp.example': ['127.0.0.1'] },
      services: { '_ldap._tcp.corp.example': [{ target: 'dc1.corp.example', port: 389 }] },
    });
    const discover = { domain: 'corp.example', port: wire.port, dns: [dns.address] };
    const files = new References({ 'file:ca': named.cert, 'env:PASSWORD': 'right' });
    const discovering = () => ldap([], { urls: undefined, discover, tls: { ca: 'file:ca' }, limits: external.limits }, files);
    expect(await find(discovering(), 'user', adele)).toMatchObject({ kind: 'found' });
    dns.serve({
      addresses: { 'dc2.corp.example': ['127.0.0.1'] },
      services: { '_ldap._tcp.corp.example': [{ target: 'dc2.corp.example', port: 389 }] },
    });
    expect(await discovering().probe(patient)).toEqual({
      kind: 'down',
      reason: 'connection',
      detail: `ldaps://dc2.corp.example:${wire.port}: ERR_TLS_CERT_ALTNAME_INVALID`,
    });
  });

  it.each(['', '\n', ' \t', 'ri\0ght'])('is not tried with the password %j', async (password) => {
    const { running, wire } = await slapd({ directives: ['allow bind_anon_cred bind_anon_dn'] });
    const source = ldap([wire.port], {}, new References({ 'env:PASSWORD': password }));
    expect(await source.probe(patient)).toMatchObject({
      kind: 'down',
      reason: 'credentials',
      detail: expect.stringMatching(/^env:PASSWORD: is/),
    });
    expect(wire.accepted).toBe(0);
    expect(await running.binds()).toEqual([]);
  });

  it('that is refused leaves bound connections in use, and health says what helps', async () => {
    const { running, wire } = await slapd();
    const secrets = references();
    const source = ldap([wire.port], {}, secrets);
    expect(await source.probe(patient)).toEqual({ kind: 'up' });
    await running.setPassword(service, 'another');
    const before = (await running.binds()).length;
    const warning = {
      reason: 'credentials',
      detail: expect.stringMatching(/invalidCredentials \(49\): the name or the password/),
    };
    await vi.waitFor(
      async () => {
        expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' });
        expect(await source.probe(patient)).toEqual({ kind: 'up', warning });
      },
      { timeout: 15_000 },
    );
    expect((await running.binds()).slice(before)).toEqual([49]);
    secrets.texts['env:PASSWORD'] = 'another';
    await vi.waitFor(
      async () => {
        expect(await source.probe(patient)).toEqual({ kind: 'up' });
        expect(wire.connections).toBe(2);
      },
      { timeout: 15_000 },
    );
    expect((await running.binds()).slice(before)).toEqual([49, 0]);
  });

  it('is kept alive where the directory ends what is idle', { timeout: 30_000 }, async () => {
    const { wire } = await slapd({ directives: ['idletimeout 3'] });
    const source = ldap([wire.port], { connections: { count: 3, keepAlive: '1s' }, limits: external.limits }, references());
    await vi.waitFor(
      async () => {
        await find(source, 'user', adele);
        expect(wire.connections).toBe(3);
      },
      { timeout: 15_000 },
    );
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    expect([wire.accepted, wire.connections]).toEqual([3, 3]);
    expect(source.logged).toEqual([]);
  });
});

describe('a directory that knows the service by its certificate from the start, as Active Directory does with ldaps', () => {
  /** Answers everything by whom it takes us for, as an ExtendedResponse to message 1; gives what it was sent up to `last`. */
  async function askedAs(authzId: string, last: string): Promise<Buffer> {
    const received: Buffer[] = [];
    const body = Buffer.concat([Buffer.from('0a010004000400', 'hex'), Buffer.of(0x8b, authzId.length), Buffer.from(authzId)]);
    const answer = Buffer.concat([Buffer.of(0x30, body.length + 5, 2, 1, 1, 0x78, body.length), body]);
    const fake = createServer({ ...server, requestCert: true, ca: [own.cert] }, (socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        received.push(chunk);
        socket.write(answer);
      });
    });
    await new Promise<void>((resolve) => fake.listen(0, '127.0.0.1', resolve));
    cleanUp.push(() => void fake.close());
    const { port } = fake.address() as AddressInfo;
    const source = ldap(
      [],
      { ...external, urls: [`ldaps://127.0.0.1:${port}`], limits: { connect: '10s', operation: '10s' } },
      references(),
    );
    const over = new AbortController();
    const finding = find(source, 'user', adele, [], over.signal);
    await vi.waitFor(() => expect(Buffer.concat(received).includes(last)).toBe(true), { timeout: 10_000 });
    over.abort();
    await finding;
    return Buffer.concat(received);
  }

  it.each(['u:CORP\\svc', 'dn:cn=svc,dc=x', 'dn: cn=svc,dc=x'])('is sent no bind: %s', async (authzId) => {
    const sent = await askedAs(authzId, 'userPrincipalName');
    expect(sent.includes('1.3.6.1.4.1.4203.1.11.3')).toBe(true);
    expect(sent.includes('EXTERNAL')).toBe(false);
  });

  it.each(['', 'dn:', 'dn: ', 'u:', 'anonymous'])('is not one that takes us for %j, who is nobody', async (authzId) => {
    const sent = await askedAs(authzId, 'EXTERNAL');
    expect(sent.includes('userPrincipalName')).toBe(false);
  });
});

describe('a server that does not know the authority of our certificate', () => {
  it('is told from one that cannot be reached', async () => {
    // Alert record of TLS 1.2: fatal, unknown_ca.
    const refusing = createTcpServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.end(Buffer.from('15030300020230', 'hex')));
    });
    await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
    cleanUp.push(() => void refusing.close());
    const { port } = refusing.address() as AddressInfo;
    const source = ldap([], { ...external, urls: [`ldaps://127.0.0.1:${port}`] }, references());
    expect(await source.probe(patient)).toEqual({
      kind: 'down',
      reason: 'credentials',
      detail: `ldaps://127.0.0.1:${port}: refuses the service’s certificate (unknown ca)`,
    });
  });
});

describe('a domain controller that reaches no authority', () => {
  it('is none of those that refuse the password: another one is asked', async () => {
    const diagnostic = '80090311: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data 51f, v4563';
    const [first, second] = [await directory({ onBind: () => ({ code: 49, diagnostic }) }), await directory()];
    const source = ldap([first.port, second.port], { limits: { connect: '10s', operation: '10s' } });
    expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' });
    expect(await source.probe(patient)).toEqual({ kind: 'up' });
    const alone = ldap([first.port]);
    expect(await alone.probe(patient)).toMatchObject({
      kind: 'down',
      reason: 'connection',
      detail: expect.stringContaining('reaches no authority'),
    });
  });
});
