import 'reflect-metadata';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { startDirectory, type RunningDirectory } from '#testing';
import { PemConverter, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LdapServer } from './connection-config.js';
import { openSocket } from './ldap-socket.js';

interface Certificate {
  readonly key: string;
  readonly cert: string;
}

async function certificate(name: { type: 'dns' | 'ip'; value: string }): Promise<Certificate> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const issued = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=directory',
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    extensions: [new SubjectAlternativeNameExtension([name])],
  });
  const key = PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { key, cert: issued.toString('pem') };
}

const ldif = 'dn: dc=corp\nobjectClass: domain\ndc: corp\n';
const cleanUp: (() => Promise<void> | void)[] = [];
let byName: Certificate;
let byAddress: Certificate;
beforeAll(async () => {
  byName = await certificate({ type: 'dns', value: 'dc1.corp.example' });
  byAddress = await certificate({ type: 'ip', value: '127.0.0.1' });
});
afterEach(async () => {
  for (const each of cleanUp.splice(0).toReversed()) await each();
});

async function directory(tls?: Certificate & { implicit?: boolean }): Promise<RunningDirectory> {
  const running = await startDirectory({ ldif, ...(tls && { tls }) });
  cleanUp.push(() => running.stop());
  return running;
}

/** Answers each connection's first bytes with these, and keeps what was sent. */
async function scripted(answer: Buffer): Promise<{ port: number; received: () => Buffer }> {
  const chunks: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write(answer));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUp.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, received: () => Buffer.concat(chunks) };
}

const at = (port: number, security: LdapServer['security']): LdapServer => ({
  url: `ldap://127.0.0.1:${port}`,
  host: '127.0.0.1',
  port,
  security,
});
const noTrust = { ca: undefined, servername: undefined };

async function open(
  server: LdapServer,
  trust: { ca?: string; servername?: string } = {},
  limit = 2_000,
): Promise<{ encrypted: boolean } | string> {
  const opened = await openSocket(server, { ...noTrust, ...trust }, AbortSignal.timeout(limit));
  if (opened.kind === 'failed') return opened.detail;
  cleanUp.push(() => void opened.socket.destroy());
  return { encrypted: 'encrypted' in opened.socket };
}

/** Message id 1, success, no name, no text. */
const startTlsAccepted = Buffer.from('300c02010178070a010004000400', 'hex');

describe.each(['tls', 'startTls'] as const)('a connection with %s', (security) => {
  const implicit = security === 'tls';

  it('is encrypted, and the server’s certificate is the address’s', async () => {
    const { port } = await directory({ ...byAddress, implicit });
    expect(await open(at(port, security), { ca: byAddress.cert })).toEqual({ encrypted: true });
  });

  it('takes the name that the configuration states', async () => {
    const { port } = await directory({ ...byName, implicit });
    expect(await open(at(port, security), { ca: byName.cert, servername: 'dc1.corp.example' })).toEqual({ encrypted: true });
    expect(await open(at(port, security), { ca: byName.cert, servername: 'dc2.corp.example' })).toContain(
      'ERR_TLS_CERT_ALTNAME_INVALID',
    );
    expect(await open(at(port, security), { ca: byName.cert })).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('is not made to a server that nobody vouches for', async () => {
    const { port } = await directory({ ...byAddress, implicit });
    expect(await open(at(port, security))).toMatch(/SELF_SIGNED|UNABLE_TO_VERIFY/);
    expect(await open(at(port, security), { ca: byName.cert })).toMatch(/SELF_SIGNED|UNABLE_TO_VERIFY|SIGNATURE/);
  });

  it('is given up at its limit, whatever the server does not do', async () => {
    const { port } = await scripted(Buffer.alloc(0));
    expect(await open(at(port, security), {}, 50)).toContain('connect limit');
  });
});

describe('StartTLS', () => {
  it('is never done without: a server that cannot gets no more than the request', async () => {
    const { port } = await directory();
    expect(await open(at(port, 'startTls'))).toContain('StartTLS refused');
    const refusing = await scripted(Buffer.from('300c02010178070a010204000400', 'hex'));
    expect(await open(at(refusing.port, 'startTls'))).toContain('StartTLS refused (result 2)');
    expect(refusing.received().toString('latin1')).toMatch(/^.{9}1\.3\.6\.1\.4\.1\.1466\.20037$/s);
  });

  it.each(['30', '3084', startTlsAccepted.toString('hex')])('takes no byte in clear text after the answer: %s', async (more) => {
    const { port } = await scripted(Buffer.concat([startTlsAccepted, Buffer.from(more, 'hex')]));
    expect(await open(at(port, 'startTls'))).toContain('data behind the StartTLS response');
  });

  it.each([
    ['another message', '300c02010278070a010004000400'],
    ['a bind response', '300c02010161070a010004000400'],
    ['nothing readable', '3003020101'],
    ['no LDAP', '485454502f312e31'],
  ])('takes %s for no answer', async (_, answer) => {
    const { port } = await scripted(Buffer.from(answer, 'hex'));
    expect(await open(at(port, 'startTls'))).toBeTypeOf('string');
  });
});

describe('a connection in clear text', () => {
  it('is what it says', async () => {
    const { port } = await directory();
    expect(await open(at(port, 'none'))).toEqual({ encrypted: false });
  });

  it('fails with the system’s code', async () => {
    const running = await directory();
    await running.stop();
    expect(await open(at(running.port, 'none'))).toContain('ECONNREFUSED');
    expect(await open({ ...at(389, 'none'), host: 'no-such-host.invalid' })).toMatch(/ENOTFOUND|EAI_AGAIN/);
  });

  it('is not begun after its limit', async () => {
    const { port } = await directory();
    const opened = await openSocket(at(port, 'none'), noTrust, AbortSignal.abort());
    expect(opened).toMatchObject({ kind: 'failed' });
  });
});
