import type { Secrets } from '#claims';
import { RefusedCredentials } from '../refused-credentials.js';
import { settleOn } from '../settle-on.js';
import {
  credentialsHold,
  isHeaderValue,
  readSecret,
  refusedBefore,
  type Authorization,
  type Credential,
  type Headers,
} from './authorization.js';
import type { HttpAnswer, HttpClient } from './http-client.js';
import { parse } from './json-answer.js';
import { reasonOfStatus } from './status-reason.js';

export interface ClientCredentialsConfig {
  readonly tokenUrl: string;
  readonly clientId: string;
  /** By reference. */
  readonly clientSecret: string;
  readonly clientAuthentication: 'basic' | 'body';
  readonly scope?: string | undefined;
  /** Further parameters of the token request, such as `audience`. */
  readonly tokenParameters: Readonly<Record<string, string>>;
}

interface Token {
  readonly headers: Headers;
  /** Whose it is: a fresh token that the system refuses counts against it. */
  readonly secret: string;
  readonly fetchedAt: number;
  /** Later than it was where an early refresh failed. */
  refreshAt: number;
  readonly expiresAt: number;
}

type Fetched = Token | Extract<Credential, { kind: 'failed' }>;

/** The work of one token request belongs to no sign-in: it goes on when that one's time is over. */
const tokenTimeout = 10_000;

/** A token request that has no answer after this time may never have one: who comes then sends another and does not wait with it. */
const silence = 1_000;

/** RFC 6749 §5.1 only recommends that the server tells the lifetime. */
const unknownLifetime = 5 * 60_000;
const longestLifetime = 24 * 60 * 60_000;
const earliestRefresh = 5 * 60_000;

/** RFC 6749 §5.2: those that say that the service is not known, or not allowed what it asks. */
const refusals: ReadonlySet<unknown> = new Set(['invalid_client', 'unauthorized_client', 'invalid_grant', 'invalid_scope']);

/**
 * OAuth 2.0 client credentials (RFC 6749 §4.4). A token serves until shortly before its end; the next one is fetched in the
 * background, and by all who wait for it together.
 */
export class ClientCredentials implements Authorization {
  private readonly refused = new RefusedCredentials(credentialsHold);
  private token: Token | undefined;
  private fetching: { readonly since: number; readonly fetched: Promise<Fetched> } | undefined;

  constructor(
    private readonly config: ClientCredentialsConfig,
    private readonly client: HttpClient,
    private readonly secrets: Secrets,
  ) {}

  async current(signal: AbortSignal): Promise<Credential> {
    const now = performance.now();
    if (this.token && now < this.token.expiresAt) {
      if (now >= this.token.refreshAt) {
        this.token.refreshAt = now + credentialsHold;
        void this.fetch();
      }
      return { kind: 'headers', headers: this.token.headers };
    }
    const fetched = await settleOn(signal, this.fetch());
    if (fetched === 'aborted') return { kind: 'aborted' };
    return 'kind' in fetched ? fetched : { kind: 'headers', headers: fetched.headers };
  }

  refuse(headers: Headers): void {
    if (this.token?.headers !== headers) return;
    const { secret, fetchedAt } = this.token;
    if (performance.now() - fetchedAt < credentialsHold) this.refused.add(secret);
    this.token = undefined;
  }

  private fetch(): Promise<Fetched> {
    const since = performance.now();
    if (this.fetching && since - this.fetching.since < silence) return this.fetching.fetched;
    const request = this.request().finally(() => {
      if (this.fetching === fetching) this.fetching = undefined;
    });
    const fetched = request.then((token) => {
      if (!('kind' in token)) this.token = token;
      return token;
    });
    const fetching = { since, fetched };
    this.fetching = fetching;
    return fetched;
  }

  private async request(): Promise<Fetched> {
    const { tokenUrl, clientId, clientSecret, clientAuthentication, scope, tokenParameters } = this.config;
    const secret = await readSecret(this.secrets, clientSecret);
    if (!secret) return { kind: 'failed', reason: 'credentials', detail: 'the client’s secret cannot be read, or is empty' };
    if (this.refused.has(secret)) return refusedBefore;
    const form = new URLSearchParams({ grant_type: 'client_credentials', ...(scope && { scope }), ...tokenParameters });
    const headers: Record<string, string> = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' };
    if (clientAuthentication === 'basic') headers['authorization'] = basic(formEncoded(clientId), formEncoded(secret));
    else {
      form.set('client_id', clientId);
      form.set('client_secret', secret);
    }
    const sentAt = performance.now();
    const wanted = (status: number): boolean => status === 200 || status === 400 || status === 401;
    const answer = await this.client.send(
      { method: 'POST', url: tokenUrl, headers, body: form.toString() },
      wanted,
      AbortSignal.timeout(tokenTimeout),
    );
    const fetched = readToken(answer, secret, sentAt);
    if ('kind' in fetched && fetched.reason === 'credentials') this.refused.add(secret);
    return fetched;
  }
}

/** RFC 7617. */
export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;
}

/** As RFC 6749 §2.3.1 wants id and secret to be encoded before they become user and password. */
function formEncoded(text: string): string {
  return new URLSearchParams({ _: text }).toString().slice(2);
}

function readToken(answer: HttpAnswer, secret: string, sentAt: number): Fetched {
  const failed = (reason: Extract<Fetched, { kind: 'failed' }>['reason'], detail: string): Fetched => ({
    kind: 'failed',
    reason,
    detail: `token endpoint: ${detail}`,
  });
  if (answer.kind === 'aborted') return failed('timeout', 'no answer in time');
  if (answer.kind === 'failed') return failed(answer.reason, answer.detail);
  const { status } = answer;
  const document = parse(answer.body) as Record<string, unknown> | undefined | null;
  if (status !== 200) {
    const error = document?.['error'];
    if (status === 401 || refusals.has(error))
      return failed('credentials', refusals.has(error) ? (error as string) : `status ${status}`);
    return failed(status === 403 ? 'refused' : reasonOfStatus(status), `status ${status}`);
  }
  const { access_token: token, token_type: type, expires_in: seconds } = document ?? {};
  if (typeof token !== 'string' || !isHeaderValue(token) || typeof type !== 'string' || type.toLowerCase() !== 'bearer')
    return failed('malformed', 'no bearer token');
  const told = Number(seconds) * 1_000;
  const lifetime = Math.min(Number.isFinite(told) && told > 0 ? told : unknownLifetime, longestLifetime);
  return {
    headers: { authorization: `Bearer ${token}` },
    secret,
    fetchedAt: sentAt,
    refreshAt: sentAt + lifetime - Math.min(earliestRefresh, lifetime / 10),
    expiresAt: sentAt + lifetime,
  };
}
