import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  startDirectory,
  startHttpServer,
  startPostgres,
  startTcpProxy,
  type HttpResponder,
  type RunningPostgres,
} from '#testing';
import { parse, stringify } from 'yaml';
import { startSimulator } from '../../apps/entra-simulator/src/index.js';
import { ServiceProcess } from './service-process.js';

const seeds = path.resolve(import.meta.dirname, '../../docker/seeds');

export const tenantId = '7d1c5a0e-4c61-4b6f-9d55-2f8a4c1b9e10';
export const operator = {
  clientId: 'f7a9c3d1-0e2b-4c5d-8a6f-1b2c3d4e5f01',
  clientSecret: 'demo-client-secret',
  audience: 'b0a4d6a2-53f1-4b39-9a7c-1de0c4c5f202',
};
export const environment = { DIRECTORY_PASSWORD: 'demo-directory-password', BILLING_PASSWORD: 'demo-database-password' };

/** Anything of a configuration document. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Document = Record<string, any>;

export interface StackOptions {
  /** Changes the service's configuration before it is written, next to the parts that stand already. */
  readonly configure?: (
    document: Document,
    parts: { readonly folder: string; readonly caFile: string; readonly postgres: RunningPostgres },
  ) => void | Promise<void>;
  /** The mappings by file name; those of docker/seeds without. */
  readonly mappings?: Readonly<Record<string, string>>;
  /** Puts an HTTP API behind a TCP proxy as well, as the source `hr-api`; `configure` gives it lookups. */
  readonly api?: HttpResponder;
  /** A directory on 127.0.0.1 instead of the one in process. */
  readonly directoryPort?: number;
  /** Variables of the service’s environment beside its secrets. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Runs when everything but the service is there. */
  readonly beforeStart?: (parts: { readonly simulator: Awaited<ReturnType<typeof startSimulator>> }) => Promise<void>;
}

export type Stack = Awaited<ReturnType<typeof startStack>>;

/**
 * The service with everything real around it: PostgreSQL, a directory behind a TCP proxy, the Entra simulator. The configuration is
 * that of the compose file, with the addresses of these parts.
 */
export async function startStack({
  configure,
  mappings,
  api: responder,
  directoryPort,
  variables,
  beforeStart,
}: StackOptions = {}) {
  await using parts = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-e2e-'));
  parts.defer(() => rm(folder, { recursive: true, force: true }));
  const [directory, postgres] = await Promise.all([
    startDirectory({ ldif: await readFile(path.join(seeds, 'directory.ldif'), 'utf8') }),
    startPostgres({ sql: [await readFile(path.join(seeds, 'billing.sql'), 'utf8')] }),
  ]);
  parts.defer(() => postgres.stop());
  parts.defer(() => directory.stop());
  const directoryProxy = await startTcpProxy({ host: '127.0.0.1', port: directoryPort ?? directory.port });
  parts.defer(() => directoryProxy.stop());
  const databaseProxy = await startTcpProxy({ host: postgres.host, port: postgres.port });
  parts.defer(() => databaseProxy.stop());

  const api = responder && (await startHttpServer(responder));
  if (api) parts.defer(() => api.stop());
  const apiProxy = api && (await startTcpProxy(api));
  if (apiProxy) parts.defer(() => apiProxy.stop());

  const caFile = path.join(folder, 'ca.pem');
  const simulator = await startSimulator({ config: path.join(seeds, 'entra.yaml'), caFile });
  parts.defer(() => simulator.stop());

  const mappingsFolder = path.join(folder, 'mappings');
  await mkdir(mappingsFolder);
  const names = ['billing-portal.yaml', 'legacy-hr.yaml', 'billing-api.yaml'];
  const seeded = async () =>
    Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await readFile(path.join(seeds, 'mappings', name), 'utf8')])),
    );
  for (const [name, text] of Object.entries<string>(mappings ?? (await seeded())))
    await writeFile(path.join(mappingsFolder, name), text);

  const text = await readFile(path.join(seeds, 'claimbridge.yaml'), 'utf8');
  const document = parse(text.replaceAll('https://simulator:8443', simulator.url)) as Document;
  document['listen'] = { public: { host: '127.0.0.1', port: 0 }, management: { host: '127.0.0.1', port: 0 } };
  document['trust'] = { ca: `file:${caFile}` };
  document['mappings'] = { folder: 'mappings' };
  document['snapshot'] = { file: path.join(folder, 'state', 'snapshot.json') };
  document['sources']['corp-ad'].urls = [`ldap://127.0.0.1:${directoryProxy.port}`];
  Object.assign(document['sources']['billing-db'], {
    hosts: [{ host: '127.0.0.1', port: databaseProxy.port }],
    database: postgres.database,
  });
  if (apiProxy)
    document['sources']['hr-api'] = {
      type: 'http',
      tenants: ['contoso'],
      url: `http://127.0.0.1:${apiProxy.port}`,
      allowClearText: true,
      allowAddresses: ['127.0.0.1/32'],
      lookups: {},
    };
  document['shutdown'] = { delay: '0ms', limit: '5s' };
  await configure?.(document, { folder, caFile, postgres });
  const configurationFile = path.join(folder, 'claimbridge.yaml');
  await writeFile(configurationFile, stringify(document));

  await beforeStart?.({ simulator });
  const service = new ServiceProcess(configurationFile, { ...environment, ...variables });
  parts.defer(async () => void (await service.stop()));
  const { publicUrl, managementUrl } = await service.listening();
  const endpoint = `${publicUrl}/api/onTokenIssuanceStart`;
  simulator.setTargetUrl(endpoint);
  const running = parts.move();
  return {
    folder,
    mappingsFolder,
    configurationFile,
    service,
    publicUrl,
    managementUrl,
    endpoint,
    simulator,
    directory,
    directoryProxy,
    databaseProxy,
    postgres,
    api,
    apiProxy,
    /** Answers once the service takes sign-ins. */
    async ready(): Promise<void> {
      while ((await fetch(`${publicUrl}/health/ready`)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 20));
    },
    /** Posts an event as Entra does, with what a test wants otherwise. */
    async post(body: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
      const authorization = `Bearer ${await simulator.mintExtensionToken()}`;
      const wanted = Object.entries({ authorization, 'content-type': 'application/json', ...headers }).filter(
        ([, value]) => value !== '',
      );
      return answerOf(await fetch(endpoint, { method: 'POST', headers: Object.fromEntries(wanted), body }));
    },
    async operatorToken(): Promise<string> {
      return simulator.clientToken(operator.clientId, operator.audience);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const json: unknown = /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : undefined;
  return { status: response.status, headers: response.headers, text, json };
}
