import type { ProbeResult, Secrets } from '#claims';
import type { ConnectorLog } from '../connector.js';
import { HostList } from '../host-list.js';
import { settleOn } from '../settle-on.js';
import type { ConnectionConfig, LdapServer } from './connection-config.js';
import { Doubts } from './doubts.js';
import { everything } from './filters.js';
import { HeldConnections } from './held-connections.js';
import { serverTimeLimit, type LdapConnection, type Suspicion } from './ldap-connection.js';
import { LdapLogin, type Failure } from './ldap-login.js';
import { Liveness } from './liveness.js';
import { NameService } from './name-service.js';
import type { RefusedAccounts } from './refused-accounts.js';
import { isServerTrouble, isSessionTrouble, resultName, searchFailure } from './result-codes.js';
import { ServerDiscovery } from './server-discovery.js';

export type Acquired = { readonly kind: 'connection'; readonly connection: LdapConnection } | Failure;

/**
 * After every server failed, operations are answered at once for this time, and longer each time, instead of trying one by one. A bind
 * that was refused may have been counted against the account, whatever the code.
 */
const pause = { first: 100, longest: 1_000, longestRefused: 15_000 };

/** A connection that ended is replaced within this time where no search needs it sooner; not by all replicas at the same moment. */
const replaceWithin = 500;

/** Connections are given up again for the same answer after so long: a lookup that is wrong must not cause a bind for each sign-in. */
const doubtFor = { session: 60_000, server: 4_000 };

/**
 * The bound connections to one directory. At most one is being opened at any time, so at most one bind can be refused before
 * the refusal is known: refused credentials are final for every server, until they change or their time has passed.
 */
export class LdapConnections {
  private readonly servers: HostList<LdapServer>;
  private readonly names: NameService;
  private readonly discovery: ServerDiscovery | undefined;
  private readonly login: LdapLogin;
  private readonly doubtedSessions = new Doubts<LdapServer>(doubtFor.session);
  private readonly doubtedServers = new Doubts<LdapServer>(doubtFor.server);
  private readonly held: HeldConnections;
  private failedRounds = 0;
  private opening: Promise<Acquired> | undefined;
  private returning: { readonly done: Promise<void>; readonly giveWay: () => void } | undefined;
  private replacing: NodeJS.Timeout | undefined;
  private lastFailure: { readonly failure: Failure; readonly until: number } | undefined;
  private readonly closing = new AbortController();

  /** @param base where sign-ins search; a server that does not answer there is no better than the present one */
  constructor(
    private readonly name: string,
    private readonly config: ConnectionConfig,
    secrets: Secrets,
    private readonly log: ConnectorLog,
    accounts: RefusedAccounts,
    private readonly base = '',
  ) {
    const { servers, discovery, limits, connections } = config;
    this.held = new HeldConnections(connections.count);
    this.servers = new HostList(servers);
    this.names = new NameService(discovery?.dns, limits.connect / 8);
    this.discovery = discovery && new ServerDiscovery(name, discovery, this.names, log, (listed) => this.servers.replace(listed));
    this.login = new LdapLogin(name, config, secrets, log, this.names, accounts);
  }

  get isClosed(): boolean {
    return this.closing.signal.aborted;
  }

  /**
   * The bound connection with the fewest operations; opening one takes no longer than the connect limit for each server.
   *
   * @param lost where given, one that was opened after this one was lost or given up: whoever lost it is not sent to another that may
   * have been lost with it and does not know yet, unless no other can be had
   */
  acquire(lost?: LdapConnection): Acquired | Promise<Acquired> {
    if (this.isClosed) return { kind: 'failed', reason: 'internal', detail: 'the source is closed' };
    const next = this.held.next(lost);
    if (!next) return this.acquireNew(lost);
    if (this.held.isShort) void this.openInBackground();
    else this.returnToPreferred(next.server);
    return { kind: 'connection', connection: next.connection };
  }

  private async acquireNew(lost: LdapConnection | undefined): Promise<Acquired> {
    const opening = this.openOne();
    // After an attempt failed, a doubted connection is all there is: a sign-in does not wait for the next one.
    const waiting = lost === undefined && this.lastFailure && this.held.lastResort();
    if (waiting) return { kind: 'connection', connection: waiting.connection };
    const opened = await opening;
    const remaining = opened.kind === 'failed' ? this.held.lastResort() : undefined;
    return remaining ? { kind: 'connection', connection: remaining.connection } : opened;
  }

