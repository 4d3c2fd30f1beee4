import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GuardedProcess } from '../process/guarded-process.js';
import { runProgram } from '../process/run-program.js';
import { StartError } from '../process/start-error.js';
import { describeUnless, type Describe } from './needs-program.js';
import { copyOfDomain, sambaDomain, sambaEnv, sambaPrograms } from './samba-domain.js';
import { passwordChange, sambaEntries } from './samba-entries.js';
import { selfSigned } from './self-signed.js';

export interface SambaOptions {
  /**
   * The entries (RFC 2849) below `DC=corp,DC=example`, as for the other directories: groups name their `member`s, which may come later;
   * a `userPassword` in clear text becomes the account's password; `objectSid` and `objectGUID` are kept where they are given, else
   * Samba gives them; `userAccountControl`, `primaryGroupID`, `lockoutTime`, `accountExpires` and `pwdLastSet` are set as given.
   */
  readonly ldif: string;
  /** A simple bind needs TLS, as Active Directory with LDAP signing required; true by default. */
  readonly requireStrongAuth?: boolean;
}

export interface RunningSamba {
  /** An address of the loopback network that only this instance has: 389, 636, 3268 and 3269 are fixed. */
  readonly address: string;
  /** `ldap://address`, StartTLS offered. */
  readonly url: string;
  /** `ldaps://address` */
  readonly secureUrl: string;
  /** `ldap://address:3268` */
  readonly globalCatalogUrl: string;
  readonly baseDn: string;
  readonly domainSid: string;
  /** PEM of the authority of its certificate, which is for the address and for `dc1.corp.example`. */
  readonly ca: string;
  readonly administrator: { readonly dn: string; readonly password: string };
  /** The identifiers of an entry, as texts: `S-1-5-…` and `xxxxxxxx-xxxx-…`; rejects where there is no such entry. */
  identityOf(dn: string): Promise<{ readonly objectSid: string; readonly objectGuid: string }>;
  /** Change records (RFC 2849), done past every right and the server sees them at once; rejects where Samba refuses one. */
  modify(changes: string): Promise<void>;
  setPassword(dn: string, password: string): Promise<void>;
  stop(): Promise<void>;
}

const readyWithinMs = 30_000;
const attempts = 5;
const ldapPort = 389;
/** Samba opens its four ports one after the other; this one is the last. */
const lastPort = 3269;

function missing(): string | undefined {
  const absent = Object.values(sambaPrograms).find((program) => !existsSync(program));
  if (absent !== undefined)
    return `${absent} is not installed (apt-get install samba samba-dsdb-modules samba-ad-provision python3-samba ldb-tools)`;
  return process.getuid?.() === 0 ? undefined : 'a Samba domain controller needs root';
}

/** Whether a Samba domain controller can run here: it is installed, and we are root. */
export const sambaAvailable = (): boolean => missing() === undefined;

/** A suite that needs a Samba domain controller; left out aloud without one, and with `CI=true` a failure. */
export const describeWithSamba = (describe: Describe, title: string, body: () => void): void =>
  describeUnless(missing(), describe, title, body);

/**
 * Starts an Active Directory domain controller (Samba 4) of the throw-away domain corp.example with the entries, LDAP only. It never
 * outlives this process. Rejects with a StartError.
 */
