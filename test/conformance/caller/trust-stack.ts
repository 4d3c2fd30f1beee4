import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startDirectory } from '#testing';
import type { JWTPayload } from 'jose';
import { stringify } from 'yaml';
import { IssuerServer, signToken, signingKey, type SigningKey } from '../../../libs/entra-auth/test/issuer-server.js';
import { applications, eventFor } from '../../e2e/event.js';
import { ServiceProcess } from '../../e2e/service-process.js';
import { answerOf, type Answer, type Document } from '../../e2e/stack.js';

export const extensionsAppId = '99045fe1-7639-4a75-9d4a-577b6ca3810f';
export const application = applications.billingPortal;

/** A workforce tenant, an external one, and the one of the operators. */
export const tenants = {
  contoso: { tenantId: '7d1c5a0e-4c61-4b6f-9d55-2f8a4c1b9e10', audience: 'b0a4d6a2-53f1-4b39-9a7c-1de0c4c5f201' },
  fabrikam: { tenantId: '2b9e4c7f-8d13-4f60-a2b5-6c7d8e9f0a21', audience: 'b0a4d6a2-53f1-4b39-9a7c-1de0c4c5f203' },
  admin: { tenantId: '4e0f6a8b-1c2d-4e3f-9a4b-5c6d7e8f9a41', audience: 'b0a4d6a2-53f1-4b39-9a7c-1de0c4c5f202' },
} as const;

export const operators = {
  daemon: 'f7a9c3d1-0e2b-4c5d-8a6f-1b2c3d4e5f01',
  console: 'f7a9c3d1-0e2b-4c5d-8a6f-1b2c3d4e5f02',
};

const { contoso, fabrikam, admin } = tenants;

/** The issuers as Entra names them. Each has a key of its own, published by our server under the issuer's name here. */
export const issuers = {
  'contoso-1': { tenant: contoso, version: '1.0', issuer: `https://sts.windows.net/${contoso.tenantId}/` },
  'contoso-2': { tenant: contoso, version: '2.0', issuer: `https://login.microsoftonline.com/${contoso.tenantId}/v2.0` },
  'fabrikam-id': {
    tenant: fabrikam,
    version: '2.0',
    issuer: `https://${fabrikam.tenantId}.ciamlogin.com/${fabrikam.tenantId}/v2.0`,
  },
  'fabrikam-name': { tenant: fabrikam, version: '2.0', issuer: `https://fabrikam.ciamlogin.com/${fabrikam.tenantId}/v2.0` },
  'admin-1': { tenant: admin, version: '1.0', issuer: `https://sts.windows.net/${admin.tenantId}/` },
  'admin-2': { tenant: admin, version: '2.0', issuer: `https://login.microsoftonline.com/${admin.tenantId}/v2.0` },
} as const;

export type IssuerName = keyof typeof issuers;
type TenantName = keyof typeof tenants;

const issuerNames = Object.keys(issuers) as IssuerName[];
const sourced = ['contoso', 'fabrikam'] as const;

export const seconds = (): number => Math.floor(Date.now() / 1_000);

/** What this issuer writes into the access token of Entra's authentication extensions service, or of a daemon of the operators. */
export function claimsOf(name: IssuerName, change: JWTPayload = {}): JWTPayload {
  const { tenant, version, issuer } = issuers[name];
  const caller = tenant === admin ? operators.daemon : extensionsAppId;
  const [callerClaim, proofClaim] = version === '1.0' ? ['appid', 'appidacr'] : ['azp', 'azpacr'];
  return {
    aud: tenant.audience,
    iss: issuer,
    iat: seconds(),
    nbf: seconds(),
    exp: seconds() + 3_900,
    [callerClaim]: caller,
    [proofClaim]: '2',
    oid: 'a1d4b0f6-2f64-4a7e-8b5d-0c2b9f7d1e44',
    sub: 'a1d4b0f6-2f64-4a7e-8b5d-0c2b9f7d1e44',
    tid: tenant.tenantId,
    uti: randomUUID(),
    ver: version,
    ...(tenant === admin && { roles: ['Claims.Read'] }),
    ...change,
  };
}

