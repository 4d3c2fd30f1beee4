import { X509Certificate } from 'node:crypto';
import type { Secrets, UnavailableReason } from '#claims';
import type { ConnectorLog } from '../connector.js';
import { settleOn } from '../settle-on.js';
import { explainRefusal, isServersOwn } from './bind-refusal.js';
import type { ConnectionConfig, LdapServer } from './connection-config.js';
import { LdapConnection, type Answer } from './ldap-connection.js';
import { openSocket } from './ldap-socket.js';
import type { NameService } from './name-service.js';
import type { RefusedAccount, RefusedAccounts } from './refused-accounts.js';
import { resultName } from './result-codes.js';

export interface Failure {
  readonly kind: 'failed';
  readonly reason: UnavailableReason;
  readonly detail: string;
  /** No other server is to be asked: it would be told the same, and count it. */
  readonly final?: true;
}

interface Credentials {
  /** What is refused, where the directory refuses. */
  readonly secret: string;
  readonly own: { readonly certificate: string; readonly key: string } | undefined;
  readonly ca: string | undefined;
}

/** After so long beyond the connect limit the answer to a bind is not to be expected any more. */
const overdueAfter = 10_000;

/** So much longer it is listened for: the server may have counted the bind all the same. */
const listenFor = 5 * 60_000;

/** To so many servers a secret is sent while they may still say what they think of it. */
const mostUnanswered = 2;

/** A bind that was given up without an answer. */
interface Unanswered {
  readonly url: string;
  readonly secret: string;
  /** It was offered because the server proved to be there, though what became of an earlier one is not known. */
  readonly again: boolean;
  isOverdue: boolean;
}

/** Opens connections on which the service is known to the directory: TCP, TLS and bind, or nothing. */
export class LdapLogin {
  private refusal: string | undefined;
  /** What was read last. */
  private current: string | undefined;
  /** The secret that a server accepted last and none refused since. */
  private proven: string | undefined;
  private readonly unanswered = new Set<Unanswered>();
  private readonly account: RefusedAccount;

  /** @param accounts what directories refused this and other sources */
  constructor(
    private readonly name: string,
    private readonly config: ConnectionConfig,
    private readonly secrets: Secrets,
    private readonly log: ConnectorLog,
    private readonly names: NameService,
    accounts: RefusedAccounts,
  ) {
    const { bind, discovery, servers } = config;
    const directory = discovery ? [discovery.domain] : servers.map(({ host }) => host);
    this.account = accounts.of(directory, bind.mechanism === 'simple' ? bind.dn : `certificate of ${name}`);
  }

  /** Why the directory refuses the service, in this source or in another that binds as the same account; nothing since it let it in. */
  get trouble(): string | undefined {
    return this.refusal ?? (this.current === undefined ? undefined : this.account.objectionTo(this.current));
  }

