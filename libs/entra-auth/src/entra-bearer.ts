import type { IncomingMessage } from 'node:http';
import BearerStrategy from 'passport-azure-ad/lib/bearerstrategy.js';
import { keysUnavailable, unauthenticated } from './entra-auth-error.js';
import { refused, type Refused, type VerifiedCaller } from './token-claims.js';
import type { TokenVerifier } from './token-verifier.js';

type Done = (error: unknown, user?: unknown, info?: unknown) => void;

/** An HTTP request of Node, or a framework's wrapper of one in `raw`. */
type BearerRequest = IncomingMessage | { readonly raw: IncomingMessage };

/** All that the base class gets to see of a request. */
interface BareRequest {
  readonly headers: { readonly authorization: string };
  readonly keyWaitMs?: number;
}

/**
 * passport-azure-ad's BearerStrategy with each defective step replaced (docs/adr/0003): the token comes from the Authorization header
 * only, no metadata are fetched by the library, and `TokenVerifier` verifies. Register it by @nestjs/passport:
 * `class EntraStrategy extends PassportStrategy(EntraBearer, 'entra') { validate(caller: VerifiedCaller) { return caller } }`.
 *
 * A refused token fails with an `EntraAuthError` as the challenge; keys that cannot be had are an error of status 503.
 */
export class EntraBearer extends BearerStrategy {
  private readonly verifier: TokenVerifier;

  constructor(options: { readonly verifier: TokenVerifier }, verify: (caller: VerifiedCaller, done: Done) => void) {
    // The base class insists on both; neither is used by the steps below.
    super({ clientID: 'unused', identityMetadata: 'https://unused.invalid/' }, verify);
    this.verifier = options.verifier;
  }

  /**
   * Who sends a request whose token was verified a short while ago: Entra sends the same one for an hour. Undefined decides nothing, and
   * `authenticate` does.
   */
  recall(request: BearerRequest): VerifiedCaller | undefined {
    const credentials = bearerToken('raw' in request ? request.raw : request);
    return credentials.kind === 'token' ? this.verifier.recall(credentials.token) : undefined;
  }

  /** @param options `keyWaitMs`: how long keys may be waited for */
  override authenticate(request: BearerRequest, options: { readonly keyWaitMs?: number } = {}): void {
    const credentials = bearerToken('raw' in request ? request.raw : request);
    if (credentials.kind === 'refused') return this.fail(unauthenticated(credentials), 401);
    const bare: BareRequest = { headers: { authorization: `Bearer ${credentials.token}` }, keyWaitMs: options.keyWaitMs };
    return super.authenticate(bare);
  }

  override loadMetadata(_parameters: object, next: (error: unknown, metadata?: object) => void): void {
    next(null, { oidc: { algorithms: ['RS256'] } });
  }

  override jwtVerify(request: BareRequest, token: string, _metadata: object, _options: object, done: Done): void {
    void this.conclude(request, token, done);
  }

  private async conclude(request: BareRequest, token: string, done: Done): Promise<void> {
    try {
      const verdict = await this.verifier.verify(token, request.keyWaitMs);
      if (verdict.kind === 'verified') this._verify(verdict.caller, done);
      else if (verdict.kind === 'refused') this.fail(unauthenticated(verdict), 401);
      else this.error(keysUnavailable(verdict.detail));
    } catch (defect) {
      this.error(defect);
    }
  }
}

const header = 'authorization';

/** RFC 6750 §2.1: exactly one Authorization header with the scheme Bearer. Node hides the second one, so the raw headers are counted. */
function bearerToken({ rawHeaders }: IncomingMessage): { readonly kind: 'token'; readonly token: string } | Refused {
  let value: string | undefined;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if (name.length !== header.length || name.toLowerCase() !== header) continue;
    if (value !== undefined) return refused('token.malformed', 'there is more than one Authorization header');
    value = rawHeaders[index + 1]!;
  }
  if (value === undefined) return refused('token.missing', 'there is no Authorization header');
  const token = /^bearer +([\w.~+/-]+=*)$/i.exec(value)?.[1];
  return token === undefined
    ? refused('token.malformed', 'the Authorization header has no bearer token')
    : { kind: 'token', token };
}