/** An event of the tenant about the person whom every directory knows as adele.vance, under a correlation id of its own. */
export function eventOf(tenant: TenantName, correlationId: string = randomUUID()): Document {
  const event = eventFor(application, {
    id: '90847c2a-e29d-4d2f-9f54-c5b4d3f20001',
    userType: 'Member',
    onPremisesSamAccountName: 'adele.vance',
  });
  event['source'] = `/tenants/${tenants[tenant].tenantId}/applications/${application}`;
  event['data'].tenantId = tenants[tenant].tenantId;
  event['data'].authenticationContext.correlationId = correlationId;
  return event;
}

const entriesOf = (company: string): string => `dn: dc=${company},dc=example
objectClass: domain
dc: ${company}

dn: cn=claimbridge,dc=${company},dc=example
objectClass: user
cn: claimbridge
userPassword: ${company}-directory-password

dn: cn=Adele Vance,dc=${company},dc=example
objectClass: user
cn: Adele Vance
sAMAccountName: adele.vance
department: ${departments[company]}
`;

/** What each tenant's own directory says of adele.vance. */
export const departments: Readonly<Record<string, string>> = { contoso: 'Finance of Contoso', fabrikam: 'Sales of Fabrikam' };

const mappingOf = (tenant: string): Document => ({
  name: `portal-${tenant}`,
  tenant,
  applications: [application],
  lookups: { person: { use: `${tenant}-ad.user` } },
  claims: { department: { from: 'person.department', whenUnavailable: 'fail', whenMissing: 'fail' } },
});

const sourceOf = (tenant: string, url: string): Document => ({
  type: 'ldap',
  tenants: [tenant],
  urls: [url],
  allowClearText: true,
  bind: { dn: `cn=claimbridge,dc=${tenant},dc=example`, password: `env:${tenant.toUpperCase()}_PASSWORD` },
  limits: { operation: '1500ms' },
  lookups: {
    user: {
      base: `dc=${tenant},dc=example`,
      scope: 'subtree',
      locate: [{ key: 'onPremisesSamAccountName', filter: '(&(objectClass=user)(sAMAccountName={value}))' }],
    },
  },
});

export interface TrustStackOptions {
  /** Changes the service's configuration before it is written. */
  readonly configure?: (document: Document, server: IssuerServer) => void;
  /** Runs when every issuer is published and before the service starts. */
  readonly beforeStart?: (server: IssuerServer, keys: Readonly<Record<IssuerName, SigningKey>>) => void | Promise<void>;
}

export type TrustStack = Awaited<ReturnType<typeof startTrustStack>>;