  /** Asks on every connection, so that none is silent for longer than the probes; opens one where there is none, without a pause. */
  async probe(signal: AbortSignal): Promise<ProbeResult> {
    this.lastFailure = undefined;
    const acquired = await settleOn(signal, Promise.resolve(this.acquire()));
    if (acquired === 'aborted') return { kind: 'down', reason: 'timeout' };
    if (acquired.kind === 'failed') return { kind: 'down', reason: acquired.reason, detail: acquired.detail };
    const connections = new Set([acquired.connection, ...this.held.all.map(({ connection }) => connection)]);
    const answers = await Promise.all([...connections].map((each) => each.searchRoot(signal)));
    const { trouble } = this.login;
    if (answers.some((answer) => answer.kind === 'result' && answer.code === 0))
      return trouble === undefined ? { kind: 'up' } : { kind: 'up', warning: { reason: 'credentials', detail: trouble } };
    const [answer] = answers;
    if (answer?.kind === 'result') return { kind: 'down', reason: searchFailure(answer.code), detail: resultName(answer.code) };
    return {
      kind: 'down',
      reason: answer?.kind === 'closed' ? 'connection' : answer?.kind === 'malformed' ? 'malformed' : 'timeout',
    };
  }

  /**
   * Gives a connection up for the result code of a search, by which its session or its server is of no use; it ends when another is open
   * in its place. False where it stays: the same was answered before, over others, so the search is to blame, or no server is better, or
   * none can be reached.
   */
  giveUp(connection: LdapConnection, code: number): boolean {
    const held = this.held.of(connection);
    if (!held || !connection.isUsable) return true;
    if (this.held.isDoubted(connection)) return this.lastFailure === undefined;
    const { server, ordinal } = held;
    const begun = this.held.opened + (this.opening || this.returning ? 1 : 0);
    if (isSessionTrouble(code)) {
      if (!this.doubtedSessions.add(server, ordinal, begun)) return false;
    } else {
      const isNew = this.doubtedServers.add(server, ordinal, begun);
      if (!isNew && this.servers.inOrder().every((each) => this.doubtedServers.has(each))) return false;
      this.servers.failed(server);
    }
    this.held.doubt(connection, resultName(code));
    return true;
  }

  close(): void {
    this.closing.abort();
    this.discovery?.close();
    clearTimeout(this.replacing);
    for (const { connection } of this.held.all) connection.close();
  }

  /**
   * Opens one, or waits for the one that is being opened. That one may have met the failure from which this caller comes, so where it
   * was the first that failed, those who waited are given one more attempt together, and only where no server refused. Everybody else
   * waits until the pause is over.
   */
  private async openOne(): Promise<Acquired> {
    const underWay = await this.opening;
    const secondIsFree = underWay?.kind === 'failed' && underWay.reason === 'connection' && this.failedRounds === 1;
    if (underWay && !secondIsFree) return underWay;
    if (!underWay && this.lastFailure && performance.now() < this.lastFailure.until) return this.lastFailure.failure;
    this.opening ??= this.tryAll().finally(() => (this.opening = undefined));
    return this.opening;
  }

  /** Never a second attempt: nobody waits for it. */
  private openInBackground(): Promise<Acquired> {
    return this.opening ?? this.openOne();
  }

  private async tryAll(): Promise<Acquired> {
    // Whoever needs a connection does not wait for a better server. A bind that is sent is waited for: there is only one at a time.
    this.returning?.giveWay();
    await this.returning?.done;
    const result = (await this.findServers()) ?? (await this.tryServers(this.servers.inOrder()));
    if (result.kind === 'connection') {
      this.failedRounds = 0;
      this.lastFailure = undefined;
    } else {
      const most = result.reason === 'refused' ? pause.longestRefused : pause.longest;
      const longest = Math.min(most, pause.first * 2 ** this.failedRounds++);
      this.lastFailure = { failure: result, until: performance.now() + longest * (0.5 + Math.random() / 2) };
      // The list may name servers that are no more.
      void this.discovery?.refresh();
    }
    return result;
  }

  /** Waits for the first list of DNS, where servers are found there. */
  private async findServers(): Promise<Failure | undefined> {
    if (!this.discovery) return undefined;
    const limit = AbortSignal.any([this.closing.signal, AbortSignal.timeout(this.config.limits.connect)]);
    const listed = await settleOn(limit, this.discovery.list());
    if (listed === 'aborted') return { kind: 'failed', reason: 'connection', detail: 'DNS does not answer' };
    return listed.kind === 'failed' ? { kind: 'failed', reason: 'connection', detail: listed.detail } : undefined;
  }

