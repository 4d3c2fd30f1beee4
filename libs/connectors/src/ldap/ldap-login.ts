import { X509Certificate } from 'node:crypto';
import type { Secrets, UnavailableReason } from '#claims';
import type { ConnectorLog } from '../connector.js';
import { growingHold, RefusedCredentials } from '../refused-credentials.js';
import { settleOn } from '../settle-on.js';
import { explainRefusal } from './bind-refusal.js';
import type { ConnectionConfig, LdapServer } from './connection-config.js';
import { LdapConnection, type Answer } from './ldap-connection.js';
import { openSocket } from './ldap-socket.js';
import type { NameService } from './name-service.js';
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

/** A refused secret may be offered again after this time, then after twice as much: a few attempts an hour. */
const firstHold = 5 * 60_000;
const longestHold = 60 * 60_000;

/** How long the answer to a bind is waited for beyond the connect limit: it may be that the secret is wrong, which counts. */
const hearOutFor = 10_000;

/** To so many servers a secret is sent while none has said what it thinks of it. */
const mostUnanswered = 2;

/** A bind that was given up without an answer. */
interface Unanswered {
  readonly url: string;
  readonly secret: string;
  /** It was offered because the server proved to be there, though what became of it where it was sent before is not known. */
  readonly again: boolean;
  /** A server has let the service in since: by this secret, so it is not known to be wrong, or by another, so it counts no more. */
  since?: 'accepted' | 'replaced';
}

/** Opens connections on which the service is known to the directory: TCP, TLS and bind, or nothing. */
export class LdapLogin {
  private readonly refused = new RefusedCredentials(growingHold(firstHold, longestHold));
  private refusal: string | undefined;
  /** The secret that a server accepted last and none refused since. */
  private proven: string | undefined;
  private readonly unanswered = new Set<Unanswered>();

  constructor(
    private readonly name: string,
    private readonly config: ConnectionConfig,
    private readonly secrets: Secrets,
    private readonly log: ConnectorLog,
    private readonly names: NameService,
  ) {}

  /** Why the directory refused the service the last time; nothing since it let the service in. */
  get trouble(): string | undefined {
    return this.refusal;
  }

  /**
   * All of it within the connect limit. Secrets and certificates are read anew, so that rotated ones are used. A bind that has no answer
   * by then is heard out: until it is, its secret is not sent to this server again, and to one other at most. One that was accepted
   * before is sent once more all the same, to a server that answers something else: the bind may have been lost on the way.
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
    if (again && !this.mayOfferAgain(secret)) return doubt;
    const trust = { ca, own, servername: this.config.tls.servername };
    const opened = await openSocket(server, trust, untilBind, this.names.lookup);
    if (opened.kind === 'failed') return this.failed(server, opened.detail, own?.certificate);

    let bound = false;
    const connection: LdapConnection = new LdapConnection(opened.socket, (detail) => {
      if (bound) onEnd(connection, detail);
    });
    if (again && (await connection.searchRoot(untilBind)).kind !== 'result') {
      connection.close();
      return doubt;
    }
    const known = await this.knownAs(connection, server, untilBind);
    const binding = known ? Promise.resolve(known) : this.bind(connection, secret, untilBind.aborted ? untilBind : closing);
    const answer = await settleOn(signal, binding);
    if (answer === 'aborted') {
      void this.hearOut({ url: server.url, secret, again }, connection, binding);
      return this.failed(server, `${server.url}: bind: connect limit`, own?.certificate);
    }
    if (answer.kind === 'result' && answer.code === 0 && connection.isUsable && !closing.aborted) {
      this.refused.clear();
      this.refusal = undefined;
      this.proven = secret;
      for (const each of this.unanswered) each.since = each.secret === secret ? 'accepted' : 'replaced';
      bound = true;
      return { kind: 'bound', connection };
    }
    connection.close();
    if (answer.kind === 'result' && answer.code !== 0) return this.answered(server.url, answer, secret);
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

  /** Why a secret must not be sent to this server now: what became of it where it was sent last is not known yet. */
  private doubt({ url }: LdapServer, secret: string): Failure | undefined {
    const same = [...this.unanswered].filter((each) => each.secret === secret);
    const failed: Failure = { kind: 'failed', reason: 'connection', detail: `${url}: an earlier bind has no answer yet` };
    if (same.filter(({ since }) => since === undefined).length >= mostUnanswered) return { ...failed, final: true };
    return same.some((each) => each.url === url) ? failed : undefined;
  }

  /** At most one bind more than is sent without it may be refused: the directory may have taken another secret since. */
  private mayOfferAgain(secret: string): boolean {
    return secret === this.proven && ![...this.unanswered].some((each) => each.secret === secret && each.again);
  }

  /** Waits on for the answer of a bind that was given up: a refusal counts, however late. */
  private async hearOut(unanswered: Unanswered, connection: LdapConnection, binding: Promise<Answer>): Promise<void> {
    this.unanswered.add(unanswered);
    const timer = setTimeout(() => connection.close(), hearOutFor).unref();
    const answer = await binding;
    clearTimeout(timer);
    this.unanswered.delete(unanswered);
    connection.close();
    const { url, secret, since } = unanswered;
    if (answer.kind === 'result' && answer.code !== 0 && since !== 'replaced') this.answered(url, answer, secret);
  }

  private answered(url: string, answer: Extract<Answer, { kind: 'result' }>, secret: string): Failure {
    const { code } = answer;
    if (code === 51 || code === 52) return { kind: 'failed', reason: 'connection', detail: `${url}: bind ${resultName(code)}` };
    const detail = `${url}: bind ${explainRefusal(code, answer.diagnostic)}`;
    if (code !== 49 && code !== 48) return { kind: 'failed', reason: 'refused', detail };
    this.refusal = detail;
    if (this.proven === secret) this.proven = undefined;
    // Two binds that were given up may both be refused late; that is one refusal.
    if (!this.refused.has(secret)) {
      this.refused.add(secret);
      this.log.error(
        { source: this.name, detail, minutes: this.minutes(secret) },
        'the directory refuses the credentials; not tried again until they change, or for so many minutes',
      );
    }
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
    if (this.refused.has(secret))
      return failed('credentials', `${this.refusal}; not tried again until it changes, or for ${this.minutes(secret)} minutes`);
    try {
      return { secret, own, ca: await reading(tls.ca) };
    } catch (error) {
      return failed('connection', error instanceof Error ? error.message : 'the authorities cannot be read');
    }
  }

  private minutes(secret: string): number {
    return Math.ceil(this.refused.remaining(secret) / 60_000);
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
