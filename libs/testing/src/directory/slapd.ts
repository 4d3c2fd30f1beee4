import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Attribute, Change, Client } from 'ldapts';
import { onPort } from '../network/free-port.js';
import { GuardedProcess } from '../process/guarded-process.js';
import { runProgram } from '../process/run-program.js';
import { StartError } from '../process/start-error.js';
import { DistinguishedName } from './distinguished-name.js';
import { withMemberOf } from './membership.js';
import { LdifError, parseLdif, printLdif, type LdifRecord } from './ldif.js';
import { describeUnless, type Describe } from './needs-program.js';
import { activeDirectorySchema } from './slapd-schema.js';

export interface SlapdOptions {
  /** The entries (RFC 2849), the naming context first; `memberOf` is worked out from `member`. */
  readonly ldif: string;
  /** A free port by default. */
  readonly port?: number;
  /** Where it listens, 127.0.0.1 by default. */
  readonly host?: string;
  /** Entries of one answer, 1,000 by default. */
  readonly sizeLimit?: number;
  /**
   * PEM. StartTLS is offered; with `implicit` the port speaks TLS from the first byte (ldaps). With `clientAuthority` a client must
   * show a certificate of that authority.
   */
  readonly tls?: {
    readonly key: string;
    readonly cert: string;
    readonly implicit?: boolean;
    readonly clientAuthority?: string;
  };
  /** More lines of slapd.conf(5), for all databases: `idletimeout 2`, `authz-regexp …`. */
  readonly directives?: readonly string[];
  /** More lines for the database: `overlay retcode`. */
  readonly databaseDirectives?: readonly string[];
}

export interface RunningSlapd {
  /** `ldap://127.0.0.1:port`, or `ldaps://` with implicit TLS. */
  readonly url: string;
  readonly port: number;
  /** The binds since the start, by how they ended: 0, or 49 where the credentials were refused. */
  binds(): Promise<readonly number[]>;
  /** Gives an account another password. Not with implicit TLS. */
  setPassword(dn: string, password: string): Promise<void>;
  stop(): Promise<void>;
}

const host = '127.0.0.1';
const readyWithinMs = 10_000;
/** slapd writes it once it has its port; so another program on that port is not taken for it. */
const pidFile = 'slapd.pid';
const logFile = 'slapd.log';
const programFolders = [
  '/usr/sbin',
  '/usr/lib/openldap',
  '/usr/libexec',
  '/usr/local/libexec',
  '/opt/homebrew/opt/openldap/libexec',
];
const schemaFolders = [
  '/etc/ldap/schema',
  '/etc/openldap/schema',
  '/usr/local/etc/openldap/schema',
  '/opt/homebrew/etc/openldap/schema',
];
const moduleFolders = ['/usr/lib/ldap', '/usr/lib/openldap', '/usr/lib64/openldap', '/usr/libexec/openldap'];
const toolFolders = ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/opt/openldap/sbin'];

interface Installation {
  readonly slapd: string;
  readonly slapadd: string;
  readonly coreSchema: string;
  /** Where the database is a module. */
  readonly modules: string | undefined;
}

const find = (folders: readonly string[], ...names: readonly string[]): string | undefined =>
  folders.flatMap((folder) => names.map((name) => join(folder, name))).find((path) => existsSync(path));

function installation(): Installation | undefined {
  const slapd = find(programFolders, 'slapd');
  const slapadd = find(toolFolders, 'slapadd');
  const coreSchema = find(schemaFolders, 'core.schema');
  const modules = moduleFolders.find((folder) => find([folder], 'back_mdb.so', 'back_mdb.la'));
  return slapd && slapadd && coreSchema ? { slapd, slapadd, coreSchema, modules } : undefined;
}

/** Whether OpenLDAP's server is installed on this machine. */
export const slapdAvailable = (): boolean => installation() !== undefined;

/** A suite that needs slapd; left out aloud without it, and with `CI=true` a failure. */
export const describeWithSlapd = (describe: Describe, title: string, body: () => void): void =>
  describeUnless(slapdAvailable() ? undefined : 'slapd is not installed (apt-get install slapd)', describe, title, body);

/**
 * Starts OpenLDAP's slapd with the entries and a schema like Active Directory's. Every account may read, anonymous
 * clients may not. It never outlives this process. Rejects with a StartError.
 */
export async function startSlapd(options: SlapdOptions): Promise<RunningSlapd> {
  const installed = installation();
  if (!installed) throw new StartError('start.notInstalled', 'slapd is not installed. On Debian: apt-get install slapd.');
  return onPort(options.port, (port) => startOn(port, installed, options));
}

