import type { Secrets, UnavailableReason } from '#claims';
import type { ConnectorLog } from '../connector.js';
import { HostList } from '../host-list.js';
import { RefusedCredentials } from '../refused-credentials.js';
import type { LdapConfig, LdapServer } from './ldap-config.js';
import { LdapConnection } from './ldap-connection.js';
import { openSocket, type TlsTrust } from './ldap-socket.js';
import { resultName } from './result-codes.js';

export type Acquired =
  | { readonly kind: 'connection'; readonly connection: LdapConnection }
  | { readonly kind: 'failed'; readonly reason: UnavailableReason; readonly detail: string };

interface Held {
  readonly connection: LdapConnection;
  readonly server: LdapServer;
  /** Which one it is of all that were opened, from 1. */
  readonly ordinal: number;
}

/** ldapts' answers to 32 searches at once come no faster over more connections; two survive the loss of one. */
const connectionCount = 2;

/** A refused password may be offered again after this time: a few attempts an hour lock no account. */
const credentialsHold = 5 * 60_000;

/** After every server failed, operations are answered at once for this time instead of trying again one by one. */
const pause = 100;

type Failure = Extract<Acquired, { kind: 'failed' }>;

/**
 * The bound connections to one directory. At most one is being opened at any time, so at most one bind can be refused before
 * the refusal is known: result 49 is final for every server, until the secret changes or five minutes have passed.
 */
export class LdapConnections {
  private readonly servers: HostList<LdapServer>;
  private readonly refused = new RefusedCredentials(credentialsHold);
  private held: Held[] = [];
  private turn = 0;
  private openedCount = 0;
  private opening: Promise<Acquired> | undefined;
  private returning: Promise<void> | undefined;
  private lastFailure: { readonly failure: Failure; readonly until: number } | undefined;
  private readonly closing = new AbortController();

  constructor(
    private readonly name: string,
    private readonly config: LdapConfig,
    private readonly secrets: Secrets,
    private readonly log: ConnectorLog,
  ) {
    this.servers = new HostList(config.servers);
  }

  get isClosed(): boolean {
    return this.closing.signal.aborted;
  }

  /** The connections in use, for a probe of each. */
  get open(): readonly LdapConnection[] {
    return this.held.map(({ connection }) => connection);
  }

  /** How many connections have been opened so far. */
  get opened(): number {
    return this.openedCount;
  }

  /**
   * A bound connection; opening one takes no longer than the connect limit for each server.
   *
   * @param since where given, one that was opened after so many: whoever lost a connection is not sent to another that may have been
   * lost with it and does not know yet
   */
  async acquire(since = 0): Promise<Acquired> {
    if (this.isClosed) return { kind: 'failed', reason: 'internal', detail: 'the source is closed' };
    const usable = this.held.filter(({ connection }) => connection.isUsable);
    const fresh = usable.filter(({ ordinal }) => ordinal > since);
    const next = fresh[this.turn++ % Math.max(1, fresh.length)];
    if (!next) {
      const opened = await this.openOne();
      const [remaining] = usable;
      return opened.kind === 'failed' && remaining?.connection.isUsable
        ? { kind: 'connection', connection: remaining.connection }
        : opened;
    }
    if (usable.length < connectionCount) void this.openOne();
    else this.returnToPreferred(next.server);
    return { kind: 'connection', connection: next.connection };
  }

  close(): void {
    this.closing.abort();
    for (const { connection } of this.held) connection.close();
    this.held = [];
  }

  /**
   * Opens one, or waits for the one that is being opened. That one may have met the failure from which this caller comes, so where it
   * fails the caller is given another attempt.
   */
  private async openOne(): Promise<Acquired> {
    const underWay = await this.opening;
    if (underWay?.kind === 'connection' || underWay?.reason === 'credentials') return underWay;
    const { lastFailure } = this;
    if (!underWay && lastFailure && performance.now() < lastFailure.until) return lastFailure.failure;
    this.opening ??= this.tryAll().finally(() => (this.opening = undefined));
    return this.opening;
  }

  private async tryAll(): Promise<Acquired> {
    await this.returning;
    const result = await this.tryServers(this.servers.inOrder());
    this.lastFailure = result.kind === 'failed' ? { failure: result, until: performance.now() + pause } : undefined;
    return result;
  }

