import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { freePort } from '#testing';
import { stringify } from 'yaml';
import { serviceFlags } from '../e2e/service-process.js';
import type { BackEnds } from './back-ends.js';
import { MeasuredProcess } from './measured-process.js';
import { account, applicationId } from './people.js';
import { statement } from './servers/settings.js';

const entry = path.resolve(import.meta.dirname, '../../dist/apps/claims-api/src/main.js');

const claims = {
  tier: { from: 'billing.tier' },
  products: { from: 'billing.products', list: true },
  department: { from: 'person.department' },
  employeeNumber: { from: 'person.employeeID' },
  roles: { from: 'person.memberOf', list: true, transform: ['GroupName', 'Sort'] },
};

export interface ServiceOptions {
  readonly name: string;
  readonly backEnds: BackEnds;
  readonly core: number | undefined;
  readonly mappings: number;
  /** Whether lookups are cached. */
  readonly cached?: boolean;
  /** Further arguments of Node. */
  readonly nodeArgs?: readonly string[];
  /** A further source of the directory's people, at this port; `affectedApplicationId`'s mapping asks it too. */
  readonly furtherDirectory?: { readonly port: number; readonly affectedApplicationId: string };
}

/** The built service with a configuration of its own, every wrapper on. */
export async function startService(options: ServiceOptions) {
  const { name, backEnds, core, mappings, cached = false, nodeArgs = [], furtherDirectory } = options;
  const folder = path.join(backEnds.folder, name);
  await mkdir(path.join(folder, 'mappings'), { recursive: true });
  const mapping = (number: number): object => ({
    name: `application-${number}`,
    tenant: 'contoso',
    applications: [number === 0 ? applicationId : `3a1c9f52-6d0e-4b7a-8f11-${String(number).padStart(12, '0')}`],
    lookups: {
      person: { use: 'directory.person' },
      billing: { use: 'billing.account', with: { upn: 'subject.onPremisesUserPrincipalName' } },
    },
    claims,
  });
  const documents = Array.from({ length: mappings }, (_, number) => mapping(number));
  if (furtherDirectory)
    documents.push({
      name: 'affected',
      tenant: 'contoso',
      applications: [furtherDirectory.affectedApplicationId],
      lookups: { further: { use: 'further.person' } },
      claims: { department: { from: 'further.department', whenUnavailable: 'omit' } },
    });
  for (const [index, document] of documents.entries())
    await writeFile(path.join(folder, 'mappings', `${index}.yaml`), stringify(document));

  const { settings, caFile } = backEnds;
  const { directory, database } = settings;
  const cache = cached && { cache: { ttl: '1h' } };
  const limits = { operation: '1500ms' };
  const source = (url: string): object => ({
    type: 'ldap',
    tenants: ['contoso'],
    urls: [url],
    allowClearText: true,
    bind: { dn: directory.dn, password: 'env:DIRECTORY_PASSWORD' },
    limits,
    lookups: {
      person: {
        base: directory.base,
        locate: [{ key: 'onPremisesUserPrincipalName', filter: '(userPrincipalName={value})' }],
        ...cache,
      },
    },
  });
  const [publicPort, managementPort] = [await freePort(), await freePort()];
  const { host, port } = database;
  const configuration = {
    listen: {
      public: { host: '127.0.0.1', port: publicPort },
      management: { host: '127.0.0.1', port: managementPort },
    },
    // A machine that is busy with other things must not turn an answer into a 503.
    entra: { timeout: '2s', edgeAllowance: '100ms' },
    tenants: {
      contoso: {
        tenantId: settings.tenantId,
        audience: settings.audience,
        issuers: [{ issuer: settings.issuer, metadata: settings.metadata }],
      },
    },
    trust: { ca: `file:${caFile}` },
    mappings: { folder: 'mappings' },
    snapshot: { file: 'snapshot.json' },
    sources: {
      directory: source(directory.url),
      ...(furtherDirectory && {
        // Nothing but the deadline ends a wait for it.
        further: {
          ...source(`ldap://127.0.0.1:${furtherDirectory.port}`),
          limits: { operation: '10s', queue: 1_000 },
          breaker: { failures: 1_000, retryAfter: '1s' },
        },
      }),
      billing: {
        type: 'postgres',
        tenants: ['contoso'],
        hosts: [{ host, port }],
        database: database.database,
        user: database.user,
        password: 'env:BILLING_PASSWORD',
        tls: 'disable',
        limits,
        lookups: { account: { parameters: ['upn'], statement, ...cache } },
      },
    },
    shutdown: { delay: '0ms', limit: '5s' },
  };
  const configurationFile = path.join(folder, 'claimbridge.yaml');
  await writeFile(configurationFile, stringify(configuration));

  const begun = performance.now();
  const process = new MeasuredProcess({
    args: [...serviceFlags, ...nodeArgs, entry],
    env: {
      CLAIMBRIDGE_CONFIG: configurationFile,
      DIRECTORY_PASSWORD: account.password,
      BILLING_PASSWORD: account.rolePassword,
    },
    core,
    stdout: path.join(folder, 'log'),
  });
  await process.untilReady(`http://127.0.0.1:${publicPort}/health/ready`);
  return {
    process,
    url: `http://127.0.0.1:${publicPort}/api/onTokenIssuanceStart`,
    readyMilliseconds: performance.now() - begun,
    /** Milliseconds; what a request has. */
    deadline: 1_900,
  };
}