export async function startSamba(options: SambaOptions): Promise<RunningSamba> {
  const remedy = missing();
  if (remedy !== undefined) throw new StartError('start.notInstalled', `Samba cannot be started: ${remedy}.`);
  const entries = sambaEntries(options.ldif);
  const folder = await mkdtemp(join(tmpdir(), 'claimbridge-samba-'));
  let server: GuardedProcess | undefined;
  try {
    await copyOfDomain(folder);
    const database = new SambaDatabase(folder);
    await database.load(sambaPrograms.ldbadd, entries.add);
    await database.load(sambaPrograms.ldbmodify, entries.modify);
    const address = await freeAddress();
    const { key, cert } = await selfSigned({ addresses: [address], names: [`${sambaDomain.host}.${sambaDomain.dnsName}`] });
    const configuration = await configure(folder, address, { key, cert, strongAuth: options.requireStrongAuth ?? true });
    server = new GuardedProcess({
      program: sambaPrograms.samba,
      args: ['--interactive', '--model=standard', `--configfile=${configuration}`, '--debug-stdout'],
      cwd: folder,
      env: sambaEnv,
      stopSignal: 'TERM',
      removeAfter: folder,
    });
    await untilListening(server, address);
    const running = server;
    return {
      address,
      url: `ldap://${address}`,
      secureUrl: `ldaps://${address}`,
      globalCatalogUrl: `ldap://${address}:3268`,
      baseDn: sambaDomain.baseDn,
      domainSid: sambaDomain.sid,
      ca: cert,
      administrator: sambaDomain.administrator,
      identityOf: (dn) => database.identityOf(dn),
      modify: (changes) => database.load(sambaPrograms.ldbmodify, changes),
      setPassword: (dn, password) => database.load(sambaPrograms.ldbmodify, passwordChange(dn, password)),
      stop: () => running.stop(),
    };
  } catch (error) {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** The files of a domain, which Samba's own tools read and write beside the running server. */
class SambaDatabase {
  readonly #folder: string;
  readonly #file: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.#file = join(folder, 'private', 'sam.ldb');
  }

  /** `relax` lets identifiers be given; without `batch_mode` the time grows with the square of the number of entries. */
  async load(program: string, ldif: string): Promise<void> {
    if (ldif === '') return;
    const { code, stderr } = await this.#run(program, ['-o', 'batch_mode:1', '--nosync', '--controls=relax:0'], ldif);
    if (code !== 0) throw new StartError('start.input', `Samba did not take the entries: ${stderr.trim()}`);
  }

  async identityOf(dn: string): Promise<{ readonly objectSid: string; readonly objectGuid: string }> {
    const { stdout } = await this.#run(sambaPrograms.ldbsearch, ['-s', 'base', '-b', dn, 'objectSid', 'objectGUID']);
    const [, objectSid] = /^objectSid: (S-[0-9-]+)$/m.exec(stdout) ?? [];
    const [, objectGuid] = /^objectGUID: ([0-9a-f-]{36})$/m.exec(stdout) ?? [];
    if (objectSid === undefined || objectGuid === undefined) throw new Error(`Samba has no account or group ${dn}.`);
    return { objectSid, objectGuid };
  }

  #run(program: string, args: readonly string[], input = ''): ReturnType<typeof runProgram> {
    return runProgram(program, ['-H', this.#file, ...args], { cwd: this.#folder, env: sambaEnv, input });
  }
}

async function configure(
  folder: string,
  address: string,
  { key, cert, strongAuth }: { readonly key: string; readonly cert: string; readonly strongAuth: boolean },
): Promise<string> {
  const file = (...names: readonly string[]): string => join(folder, ...names);
  const lines = [
    '[global]',
    `netbios name = ${sambaDomain.host.toUpperCase()}`,
    `realm = ${sambaDomain.dnsName.toUpperCase()}`,
    `workgroup = ${sambaDomain.netbiosName}`,
    'server role = active directory domain controller',
    'server services = ldap',
    'dcerpc endpoint servers =',
    `interfaces = ${address}/8`,
    'bind interfaces only = yes',
    `private dir = ${file('private')}`,
    `lock directory = ${folder}`,
    `state directory = ${file('state')}`,
    `cache directory = ${file('cache')}`,
    `pid directory = ${file('run')}`,
    `ncalrpc dir = ${file('run', 'ncalrpc')}`,
    `binddns dir = ${file('bind-dns')}`,
    `log file = ${file('log.samba')}`,
    'tls enabled = yes',
    `tls cafile = ${file('cert.pem')}`,
    `tls certfile = ${file('cert.pem')}`,
    `tls keyfile = ${file('key.pem')}`,
    `ldap server require strong auth = ${strongAuth ? 'yes' : 'no'}`,
  ];
  await mkdir(file('cache'), { recursive: true });
  await mkdir(file('run', 'ncalrpc'), { recursive: true });
  await writeFile(file('cert.pem'), cert);
  await writeFile(file('key.pem'), key, { mode: 0o600 });
  await writeFile(file('ldap.conf'), `${lines.join('\n')}\n`);
  return file('ldap.conf');
}

/** An address of 127.0.0.0/8 whose LDAP port nobody has. */
async function freeAddress(): Promise<string> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const address = `127.${randomInt(1, 255)}.${randomInt(0, 255)}.${randomInt(1, 255)}`;
    if (await canListen(address)) return address;
  }
  throw new StartError('start.port', `No address of the loopback network was found whose port ${ldapPort} is free.`);
}

function canListen(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(ldapPort, address, () => server.close(() => resolve(true)));
  });
}

async function untilListening(server: GuardedProcess, address: string): Promise<void> {
  const giveUp = AbortSignal.timeout(readyWithinMs);
  while (server.running && !giveUp.aborted) {
    if (await accepts(address)) return;
    await sleep(20);
  }
  await server.stop();
  throw new StartError('start.failed', `Samba did not listen on ${address}:${ldapPort}.`, (await server.exited).output);
}

function accepts(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(lastPort, address);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