/** The built service between issuers that a test owns, with all their keys, and a directory of each tenant that counts its searches. */
export async function startTrustStack({ configure, beforeStart }: TrustStackOptions = {}) {
  await using parts = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-trust-'));
  parts.defer(() => rm(folder, { recursive: true, force: true }));
  const server = parts.use(await IssuerServer.start());
  const keys = Object.fromEntries(
    await Promise.all(issuerNames.map(async (name) => [name, await signingKey(`key-of-${name}`)] as const)),
  ) as Record<IssuerName, SigningKey>;
  const foreign = await signingKey('foreign');
  for (const name of issuerNames) publish(server, name, [keys[name]]);

  const lookups = { contoso: 0, fabrikam: 0 };
  const mappings = path.join(folder, 'mappings');
  await mkdir(mappings);
  const sources: Document = {};
  for (const tenant of sourced) {
    const directory = await startDirectory({
      ldif: entriesOf(tenant),
      // The search of a probe is for the root, below which there is nobody.
      onSearch: ({ base }) => void (base !== '' && (lookups[tenant] += 1)),
    });
    parts.defer(() => directory.stop());
    sources[`${tenant}-ad`] = sourceOf(tenant, directory.url);
    await writeFile(path.join(mappings, `${tenant}.yaml`), stringify(mappingOf(tenant)));
  }

  const ca = path.join(folder, 'ca.pem');
  await writeFile(ca, server.ca);
  const trusted = (tenant: TenantName): Document => ({
    ...tenants[tenant],
    issuers: issuerNames
      .filter((name) => issuers[name].tenant === tenants[tenant])
      .map((name) => ({ issuer: issuers[name].issuer, metadata: server.metadata(name) })),
  });
  const document: Document = {
    listen: {
      // Every case fails to authenticate from one address, which is the subject of test/e2e/hardening.spec.ts.
      public: { host: '127.0.0.1', port: 0, limits: { failedAuthentications: 1_000_000, headers: '2s', request: '2s' } },
      management: { host: '127.0.0.1', port: 0, limits: { failedAuthentications: 1_000_000 } },
    },
    entra: { timeout: '2s', edgeAllowance: '100ms' },
    tenants: { contoso: trusted('contoso'), fabrikam: trusted('fabrikam') },
    admin: {
      ...trusted('admin'),
      callers: { applications: [operators.daemon], delegated: [operators.console] },
      scope: 'Claims.Manage',
    },
    trust: { ca: `file:${ca}`, keys: { coolDown: '5s' } },
    mappings: { folder: mappings },
    sources,
    probes: { interval: '1h' },
    shutdown: { delay: '0ms', limit: '5s' },
  };
  configure?.(document, server);
  const configurationFile = path.join(folder, 'claimbridge.yaml');
  await writeFile(configurationFile, stringify(document));
  await beforeStart?.(server, keys);

  const service = new ServiceProcess(configurationFile, {
    CONTOSO_PASSWORD: 'contoso-directory-password',
    FABRIKAM_PASSWORD: 'fabrikam-directory-password',
  });
  parts.defer(async () => void (await service.stop()));
  const { publicUrl, managementUrl } = await service.listening();
  const endpoint = `${publicUrl}/api/onTokenIssuanceStart`;
  const running = parts.move();
  return {
    server,
    keys,
    /** A key that no issuer publishes. */
    foreign,
    service,
    publicUrl,
    managementUrl,
    endpoint,
    /** How often each tenant's source was asked for somebody. */
    lookups,
    /** From now on the issuer's key set has these keys. */
    publish: (name: IssuerName, held: readonly SigningKey[], change: Document = {}) => publish(server, name, held, change),
    async mint(name: IssuerName, change: JWTPayload = {}, header: Document = {}, key: SigningKey = keys[name]): Promise<string> {
      return signToken(key, claimsOf(name, change), header);
    },
    /** Posts an event of the tenant with the token as its bearer. */
    async post(token: string, tenant: TenantName = 'contoso', event: Document = eventOf(tenant)): Promise<Answer> {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      return answerOf(await fetch(endpoint, { method: 'POST', headers, body: JSON.stringify(event) }));
    },
    /** The status of readiness. */
    async readiness(): Promise<number> {
      return (await fetch(`${publicUrl}/health/ready`)).status;
    },
    /** Answers once the service takes sign-ins. */
    async ready(): Promise<void> {
      while ((await fetch(`${publicUrl}/health/ready`)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 20));
    },
    async metrics(): Promise<string> {
      return (await fetch(`${managementUrl}/metrics`)).text();
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The metadata list HS256 beside RS256: an algorithm is not chosen by them. */
function publish(server: IssuerServer, name: IssuerName, keys: readonly SigningKey[], change: Document = {}): void {
  const published = keys.map(({ publicJwk }) => publicJwk);
  const algorithms = { id_token_signing_alg_values_supported: ['HS256', 'RS256', 'none'] };
  server.publish(name, issuers[name].issuer, published, { ...algorithms, ...change });
}