  /** @param givingWay for a trial: nobody waits for it, so it ends with this, and a server that only binds is none */
  private async tryServers(servers: readonly LdapServer[], givingWay?: AbortSignal): Promise<Acquired> {
    let failure: Failure = { kind: 'failed', reason: 'connection', detail: 'no server' };
    for (const server of servers) {
      const result = await this.login.open(server, { closing: this.closing.signal, givingWay }, (connection, detail) =>
        this.drop(connection, server, detail),
      );
      if (result.kind === 'bound' && (!givingWay || (await this.answersSearches(result.connection, givingWay))))
        return this.hold(result.connection, server);
      if (result.kind === 'bound') result.connection.close();
      else failure = result;
      if (('final' in result && result.final) || this.isClosed || givingWay?.aborted) break;
      this.servers.failed(server);
    }
    return failure;
  }

  /** Whether a search has an answer in time where those of sign-ins begin, whatever it is. */
  private async answersSearches(connection: LdapConnection, givingWay: AbortSignal): Promise<boolean> {
    const { operation } = this.config.limits;
    const answer = await connection.search(
      {
        base: this.base,
        scope: 'base',
        filter: everything,
        attributes: ['1.1'],
        sizeLimit: 1,
        timeLimit: serverTimeLimit(operation),
      },
      AbortSignal.any([givingWay, this.closing.signal, AbortSignal.timeout(operation)]),
    );
    return answer.kind === 'result' && !isSessionTrouble(answer.code) && !isServerTrouble(answer.code) && connection.isUsable;
  }

  private hold(connection: LdapConnection, server: LdapServer): Acquired {
    this.servers.works(server);
    void this.names.remember(this.servers.inOrder().map(({ host }) => host));
    const limits = { keepAlive: this.config.connections.keepAlive, operation: this.config.limits.operation };
    const liveness = new Liveness(connection, limits, (suspicion) => this.suspect(connection, server, suspicion));
    this.held.add({ connection, server, liveness });
    return { kind: 'connection', connection };
  }

  /** Nothing comes any more, or too late. */
  private suspect(connection: LdapConnection, server: LdapServer, suspicion: Suspicion): void {
    // It would be chosen again at once.
    this.servers.failed(server);
    // One that is dead holds up those who wait for it, but none can take its place while the directory refuses us.
    if (suspicion === 'silent' && this.login.trouble === undefined) return connection.close(suspicion);
    this.held.doubt(connection, suspicion);
    this.replaceSoon();
  }

  private drop(connection: LdapConnection, server: LdapServer, detail: string): void {
    const ended = this.held.of(connection);
    if (!ended) return;
    this.held.remove(ended);
    if (this.isClosed) return;
    this.log.warn({ source: this.name, server: server.url, detail }, 'a directory connection ended');
    this.replaceSoon();
  }

  /**
   * So that the next search need not wait for it. What fails is tried again in a while, except with refused credentials: whether
   * they have changed is for a search or a probe to see.
   */
  private replaceSoon(delay = replaceWithin * Math.random()): void {
    this.replacing ??= setTimeout(() => void this.replace(), delay).unref();
  }

  private async replace(): Promise<void> {
    this.replacing = undefined;
    if (this.isClosed || !this.held.isShort) return;
    const opened = await this.openInBackground();
    if (opened.kind === 'connection') this.replaceSoon();
    else if (opened.reason !== 'credentials') this.replaceSoon(pause.longest * (1 + Math.random()));
  }

  /** Tries a better server in the background; when it answers there, the others' connections end with their last operation. */
  private returnToPreferred(current: LdapServer): void {
    if (this.opening || this.returning) return;
    const better = this.servers.takeBetter(current);
    if (better.length === 0) return;
    const giveWay = new AbortController();
    const goBack = async (): Promise<void> => {
      const result = await this.tryServers(better, giveWay.signal);
      if (result.kind === 'failed') return;
      const preferred = this.held.of(result.connection)?.server;
      for (const { connection, server } of this.held.all) if (server !== preferred) this.held.retire(connection);
      this.log.warn({ source: this.name, server: preferred?.url }, 'on a preferred server again');
    };
    const done = goBack().finally(() => (this.returning = undefined));
    this.returning = { done, giveWay: () => giveWay.abort() };
  }
}