  /**
   * All of it within the connect limit. Secrets and certificates are read anew, so that rotated ones are used. A bind that has no answer
   * by then is heard out: until it is, its secret is not sent to this server again, and to one other at most while the answer may still
   * be expected. It is sent once more to a server that answers something else meanwhile, because the bind may have been lost on the way:
   * at once where a server accepted it before, and when the answer is overdue where none did.
   *
   * @param closing ends the attempt at any point
   * @param givingWay ends it as long as no bind is sent
   * @param onEnd called when a connection that was bound has ended
   */
  async open(
    server: LdapServer,
    { closing, givingWay }: { readonly closing: AbortSignal; readonly givingWay: AbortSignal | undefined },
    onEnd: (connection: LdapConnection, detail: string) => void,
  ): Promise<{ readonly kind: 'bound'; readonly connection: LdapConnection } | Failure> {
    const signal = AbortSignal.any([closing, AbortSignal.timeout(this.config.limits.connect)]);
    const untilBind = givingWay ? AbortSignal.any([signal, givingWay]) : signal;
    const credentials = await this.read();
    if ('kind' in credentials) return credentials;
    const { ca, own, secret } = credentials;
    const doubt = this.doubt(server, secret);
    const again = doubt !== undefined;
    if (again && !this.mayOfferAgain(server, secret)) return doubt;
    const trust = { ca, own, servername: this.config.tls.servername };
    const opened = await openSocket(server, trust, untilBind, this.names.lookup);
    if (opened.kind === 'failed') return this.failed(server, opened.detail, own?.certificate);

    let bound = false;
    const connection: LdapConnection = new LdapConnection(opened.socket, (detail) => {
      if (bound) onEnd(connection, detail);
    });
    // A bind that nobody answers holds the secret back. So none is sent where nothing has come, as by the handshake of TLS.
    const mustSpeak = again || (server.security === 'none' && secret !== this.proven);
    const spoken = mustSpeak ? await connection.whoAmI(untilBind) : undefined;
    const silent = spoken && spoken.kind !== 'result' ? spoken : undefined;
    const known = silent ?? (await this.knownAs(connection, server, untilBind));
    const binding = known ? Promise.resolve(known) : this.bind(connection, secret, untilBind.aborted ? untilBind : closing);
    const answer = await settleOn(signal, binding);
    if (answer === 'aborted') {
      void this.hearOut({ url: server.url, secret, again, isOverdue: false }, connection, binding);
      return this.failed(server, `${server.url}: bind: connect limit`, own?.certificate);
    }
    if (answer.kind === 'result' && answer.code === 0 && connection.isUsable && !closing.aborted) {
      this.accepted(secret);
      this.refusal = undefined;
      bound = true;
      return { kind: 'bound', connection };
    }
    connection.close();
    if (answer.kind === 'result' && answer.code !== 0) return this.refused(server.url, answer, secret);
    const detail = answer.kind === 'closed' ? answer.detail : answer.kind === 'aborted' ? 'connect limit' : 'unreadable answer';
    return this.failed(server, `${server.url}: bind: ${detail}`, own?.certificate);
  }

  /**
   * Active Directory knows the service by its certificate from the start of ldaps, and then takes no bind (MS-ADTS §5.1.1.2). Undefined
   * where a bind is needed.
   */
  private async knownAs(connection: LdapConnection, server: LdapServer, signal: AbortSignal): Promise<Answer | undefined> {
    if (this.config.bind.mechanism === 'simple' || server.security !== 'tls') return undefined;
    const known = await connection.whoAmI(signal);
    return known.kind !== 'result' || (known.code === 0 && isSomebody(known.value ?? '')) ? known : undefined;
  }

  private bind(connection: LdapConnection, secret: string, signal: AbortSignal): Promise<Answer> {
    const { bind } = this.config;
    return bind.mechanism === 'simple' ? connection.bind(bind.dn, secret, signal) : connection.bindByCertificate(signal);
  }

  /** Why a secret must not be sent to this server now: what became of it where it was sent before is not known. */
  private doubt({ url }: LdapServer, secret: string): Failure | undefined {
    const same = this.unansweredBy(secret);
    const failed: Failure = { kind: 'failed', reason: 'connection', detail: `${url}: an earlier bind has no answer yet` };
    if (same.filter(({ isOverdue }) => !isOverdue).length >= mostUnanswered) return { ...failed, final: true };
    return same.some((each) => each.url === url) ? failed : undefined;
  }

  private mayOfferAgain({ url }: LdapServer, secret: string): boolean {
    const same = this.unansweredBy(secret);
    if (same.some(({ again, isOverdue }) => again && !isOverdue)) return false;
    const [first, ...others] = same.filter((each) => each.url === url);
    return first !== undefined && others.length === 0 && (secret === this.proven || first.isOverdue);
  }

  private unansweredBy(secret: string): readonly Unanswered[] {
    return [...this.unanswered].filter((each) => each.secret === secret);
  }

  /** Waits on for the answer of a bind that was given up: it counts, however late. */
  private async hearOut(unanswered: Unanswered, connection: LdapConnection, binding: Promise<Answer>): Promise<void> {
    this.unanswered.add(unanswered);
    const { url, secret } = unanswered;
    const overdue = setTimeout(() => (unanswered.isOverdue = true), overdueAfter).unref();
    const listening = setTimeout(() => connection.close(), overdueAfter + listenFor).unref();
    const answer = await binding;
    clearTimeout(overdue);
    clearTimeout(listening);
    const isOpen = this.unanswered.delete(unanswered);
    connection.close();
    if (answer.kind !== 'result') return;
    if (answer.code === 0) this.accepted(secret);
    // Where the secret was accepted or replaced meanwhile it is nobody's concern any more.
    else if (isOpen && secret === this.current) this.refused(url, answer, secret);
  }

