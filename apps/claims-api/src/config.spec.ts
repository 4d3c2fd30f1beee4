import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { ReferencedSecrets, readConfiguration } from './config.js';

const minimal = {
  tenants: { contoso: { tenantId: '7D1C5A0E-4c61-4b6f-9d55-2f8a4c1b9e10', audience: 'api' } },
  mappings: { folder: 'mappings' },
};

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-config-'));
  file = path.join(folder, 'claimbridge.yaml');
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function read(document: object, environment: NodeJS.ProcessEnv = {}) {
  await writeFile(file, stringify(document));
  return readConfiguration({ CLAIMBRIDGE_CONFIG: file, ...environment });
}

describe('readConfiguration', () => {
  it('fills in what a small file leaves out', async () => {
    const { document, deadline, logLevel } = await read(minimal);
    expect(document.listen).toEqual({
      public: {
        host: '0.0.0.0',
        port: 8080,
        trustedProxies: [],
        limits: { connections: 10_000, headers: 5_000, request: 10_000, failedAuthentications: 60 },
      },
      management: {
        host: '127.0.0.1',
        port: 9090,
        plainHttp: false,
        metrics: 'open',
        trustedProxies: [],
        limits: { connections: 100, headers: 5_000, request: 10_000, failedAuthentications: 60 },
      },
    });
    expect(document.tenants['contoso']).toMatchObject({
      tenantId: '7d1c5a0e-4c61-4b6f-9d55-2f8a4c1b9e10',
      audience: ['api'],
      cloud: 'public',
    });
    expect([deadline, logLevel]).toEqual([700, 'info']);
  });

  it.each([
    ['an unknown key deep inside', { ...minimal, entra: { timeOut: '1s' } }, 'entra.timeOut: is not a known key'],
    ['a deadline beyond Entra’s', { ...minimal, entra: { timeout: '3s' } }, 'entra.timeout: Entra allows 200ms to 2s'],
    [
      'an edge allowance that leaves no time',
      { ...minimal, entra: { edgeAllowance: '1s' } },
      'entra.edgeAllowance: must be shorter than the timeout',
    ],
    [
      'a tenant that is no GUID',
      { ...minimal, tenants: { contoso: { tenantId: 'contoso', audience: 'api' } } },
      'tenants.contoso.tenantId: must be a GUID',
    ],
    [
      'metrics for a role that nobody can have',
      { ...minimal, listen: { management: { metrics: 'Claims.Read' } } },
      'listen.management.metrics: needs an admin tenant',
    ],
    [
      'headers that may take longer than the request',
      { ...minimal, listen: { public: { limits: { headers: '20s' } } } },
      'listen.public.limits.headers: must not be longer than request',
    ],
    [
      'a proxy that is no address',
      { ...minimal, listen: { public: { trustedProxies: ['everybody'] } } },
      'listen.public.trustedProxies.0: must be an address or a network (CIDR)',
    ],
    [
      'an admin tenant without callers',
      { ...minimal, admin: { tenantId: minimal.tenants.contoso.tenantId, audience: 'admin', callers: {} } },
      'admin.callers: needs at least one application',
    ],
    [
      'a cool-down that would let forged key ids flood the issuer',
      { ...minimal, trust: { keys: { coolDown: '1s' } } },
      'trust.keys.coolDown: must be between 5000ms and 300000ms',
    ],
    [
      'a certificate that is no reference',
      { ...minimal, listen: { public: { tls: { certificate: 'cert.pem', key: 'file:key.pem' } } } },
      'listen.public.tls.certificate',
    ],
    ['no tenant', { ...minimal, tenants: {} }, 'tenants: needs at least one tenant'],
    [
      'metadata without https',
      {
        ...minimal,
        tenants: {
          contoso: { ...minimal.tenants.contoso, issuers: [{ issuer: 'https://i.example', metadata: 'http://i.example' }] },
        },
      },
      'tenants.contoso.issuers.0.metadata: must be an https address',
    ],
    [
      'a token version that there is not',
      {
        ...minimal,
        tenants: {
          contoso: {
            ...minimal.tenants.contoso,
            issuers: [{ issuer: 'https://i.example', metadata: 'https://i.example', version: '3.0' }],
          },
        },
      },
      'tenants.contoso.issuers.0.version',
    ],
    [
      'a management door open to the network',
      { ...minimal, listen: { management: { host: '0.0.0.0' } } },
      'listen.management.host: listens beyond loopback',
    ],
  ])('refuses %s, with file, path and reason', async (_name, document, reason) => {
    await expect(read(document)).rejects.toThrow(`${file}: ${reason}`);
  });

  it('refuses a log level that does not exist, and a file that is not there', async () => {
    await expect(read(minimal, { LOG_LEVEL: 'loud' })).rejects.toThrow('LOG_LEVEL: must be one of fatal, ');
    await expect(readConfiguration({ CLAIMBRIDGE_CONFIG: path.join(folder, 'none.yaml') })).rejects.toThrow(
      'cannot be read (ENOENT)',
    );
  });
});

describe('ReferencedSecrets', () => {
  it('reads variables, and files relative to the configuration, anew each time', async () => {
    const secrets = new ReferencedSecrets(await read(minimal), { PASSWORD: 'from-environment' });
    await writeFile(path.join(folder, 'secret'), 'first\n');
    expect([await secrets.read('env:PASSWORD'), await secrets.read('file:secret')]).toEqual(['from-environment', 'first']);
    await writeFile(path.join(folder, 'secret'), 'second');
    expect(await secrets.read('file:secret')).toBe('second');
  });

  it.each([
    ['env:MISSING', 'env:MISSING: the variable is not set'],
    ['file:missing', 'file:missing: cannot be read (ENOENT)'],
  ])('names the reference that has nothing behind it: %s', async (reference, message) => {
    await expect(new ReferencedSecrets(await read(minimal), {}).read(reference)).rejects.toThrow(message);
  });

  it('does not repeat what might be a secret itself', async () => {
    const secrets = new ReferencedSecrets(await read(minimal), {});
    await expect(secrets.read('hunter2')).rejects.toThrow('a secret is named as env:NAME or file:PATH');
    expect(secrets.status).toEqual([]);
  });

  it('says of each reference whether it could be read last, and nothing of the secret', async () => {
    const secrets = new ReferencedSecrets(await read(minimal), { PASSWORD: 'canary' });
    await secrets.read('env:PASSWORD');
    await expect(secrets.read('file:late')).rejects.toThrow('cannot be read (ENOENT)');
    const readAt = expect.any(Date);
    expect(secrets.status).toEqual([
      { reference: 'env:PASSWORD', readable: true, readAt },
      { reference: 'file:late', readable: false, readAt },
    ]);
    await writeFile(path.join(folder, 'late'), 'now');
    await secrets.read('file:late');
    expect(secrets.status[1]).toMatchObject({ readable: true });
    expect(JSON.stringify(secrets.status)).not.toContain('canary');
  });
});
