import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { Part } from './part.js';
import { SimulatorClient } from './simulator-client.js';

/** The repository's docker/seeds: this file is dist/apps/demo/src/company.js. */
const seeds = fileURLToPath(new URL('../../../../docker/seeds/', import.meta.url));

export interface Company {
  /** A private folder with the certificate, the logs and the tokens. */
  readonly folder: string;
  readonly publicUrl: string;
  readonly managementUrl: string;
  readonly simulatorUrl: string;
  readonly simulator: SimulatorClient;
  /** Milliseconds from the start of the service's process to its readiness. */
  readonly readyAfter: number;
  /** Rejects when a part ends before it was told to. */
  readonly broken: Promise<never>;
  stop(): Promise<void>;
}

/** Starts a whole company: its database, its directory, an Entra that is played, and Claimbridge between them. */
export async function startCompany(options: { readonly directory: 'in-process' | 'slapd' }): Promise<Company> {
  const folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-demo-'));
  const parts: Part[] = [];
  const start = (
    name: string,
    entry: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Part => {
    const part = Part.start({ name, entry, args, environment, log: path.join(folder, `${name}.log`) });
    parts.push(part);
    return part;
  };
  /** What ends by itself before the rest goes on. */
  const run = (
    name: string,
    entry: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
  ): Promise<void> => Part.start({ name, entry, args, environment, log: path.join(folder, `${name}.log`) }).finished();
  const stop = async (): Promise<void> => {
    for (const part of parts.toReversed()) await part.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const [publicPort, managementPort] = [await portNear(8080), await portNear(9090)];
    const publicUrl = `http://127.0.0.1:${publicPort}`;
    const managementUrl = `http://127.0.0.1:${managementPort}`;
    const caFile = path.join(folder, 'ca.pem');

    const postgres = start('postgres', 'libs/testing/src/postgres/main.js', [
      '--database',
      'billing',
      ...['billing.sql', 'mappings-database.sql', 'mappings-roles.sql'].flatMap((name) => ['--sql', path.join(seeds, name)]),
    ]);
    const directory = start('directory', 'libs/testing/src/directory/main.js', [
      '--engine',
      options.directory,
      '--ldif',
      path.join(seeds, 'directory.ldif'),
    ]);
    const entra = start('simulator', 'apps/entra-simulator/src/main.js', [
      `--config=${path.join(seeds, 'entra.yaml')}`,
      `--port=${await portNear(8443)}`,
      `--ca-file=${caFile}`,
      `--target-url=${publicUrl}/api/onTokenIssuanceStart`,
      '--exit-with-stdin',
    ]);
    const [database, directoryUrl, simulatorUrl] = await Promise.all([
      postgres.announced(({ ready, port, database: name }) =>
        ready === true && typeof port === 'number' && typeof name === 'string' ? { port, name } : undefined,
      ),
      directory.announced(readyUrl),
      entra.announced(readyUrl),
    ]);

    const configuration = path.join(folder, 'claimbridge.yaml');
    await writeFile(
      configuration,
      await configure({ folder, caFile, publicPort, managementPort, database, directoryUrl, simulatorUrl }),
      { mode: 0o600 },
    );
    const environment = {
      CLAIMBRIDGE_CONFIG: configuration,
      DIRECTORY_PASSWORD: 'demo-directory-password',
      BILLING_PASSWORD: 'demo-database-password',
      MAPPINGS_PASSWORD: 'demo-mappings-password',
    };
    const mappings = 'apps/claims-api/src/mappings.js';
    const owner = { MAPPINGS_OWNER_PASSWORD: 'demo-mappings-owner-password' };
    await run('mappings-migrate', mappings, ['migrate'], { ...environment, ...owner });
    await run('mappings-import', mappings, ['import', path.join(seeds, 'mappings')], environment);
    const startedAt = performance.now();
    const service = start('claims-api', 'apps/claims-api/src/main.js', [], environment);
    await service.announced(({ msg }) => (msg === 'listening' ? true : undefined));
    await becomeReady(publicUrl);
    const readyAfter = performance.now() - startedAt;
    const simulator = new SimulatorClient(simulatorUrl, await readFile(caFile, 'utf8'));
    const broken = Promise.race(parts.map((part) => part.watch()));
    broken.catch(() => undefined);
    return {
      folder,
      publicUrl,
      managementUrl,
      simulatorUrl,
      simulator,
      readyAfter,
      broken,
      stop: async () => {
        await simulator.close();
        await stop();
      },
    };
  } catch (error) {
    // The folder stays: the error names a log in it.
    await Promise.allSettled(parts.map((part) => part.stop()));
    throw error;
  }
}

/** The compose file's configuration, with the addresses of this company's parts. */
async function configure(parts: {
  readonly folder: string;
  readonly caFile: string;
  readonly publicPort: number;
  readonly managementPort: number;
  readonly database: { readonly port: number; readonly name: string };
  readonly directoryUrl: string;
  readonly simulatorUrl: string;
}): Promise<string> {
  const text = await readFile(path.join(seeds, 'claimbridge.yaml'), 'utf8');
  const document = parse(text.replaceAll('https://simulator:8443', parts.simulatorUrl)) as Record<
    string,
    Record<string, unknown>
  >;
  const { 'corp-ad': directory, 'billing-db': billing } = document['sources'] as Record<string, Record<string, unknown>>;
  const store = document['mappings']!['postgres'] as Record<string, unknown>;
  Object.assign(directory!, { urls: [parts.directoryUrl] });
  Object.assign(billing!, { hosts: [{ host: '127.0.0.1', port: parts.database.port }], database: parts.database.name });
  return stringify({
    ...document,
    listen: {
      public: { host: '127.0.0.1', port: parts.publicPort },
      management: { host: '127.0.0.1', port: parts.managementPort },
    },
    trust: { ca: `file:${parts.caFile}` },
    mappings: { postgres: { ...store, host: '127.0.0.1', port: parts.database.port } },
    snapshot: { file: path.join(parts.folder, 'snapshot.json') },
    shutdown: { delay: '0ms', limit: '5s' },
  });
}

function readyUrl({ ready: isReady, url }: Readonly<Record<string, unknown>>): string | undefined {
  return isReady === true && typeof url === 'string' ? url : undefined;
}

async function becomeReady(publicUrl: string): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    const { status } = await fetch(`${publicUrl}/health/ready`);
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('The service did not become ready within 10 seconds.');
}

/** The wanted port where it is free, any other where not. */
async function portNear(wanted: number): Promise<number> {
  for (const port of [wanted, 0]) {
    const server = createServer();
    const taken = await new Promise<number | undefined>((resolve) => {
      server.once('error', () => resolve(undefined));
      server.listen(port, '127.0.0.1', () => {
        const address = server.address();
        server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
      });
    });
    if (taken !== undefined) return taken;
  }
  throw new Error('No port is free on 127.0.0.1.');
}
