import {
  Source,
  notFound,
  unavailable,
  type LookupDescription,
  type LookupQuery,
  type Outcome,
  type ProbeResult,
  type Secrets,
  type Unavailable,
} from '#claims';
import type { ConnectorDependencies, ConnectorLog } from '../connector.js';
import { AddressPolicy } from './address-policy.js';
import { SecretHeader, anonymous, type Authorization, type Headers } from './authorization.js';
import { ClientCredentials, basic } from './client-credentials.js';
import { HttpClient, type HttpAnswer, type HttpRequest, type TlsFiles } from './http-client.js';
import type { HttpConfig, HttpLookup } from './http-config.js';
import { readAnswer } from './json-answer.js';
import { reasonOfStatus } from './status-reason.js';

type Answer = Extract<HttpAnswer, { kind: 'answer' }>;
type Sent = Omit<HttpRequest, 'headers'> & { readonly headers: Headers; readonly idempotent: boolean };

const ok = (status: number): boolean => status === 200;

/** A system that answers JSON over HTTP: each lookup is one request, its values encoded and never part of the syntax. */
export class HttpSource extends Source {
  override readonly lookups: ReadonlyMap<string, LookupDescription>;
  private readonly questions: ReadonlyMap<string, HttpLookup>;
  private readonly client: HttpClient;
  private readonly tokenClient: HttpClient | undefined;
  private readonly authorization: Authorization;
  private readonly log: ConnectorLog;
  private readonly missed = new Set<string>();

  constructor(
    override readonly name: string,
    private readonly config: HttpConfig,
    { secrets, log }: ConnectorDependencies,
  ) {
    super();
    this.questions = new Map(Object.entries(config.lookups));
    this.lookups = new Map([...this.questions].map(([key, { parameters, locate }]) => [key, { parameters, locate }]));
    this.client = httpClient(config, config.tls, secrets);
    this.tokenClient = config.auth.type === 'clientCredentials' ? httpClient(config, config.auth.tls, secrets) : undefined;
    this.authorization = authorization(config.auth, secrets, this.tokenClient);
    this.log = log;
  }

  override async fetch(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    const lookup = this.questions.get(query.lookup);
    if (!lookup) throw new Error(`${this.name} has no lookup ${query.lookup}`);
    const { method, headers, idempotent, template } = lookup.requests[query.locateRule ?? 0]!;
    const encoded = template.encode(query.parameters);
    if (this.client.isClosed) return unavailable('internal', 'the source is closed');
    if (signal.aborted) return unavailable('timeout');
    if (encoded === 'impossible') return notFound('noEntry');
    const { target, body } = encoded;
    const answer = await this.ask(
      {
        method,
        url: this.config.url + target,
        headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
        idempotent,
        ...(body !== undefined && { body }),
      },
      signal,
    );
    if (answer.kind === 'unavailable') return answer;
    if (answer.status === 200) return this.found(answer, lookup, query);
    return lookup.notFound.has(answer.status) ? notFound('noEntry') : statusFailure(answer.status, idempotent);
  }

  override async probe(signal: AbortSignal): Promise<ProbeResult> {
    const result = await this.look(signal);
    // A connection that the system had closed meanwhile says nothing of the system.
    return result.kind === 'down' && result.reason === 'connection' ? this.look(signal) : result;
  }

  override async close(): Promise<void> {
    await Promise.all([this.client.close(), this.tokenClient?.close()]);
  }

  /** Sends with the service's credentials, and once more with others where the system refuses these. */
  private async ask({ idempotent, ...sent }: Sent, signal: AbortSignal): Promise<Answer | Unavailable> {
    for (let attempt = 1; ; attempt++) {
      const credential = await this.authorization.current(signal);
      if (credential.kind === 'aborted') return unavailable('timeout', 'no token yet');
      if (credential.kind === 'failed') return unavailable(credential.reason, credential.detail);
      const headers = { accept: 'application/json', 'accept-encoding': 'identity', ...sent.headers, ...credential.headers };
      const answer = await this.client.send({ ...sent, headers }, ok, signal);
      if (answer.kind === 'aborted') return unavailable('timeout');
      if (answer.kind === 'failed') {
        // `connection` would have it asked again.
        const repeatable = idempotent || !answer.lost;
        return unavailable(repeatable ? answer.reason : 'timeout', answer.detail);
      }
      if (answer.status !== 401) return answer;
      this.authorization.refuse(credential.headers);
      if (attempt > 1) return statusFailure(401);
    }
  }