async function startOn(port: number, installed: Installation, options: SlapdOptions): Promise<RunningSlapd> {
  const folder = await mkdtemp(join(tmpdir(), 'claimbridge-slapd-'));
  let server: GuardedProcess | undefined;
  try {
    const rootPassword = randomBytes(16).toString('hex');
    const { configuration, root } = await prepare(folder, installed, options, rootPassword);
    const url = `${options.tls?.implicit === true ? 'ldaps' : 'ldap'}://${options.host ?? host}:${port}`;
    const args = ['-d', 'stats', '-f', configuration, '-h', `${url}/`];
    server = new GuardedProcess({ program: installed.slapd, args, cwd: folder, env, stopSignal: 'TERM', removeAfter: folder });
    await untilListening(server, port, join(folder, pidFile));
    const running = server;
    return {
      url,
      port,
      async binds() {
        const log = await readFile(join(folder, logFile), 'utf8');
        return [...log.matchAll(/ RESULT tag=97 err=(\d+)/g)].map(([, code]) => Number(code));
      },
      async setPassword(dn, password) {
        const client = new Client({ url });
        try {
          await client.bind(root, rootPassword);
          const modification = new Attribute({ type: 'userPassword', values: [password] });
          await client.modify(dn, new Change({ operation: 'replace', modification }));
        } finally {
          await client.unbind();
        }
      },
      stop: () => running.stop(),
    };
  } catch (error) {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

const env: Readonly<Record<string, string>> = {
  PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
  LDAPNOINIT: '1',
};

async function prepare(
  folder: string,
  { slapadd, coreSchema, modules }: Installation,
  options: SlapdOptions,
  rootPassword: string,
): Promise<{ readonly configuration: string; readonly root: string }> {
  const records = withMemberOf(readLdif(options.ldif));
  const [first] = records;
  if (!first || !DistinguishedName.parse(first.dn)) throw new StartError('start.input', 'The LDIF has no entry to begin with.');
  const file = (name: string): string => join(folder, name);
  const suffix = first.dn.replaceAll('"', '\\"');
  const tls = await prepareTls(options.tls, file);
  const lines = [
    `include ${coreSchema}`,
    `include ${file('active-directory.schema')}`,
    ...(modules === undefined ? [] : [`modulepath ${modules}`, 'moduleload back_mdb']),
    `pidfile ${file(pidFile)}`,
    `logfile ${file(logFile)}`,
    ...tls,
    ...(options.directives ?? []),
    `sizelimit size.soft=${options.sizeLimit ?? 1_000} size.hard=${options.sizeLimit ?? 1_000} size.pr=${options.sizeLimit ?? 1_000} size.prtotal=unlimited`,
    'access to dn.base="" by * read',
    'access to attrs=userPassword by anonymous auth by * none',
    'access to * by users read by * none',
    'database mdb',
    `suffix "${suffix}"`,
    `rootdn "cn=root of the test,${suffix}"`,
    `rootpw ${rootPassword}`,
    `directory ${file('data')}`,
    'maxsize 268435456',
    'dbnosync',
    'index objectClass,sAMAccountName,userPrincipalName,objectSid,objectGUID,mail,employeeID,member eq',
    ...(options.databaseDirectives ?? []),
  ];
  await mkdir(file('data'), { mode: 0o700 });
  await writeFile(file('active-directory.schema'), activeDirectorySchema);
  await writeFile(file('slapd.conf'), `${lines.join('\n')}\n`);
  await writeFile(file('entries.ldif'), printLdif(records));
  await load(slapadd, ['-q', '-f', file('slapd.conf'), '-l', file('entries.ldif')], folder);
  return { configuration: file('slapd.conf'), root: `cn=root of the test,${first.dn}` };
}

async function prepareTls(tls: SlapdOptions['tls'], file: (name: string) => string): Promise<readonly string[]> {
  if (!tls) return [];
  const { key, cert, clientAuthority } = tls;
  const parts = { TLSCertificateFile: cert, TLSCertificateKeyFile: key, TLSCACertificateFile: clientAuthority };
  const lines = await Promise.all(
    Object.entries(parts).map(async ([directive, pem]) => {
      if (pem === undefined) return [];
      await writeFile(file(directive), pem, { mode: 0o600 });
      return [`${directive} ${file(directive)}`];
    }),
  );
  return [...lines.flat(), ...(clientAuthority === undefined ? [] : ['TLSVerifyClient demand'])];
}

function readLdif(ldif: string): readonly LdifRecord[] {
  try {
    return parseLdif(ldif);
  } catch (error) {
    if (error instanceof LdifError) throw new StartError('start.input', error.message);
    throw error;
  }
}

async function load(program: string, args: readonly string[], cwd: string): Promise<void> {
  const { code, stderr } = await runProgram(program, args, { cwd, env });
  if (code === undefined) throw new StartError('start.failed', 'slapadd could not be run.', stderr);
  if (code !== 0) throw new StartError('start.input', `slapd did not take the entries (slapadd, exit code ${code}).`, stderr);
}

async function untilListening(server: GuardedProcess, port: number, pid: string): Promise<void> {
  const giveUp = AbortSignal.timeout(readyWithinMs);
  while (server.running && !giveUp.aborted) {
    if (existsSync(pid) && (await accepts(port))) return;
    await sleep(10);
  }
  await server.stop();
  const { output } = await server.exited;
  const code = (await accepts(port)) || /errno=98|in use/i.test(output) ? 'start.port' : 'start.failed';
  throw new StartError(code, `slapd did not listen on port ${port}.`, output);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