  /** What was lost on the way, or comes late, is of no concern any more. */
  private accepted(secret: string): void {
    this.account.accept(secret);
    this.proven = secret;
    for (const each of this.unansweredBy(secret)) this.unanswered.delete(each);
  }

  private refused(url: string, { code, diagnostic }: Extract<Answer, { kind: 'result' }>, secret: string): Failure {
    if (code === 51 || code === 52) return { kind: 'failed', reason: 'connection', detail: `${url}: bind ${resultName(code)}` };
    const detail = `${url}: bind ${explainRefusal(code, diagnostic)}`;
    if (code === 49 && isServersOwn(diagnostic)) return { kind: 'failed', reason: 'connection', detail };
    if (code !== 49 && code !== 48) return { kind: 'failed', reason: 'refused', detail };
    this.refusal = detail;
    if (this.proven === secret) this.proven = undefined;
    if (this.account.refuse(secret, detail))
      this.log.error(
        { source: this.name, detail, minutes: this.account.minutes(secret) },
        'the directory refuses the credentials; not tried again until they change, or for so many minutes',
      );
    return { kind: 'failed', reason: 'credentials', detail, final: true };
  }

  /** A server that does not want our certificate says so by an alert of TLS (RFC 8446 §6.2), or by nothing but its farewell. */
  private failed({ url }: LdapServer, detail: string, certificate: string | undefined): Failure {
    const alert = /ALERT_((?:BAD_|UNSUPPORTED_)?CERTIFICATE\w*|UNKNOWN_CA|ACCESS_DENIED)$/.exec(detail)?.[1];
    const end = certificate === undefined ? undefined : endOf(certificate);
    const over = end !== undefined && end.getTime() < Date.now();
    if (alert === undefined && !(over && /closed|ECONNRESET|EPIPE/.test(detail)))
      return { kind: 'failed', reason: 'connection', detail };
    const how = alert === undefined ? '' : ` (${alert.toLowerCase().replaceAll('_', ' ')})`;
    const remedy = over ? `: it ended ${end.toISOString()}; put a new one in its file` : '';
    this.refusal = `${url}: refuses the service’s certificate${how}${remedy}`;
    return { kind: 'failed', reason: 'credentials', detail: this.refusal };
  }

  private async read(): Promise<Credentials | Failure> {
    const { bind, tls } = this.config;
    const failed = (reason: UnavailableReason, detail: string): Failure => ({ kind: 'failed', reason, detail, final: true });
    const reading = async (reference: string | undefined): Promise<string | undefined> =>
      reference === undefined ? undefined : this.secrets.read(reference);
    let own: Credentials['own'];
    let secret: string;
    try {
      const [certificate, key] = [await reading(tls.certificate), await reading(tls.key)];
      own = certificate === undefined || key === undefined ? undefined : { certificate, key };
      secret = bind.mechanism === 'simple' ? await this.secrets.read(bind.password) : `${certificate}\0${key}`;
    } catch (error) {
      return failed('credentials', error instanceof Error ? error.message : 'the secret cannot be read');
    }
    if (bind.mechanism === 'simple') {
      // An empty password is an unauthenticated bind, which some servers answer with success (RFC 4513 §5.1.2).
      if (secret.trim() === '') return failed('credentials', `${bind.password}: is empty`);
      if (secret.includes('\0')) return failed('credentials', `${bind.password}: is not UTF-8 text`);
    }
    this.current = secret;
    const objection = this.account.objectionTo(secret);
    if (objection !== undefined) return failed('credentials', objection);
    try {
      return { secret, own, ca: await reading(tls.ca) };
    } catch (error) {
      return failed('connection', error instanceof Error ? error.message : 'the authorities cannot be read');
    }
  }
}

/**
 * An authzId that names an account. An empty one is nobody, and so is an empty distinguished name behind `dn:` (RFC 4513 §5.2.1.8,
 * RFC 4532 §2.2), which some servers write with a space.
 */
function isSomebody(authzId: string): boolean {
  return /^(?:dn:|u:)\s*\S/.test(authzId);
}

function endOf(pem: string): Date | undefined {
  try {
    return new Date(new X509Certificate(pem).validTo);
  } catch {
    return undefined;
  }
}