  private async look(signal: AbortSignal): Promise<ProbeResult> {
    const { probe, url } = this.config;
    const answer = probe
      ? await this.ask({ method: 'GET', url: url + probe.path, headers: {}, idempotent: true }, signal)
      : await this.knock(signal);
    if (answer.kind === 'unavailable') return { ...answer, kind: 'down' };
    const { status } = answer;
    const up = probe ? status >= 200 && status < 300 : status < 500;
    return up ? { kind: 'up' } : { ...probeFailure(status), kind: 'down' };
  }

  /** Whether somebody answers, without the service's credentials: what stands at the bare address may be anything. */
  private async knock(signal: AbortSignal): Promise<Answer | Unavailable> {
    if (this.client.isClosed) return unavailable('internal', 'the source is closed');
    const credential = await this.authorization.current(signal);
    if (credential.kind === 'aborted') return unavailable('timeout', 'no token yet');
    if (credential.kind === 'failed') return unavailable(credential.reason, credential.detail);
    const answer = await this.client.send({ method: 'HEAD', url: `${this.config.url}/`, headers: {} }, ok, signal);
    if (answer.kind === 'aborted') return unavailable('timeout');
    return answer.kind === 'failed' ? unavailable(answer.reason, answer.detail) : answer;
  }

  private found({ contentType, body }: Answer, { shape }: HttpLookup, { lookup, projection }: LookupQuery): Outcome {
    const known = new Set(Object.keys(shape.attributes).map((name) => name.toLowerCase()));
    for (const attribute of projection) if (!known.has(attribute.toLowerCase())) this.warnOfUnknown(lookup, attribute);
    return readAnswer(contentType, body, shape, projection);
  }

  /** An attribute that a mapping asks for and the lookup does not have is a mistake that would look like a person without a value. */
  private warnOfUnknown(lookup: string, attribute: string): void {
    const key = `${lookup}.${attribute.toLowerCase()}`;
    if (this.missed.has(key)) return;
    this.missed.add(key);
    this.log.warn({ source: this.name, lookup, attribute }, 'the lookup has no such attribute');
  }
}

/** @param idempotent whether the question may be sent again, which `connection` would have done */
function statusFailure(status: number, idempotent = true): Unavailable {
  const reason = reasonOfStatus(status);
  return unavailable(reason === 'connection' && !idempotent ? 'timeout' : reason, `status ${status}`);
}

/** A probe is the same question each time, about the system as a whole: one that fails in any way of its own does not work. */
function probeFailure(status: number): Unavailable {
  const { reason, detail } = statusFailure(status);
  return unavailable(status >= 500 && reason === 'refused' ? 'malformed' : reason, detail);
}

function httpClient(config: HttpConfig, tls: TlsFiles, secrets: Secrets): HttpClient {
  const { limits, maximumBytes } = config;
  return new HttpClient({
    connections: limits.concurrency,
    connectTimeout: limits.connect,
    maximumBytes,
    tls,
    addresses: new AddressPolicy(config),
    secrets,
  });
}

function authorization(auth: HttpConfig['auth'], secrets: Secrets, tokenClient: HttpClient | undefined): Authorization {
  switch (auth.type) {
    case 'none':
      return anonymous;
    case 'bearer':
      return new SecretHeader(secrets, auth.token, 'authorization', (token) => `Bearer ${token}`);
    case 'apiKey':
      return new SecretHeader(secrets, auth.key, auth.header, (key) => key);
    case 'basic':
      return new SecretHeader(secrets, auth.password, 'authorization', (password) => basic(auth.user, password), 'password');
    case 'clientCredentials':
      return new ClientCredentials(auth, tokenClient!, secrets);
  }
}