  private async tryServers(servers: readonly LdapServer[]): Promise<Acquired> {
    let failure: Failure = { kind: 'failed', reason: 'connection', detail: 'no server' };
    for (const server of servers) {
      const result = await this.openOn(server);
      if (result.kind === 'connection') return result;
      failure = result;
      if (result.reason === 'credentials' || this.isClosed) break;
      this.servers.failed(server);
    }
    return failure;
  }

  /** TCP, TLS and bind, all of it within the connect limit. */
  private async openOn(server: LdapServer): Promise<Acquired> {
    const secrets = await this.readSecrets();
    if ('kind' in secrets) return secrets;
    const signal = AbortSignal.any([this.closing.signal, AbortSignal.timeout(this.config.limits.connect)]);
    const opened = await openSocket(server, secrets.trust, signal);
    if (opened.kind === 'failed') return { kind: 'failed', reason: 'connection', detail: opened.detail };

    const connection: LdapConnection = new LdapConnection(opened.socket, (detail) => this.drop(connection, server, detail));
    const answer = await connection.bind(this.config.bind.dn, secrets.password, signal);
    if (answer.kind === 'result' && answer.code === 0 && !this.isClosed) {
      this.refused.clear();
      this.servers.works(server);
      this.held.push({ connection, server, ordinal: ++this.openedCount });
      return { kind: 'connection', connection };
    }
    connection.close();
    if (answer.kind !== 'result') return { kind: 'failed', reason: 'connection', detail: `${server.url}: bind ${answer.kind}` };
    const detail = `${server.url}: bind ${resultName(answer.code)}${activeDirectoryCode(answer.diagnostic)}`;
    if (answer.code === 49 || answer.code === 48) {
      this.refused.add(secrets.password);
      this.log.error(
        { source: this.name, detail },
        'the directory refuses the credentials; not tried again until they change, or for 5 minutes',
      );
      return { kind: 'failed', reason: 'credentials', detail };
    }
    return { kind: 'failed', reason: answer.code === 51 || answer.code === 52 ? 'connection' : 'refused', detail };
  }

  private async readSecrets(): Promise<{ readonly password: string; readonly trust: TlsTrust } | Failure> {
    const { bind, tls } = this.config;
    const failed = (reason: UnavailableReason, detail: string): Failure => ({ kind: 'failed', reason, detail });
    let password: string;
    try {
      password = await this.secrets.read(bind.password);
    } catch (error) {
      return failed('credentials', error instanceof Error ? error.message : 'the secret cannot be read');
    }
    // An empty password is an unauthenticated bind, which some servers answer with success (RFC 4513 §5.1.2).
    if (password === '') return failed('credentials', `${bind.password}: is empty`);
    if (this.refused.has(password)) return failed('credentials', 'refused before; not tried again yet');
    try {
      return { password, trust: { ca: tls.ca && (await this.secrets.read(tls.ca)), servername: tls.servername } };
    } catch (error) {
      return failed('connection', error instanceof Error ? error.message : 'the CA cannot be read');
    }
  }

  private drop(connection: LdapConnection, server: LdapServer, detail: string): void {
    const before = this.held.length;
    this.held = this.held.filter((held) => held.connection !== connection);
    if (this.held.length === before || this.isClosed) return;
    // One that stopped answering would be chosen again at once; one that was closed may have been idle.
    if (detail === 'silent') this.servers.failed(server);
    this.log.warn({ source: this.name, server: server.url, detail }, 'a directory connection ended');
  }

  /** Tries a preferred server in the background; when it takes a bind, the others' connections end with their last operation. */
  private returnToPreferred(current: LdapServer): void {
    if (this.opening || this.returning) return;
    const due = this.servers.takeDue(current);
    if (due.length === 0) return;
    const goBack = async (): Promise<void> => {
      const result = await this.tryServers(due);
      if (result.kind === 'failed') return;
      const preferred = this.held.find(({ connection }) => connection === result.connection)?.server;
      for (const { connection, server } of this.held) if (server !== preferred) connection.retire();
      this.log.warn({ source: this.name, server: preferred?.url }, 'back on a preferred server');
    };
    this.returning = goBack().finally(() => (this.returning = undefined));
  }
}

/** Active Directory says in hexadecimal why: 52e wrong password, 775 locked, 532 expired (System Error Codes). */
function activeDirectoryCode(diagnostic: string): string {
  const [, code] = /\bdata ([0-9a-f]{1,8})\b/i.exec(diagnostic) ?? [];
  return code === undefined ? '' : `, data ${code}`;
}
