import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { StartError } from '../process/start-error.js';
import { Directory } from './directory.js';
import type { FaultHook } from './fault.js';
import { LdifError } from './ldif.js';
import type { BindRequest, SearchRequest } from './messages.js';
import { preparedAsActiveDirectory, preparedText } from './prepared-text.js';
import { References } from './references.js';
import { Session, type SessionContext } from './session.js';

export interface DirectoryOptions {
  /** The entries (RFC 2849). Accounts have a `userPassword` in clear text; `memberOf` is worked out from `member`. */
  readonly ldif: string;
  /** A free port by default. */
  readonly port?: number;
  /** The address to listen on, 127.0.0.1 by default. */
  readonly host?: string;
  /** PEM. StartTLS is offered; with `implicit` the port speaks TLS from the first byte (ldaps). */
  readonly tls?: { readonly key: string; readonly cert: string; readonly implicit?: boolean };
  /** Entries of one answer or page, 1,000 by default, as Active Directory's MaxPageSize. */
  readonly sizeLimit?: number;
  /** Values of one attribute in one answer, 1,500 by default, as Active Directory's MaxValRange. */
  readonly valueRange?: number;
  /** Simple binds need TLS, as Active Directory with LDAP signing required; false by default. */
  readonly requireStrongAuth?: boolean;
  /** A connection is closed after so long without a request (Active Directory's MaxConnIdleTime: 15 minutes); never by default. */
  readonly idleTimeoutMs?: number;
  /** `é` equals `e`, in names too, as to Active Directory ([MS-ADTS] §6.5.1); false by default, as slapd and Samba have it. */
  readonly ignoreAccents?: boolean;
  /** Parts of the tree that another server has, as `ldap://other.example/DC=other,DC=example`. */
  readonly references?: readonly string[];
  /** Called for each search before it is done; a promise delays the answer, other operations go on meanwhile. */
  readonly onSearch?: FaultHook<SearchRequest>;
  /** Called for each bind before it is done. */
  readonly onBind?: FaultHook<BindRequest>;
}

export interface RunningDirectory {
  /** `ldap://host:port`, or `ldaps://` with implicit TLS. */
  readonly url: string;
  readonly port: number;
  /** Open connections now. */
  readonly connections: number;
  /** Connections accepted since the start. */
  readonly accepted: number;
  /** The binds since the start, by how they were answered: 0, or 49 where the credentials were refused. */
  readonly binds: readonly number[];
  /** Searches that were read since the start. */
  readonly searches: number;
  /** Abandon requests that were read since the start. */
  readonly abandons: number;
  /** From now on connections are accepted, TLS included, and requests wait for `resume`. */
  pause(): void;
  /** Answers what waits, and goes on. */
  resume(): void;
  /** Gives an account another password; who is bound stays so. Throws where there is no such account. */
  setPassword(dn: string, password: string): void;
  /** Serves other entries from now on. Throws a StartError. */
  load(ldif: string): void;
  /** Resets every open connection; new ones are accepted. */
  dropConnections(): void;
  /** Resets every open connection and stops listening. */
  stop(): Promise<void>;
}

/**
 * Starts a read-only LDAP v3 server in this process that behaves as Active Directory where clients depend on it: what a wrong password
 * is answered, no search before a bind, page and value limits, matching rules. Rejects with a StartError.
 */
export async function startDirectory(options: DirectoryOptions): Promise<RunningDirectory> {
  const { host = '127.0.0.1', port = 0, tls, sizeLimit = 1_000, valueRange = 1_500 } = options;
  const { onSearch = () => undefined, onBind = () => undefined, requireStrongAuth = false, idleTimeoutMs = 0 } = options;
  const counts = { accepted: 0, searches: 0, abandons: 0 };
  const binds: number[] = [];
  let directory = read(options.ldif, options.ignoreAccents);
  let paused = false;
  const secureContext = tls && createSecureContext({ key: tls.key, cert: tls.cert });
  const sessions = new Map<Socket, Session>();
  const context: SessionContext = {
    directory: () => directory,
    references: new References(options.references ?? []),
    requireStrongAuth,
    idleTimeoutMs,
    tls: secureContext,
    sizeLimit,
    valueRange,
    paused: () => paused,
    onSearch: (request) => {
      counts.searches += 1;
      return onSearch(request);
    },
    onBind,
    onBound: (code) => {
      binds.push(code);
    },
    onAbandon: () => {
      counts.abandons += 1;
    },
  };
  const server = createServer({ noDelay: true }, (socket) => {
    counts.accepted += 1;
    socket.once('close', () => sessions.delete(socket));
    const secured = tls?.implicit === true ? new TLSSocket(socket, { isServer: true, secureContext }) : socket;
    sessions.set(socket, new Session(secured, context));
  });
  const dropConnections = (): void => sessions.forEach((session) => session.drop());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new StartError('start.port', `The directory cannot listen on ${host}:${port}.`, error.message)),
    );
    server.listen(port, host, resolve);
  });
  const listening = (server.address() as AddressInfo).port;
  return {
    url: `${tls?.implicit === true ? 'ldaps' : 'ldap'}://${host.includes(':') ? `[${host}]` : host}:${listening}`,
    port: listening,
    get connections() {
      return sessions.size;
    },
    get accepted() {
      return counts.accepted;
    },
    get binds() {
      return [...binds];
    },
    get searches() {
      return counts.searches;
    },
    get abandons() {
      return counts.abandons;
    },
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      for (const session of sessions.values()) session.proceed();
    },
    setPassword: (dn, password) => directory.setPassword(dn, password),
    load(ldif) {
      directory = read(ldif, options.ignoreAccents);
    },
    dropConnections,
    async stop() {
      if (!server.listening) return;
      const closed = new Promise((resolve) => server.once('close', resolve));
      server.close();
      dropConnections();
      await closed;
    },
  };
}

function read(ldif: string, ignoreAccents = false): Directory {
  try {
    return new Directory(ldif, ignoreAccents ? preparedAsActiveDirectory : preparedText);
  } catch (error) {
    if (error instanceof LdifError) throw new StartError('start.input', error.message);
    throw error;
  }
}
