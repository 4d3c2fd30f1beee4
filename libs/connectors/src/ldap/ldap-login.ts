import { X509Certificate } from 'node:crypto';
import type { Secrets, UnavailableReason } from '#claims';
import type { ConnectorLog } from '../connector.js';
import { settleOn } from '../settle-on.js';
import { explainRefusal, isServersOwn } from './bind-refusal.js';
import type { ConnectionConfig, LdapServer } from './connection-config.js';
import { LdapConnection, type Answer } from './ldap-connection.js';
import { openSocket } from './ldap-socket.js';
import type { NameService } from './name-service.js';
import type { OfferedSecret, OfferedSecrets } from './offered-secrets.js';
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
  /** What is known of it. */
  readonly offered: OfferedSecret;
  readonly own: { readonly certificate: string; readonly key: string } | undefined;
  readonly ca: string | undefined;
}

/** How long the answer to a bind is waited for beyond the connect limit: it may be that the secret is wrong, which counts. */
const hearOutFor = 10_000;

/** So much longer it is listened for: it settles what is held back without it. */
const listenFor = 5 * 60_000;

/** Opens connections on which the service is known to the directory: TCP, TLS and bind, or nothing. */
export class LdapLogin {
  private refusal: string | undefined;
  /** What was read last. */
  private current: OfferedSecret | undefined;

  /** @param offered what is known of the secrets that this and other sources offered */
  constructor(
    private readonly name: string,
    private readonly config: ConnectionConfig,
    private readonly secrets: Secrets,
    private readonly log: ConnectorLog,
    private readonly names: NameService,
    private readonly offered: OfferedSecrets,
  ) {}

  /** Why the directory refuses the service, in this source or in another that binds as the same account; nothing since it let it in. */
  get trouble(): string | undefined {
    const objection = this.current?.objection;
    return this.refusal ?? (objection?.reason === 'credentials' ? objection.detail : undefined);
  }

  /**
   * All of it within the connect limit. Secrets and certificates are read anew, so that rotated ones are used. A bind that has no answer
   * by then is heard out: until it is, its secret is sent to nobody, or once more if it was accepted before.
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
    const { ca, own } = credentials;
    const trust = { ca, own, servername: this.config.tls.servername };
    const opened = await openSocket(server, trust, untilBind, this.names.lookup);
    if (opened.kind === 'failed') return this.failed(server, opened.detail, own?.certificate);

    let bound = false;
    const connection: LdapConnection = new LdapConnection(opened.socket, (detail) => {
      if (bound) onEnd(connection, detail);
    });
    const known = await this.knownAs(connection, server, untilBind);
    const answer = known ?? (await this.offer(server, connection, credentials, { closing, signal, untilBind }));
    if (answer === 'unanswered') return this.failed(server, `${server.url}: bind: connect limit`, own?.certificate);
    if (answer.kind === 'result' && answer.code === 0 && connection.isUsable && !closing.aborted) {
      this.refusal = undefined;
      bound = true;
      return { kind: 'bound', connection };
    }
    connection.close();
    if (answer.kind === 'failed') return answer;
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

  /** Binds, unless the secret must not be sent now. `unanswered` where the limit came first: the connection is then heard out. */
  private async offer(
    { url, security }: LdapServer,
    connection: LdapConnection,
    { offered, secret }: Credentials,
    {
      closing,
      signal,
      untilBind,
    }: { readonly closing: AbortSignal; readonly signal: AbortSignal; readonly untilBind: AbortSignal },
  ): Promise<Answer | Failure | 'unanswered'> {
    const turn = await offered.takeTurn(untilBind);
    if (turn === 'aborted') return { kind: 'aborted' };
    try {
      const objection = this.objection(offered);
      if (objection) return objection;
      // A bind that nobody answers holds the secret back. So none is sent where nothing has come, as by the handshake of TLS.
      const mustSpeak = offered.isInDoubt || (security === 'none' && !offered.wasAccepted);
      if (mustSpeak) {
        const spoken = await connection.whoAmI(untilBind);
        if (spoken.kind !== 'result') return spoken;
      }
      if (untilBind.aborted) return { kind: 'aborted' };
      const { bind } = this.config;
      const binding =
        bind.mechanism === 'simple' ? connection.bind(bind.dn, secret, closing) : connection.bindByCertificate(closing);
      const answer = await settleOn(signal, binding);
      if (answer === 'aborted') {
        void this.hearOut(url, connection, offered, binding);
        return 'unanswered';
      }
      // Before the turn ends: whoever waits for it is to know.
      return (answer.kind === 'result' && this.judge(url, answer, offered)) || answer;
    } finally {
      turn.end();
    }
  }

  /** Waits on for the answer of a bind that was given up: it counts, however late. */
  private async hearOut(
    url: string,
    connection: LdapConnection,
    offered: OfferedSecret,
    binding: Promise<Answer>,
  ): Promise<void> {
    const bind = offered.givenUp(url);
    const hearing = setTimeout(() => {
      if (bind.overdue())
        this.log.warn(
          { source: this.name, detail: `${url}: bind without an answer`, minutes: offered.minutes },
          'the directory may count the credentials as refused; not tried again until it answers, they change, or for so many minutes',
        );
    }, hearOutFor).unref();
    const listening = setTimeout(() => connection.close(), hearOutFor + listenFor).unref();
    const answer = await binding;
    clearTimeout(hearing);
    clearTimeout(listening);
    bind.settled();
    connection.close();
    if (answer.kind === 'result') this.judge(url, answer, offered);
  }

  /** What an answer says of the secret. Undefined where the service is let in. */
  private judge(url: string, answer: Extract<Answer, { kind: 'result' }>, offered: OfferedSecret): Failure | undefined {
    const { code, diagnostic } = answer;
    if (code === 0) {
      offered.accepted();
      return undefined;
    }
    if (code === 51 || code === 52) return { kind: 'failed', reason: 'connection', detail: `${url}: bind ${resultName(code)}` };
    const detail = `${url}: bind ${explainRefusal(code, diagnostic)}`;
    if (code === 49 && isServersOwn(diagnostic)) return { kind: 'failed', reason: 'connection', detail };
    if (code !== 49 && code !== 48) return { kind: 'failed', reason: 'refused', detail };
    const isNews = offered.refused(detail);
    // A late refusal of a secret that was replaced meanwhile is nobody's concern any more.
    if (offered === this.current) {
      this.refusal = detail;
      if (isNews)
        this.log.error(
          { source: this.name, detail, minutes: offered.minutes },
          'the directory refuses the credentials; not tried again until they change, or for so many minutes',
        );
    }
    return { kind: 'failed', reason: 'credentials', detail, final: true };
  }

  private objection(offered: OfferedSecret): Failure | undefined {
    const { objection } = offered;
    return objection && { kind: 'failed', ...objection, final: true };
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
    // A certificate is not shared: it locks no account, and one directory may know it where another does not.
    const offered = this.offered.of(bind.mechanism === 'simple' ? `dn:${bind.dn}` : `certificate of ${this.name}`, secret);
    this.current = offered;
    const objection = this.objection(offered);
    if (objection) return objection;
    try {
      return { secret, offered, own, ca: await reading(tls.ca) };
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
