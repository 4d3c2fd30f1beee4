import { hash } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, errors, jwtVerify, type CryptoKey, type JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';
import type { KeyManager } from './key-manager.js';
import { judgeClaims, refused, type AcceptedClaims, type Refused, type VerifiedCaller } from './token-claims.js';
import type { TrustConfiguration } from './trust-configuration.js';

export type Verdict =
  | { readonly kind: 'verified'; readonly caller: VerifiedCaller }
  | Refused
  /** The keys to tell it by cannot be had now. `detail` is for the log. */
  | { readonly kind: 'unavailable'; readonly detail: string };

/** In characters. Entra's application tokens have about 1.5 KB. */
const maximumTokenLength = 16 * 1024;
const maximumKeyIdLength = 256;
const rememberedVerdicts = 1_000;
const longestVerdictMs = 5 * 60_000;

interface RememberedVerdict {
  readonly caller: VerifiedCaller;
  /** It counts from then, because a clock that was set back would make five minutes last for longer. */
  readonly at: number;
  readonly until: number;
}

/**
 * Whether a bearer token is from a trusted tenant, for us and from the right caller: RS256 by a key of the token's own issuer, and
 * every claim as the configuration has it. Positive verdicts are remembered for five minutes at most, never beyond the expiry.
 */
export class TokenVerifier {
  private readonly verdicts = new LRUCache<string, RememberedVerdict>({ max: rememberedVerdicts });

  /**
   * @param now milliseconds since the epoch
   * @throws Error where the configuration contradicts itself or has an issuer that the key manager does not know
   */
  constructor(
    private readonly trust: TrustConfiguration,
    private readonly keys: KeyManager,
    private readonly now: () => number = Date.now,
  ) {
    assertConsistent(trust, keys);
  }

  /** Whether every tenant has at least one issuer whose keys are held. */
  get ready(): boolean {
    return this.trust.tenants.every(({ issuers }) => issuers.some(({ issuer }) => this.keys.holds(issuer)));
  }

  /** Whose token it is, where it was verified a short while ago and that still counts. Says nothing of any other token. */
  recall(token: string): VerifiedCaller | undefined {
    return token.length > maximumTokenLength ? undefined : this.remembered(this.fingerprint(token));
  }

  /**
   * Never throws for anything a token may hold.
   * @param keyWaitMs how long to wait for keys that must be fetched; by default as long as a fetch may take
   */
  async verify(token: string, keyWaitMs?: number): Promise<Verdict> {
    if (token.length > maximumTokenLength) return refused('token.tooLarge', 'the token is larger than 16 KB');
    const fingerprint = this.fingerprint(token);
    const remembered = this.remembered(fingerprint);
    if (remembered) return { kind: 'verified', caller: remembered };

    const parsed = parse(token);
    if (parsed.kind === 'refused') return parsed;
    const claimed = this.judge(parsed.claims);
    if (claimed.kind === 'refused') return claimed;
    const answer = await this.keys.key(claimed.issuer, parsed.kid, keyWaitMs);
    if (answer.kind === 'unavailable') return answer;
    if (answer.kind === 'unknownKid') return refused('key.unknown', 'the issuer has no key of this id');
    const verified = await this.verifySignature(token, answer.key, claimed);
    if (verified.kind === 'refused') return verified;
    this.remember(fingerprint, verified.caller);
    return { kind: 'verified', caller: verified.caller };
  }

  /** Judges the claims a second time, on the bytes that were signed. */
  private async verifySignature(token: string, key: CryptoKey, claimed: AcceptedClaims): Promise<AcceptedClaims | Refused> {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ['RS256'],
        issuer: claimed.issuer,
        audience: claimed.audience,
        clockTolerance: this.trust.clockSkewSeconds ?? 60,
        currentDate: new Date(this.now()),
        requiredClaims: ['exp', 'iat'],
      });
      return this.judge(payload);
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed)
        return refused('token.signature', 'the signature does not hold');
      if (error instanceof errors.JWTExpired) return refused('token.expired', 'the token has expired');
      if (error instanceof errors.JOSEError) return refused('token.malformed', error.code);
      throw error;
    }
  }

  private judge(claims: JWTPayload): AcceptedClaims | Refused {
    return judgeClaims(claims, this.trust, this.now() / 1_000);
  }

  private fingerprint(token: string): string {
    return hash('sha256', `${this.trust.generation ?? 0}\n${token}`, 'base64');
  }

  private remembered(fingerprint: string): VerifiedCaller | undefined {
    const verdict = this.verdicts.get(fingerprint);
    if (!verdict) return undefined;
    const now = this.now();
    if (verdict.at <= now && now < verdict.until) return verdict.caller;
    this.verdicts.delete(fingerprint);
    return undefined;
  }

  private remember(fingerprint: string, caller: VerifiedCaller): void {
    const skewMs = (this.trust.clockSkewSeconds ?? 60) * 1_000;
    const at = this.now();
    const until = Math.min(caller.expiresAt.getTime() + skewMs, at + longestVerdictMs);
    this.verdicts.set(fingerprint, { caller, at, until });
  }
}

/** Reads header and claims of a token that nobody vouches for yet. */
function parse(token: string): { readonly kind: 'parsed'; readonly kid: string; readonly claims: JWTPayload } | Refused {
  if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) return refused('token.malformed', 'the token has not three parts');
  try {
    const { alg, kid, typ } = decodeProtectedHeader(token);
    if (alg !== 'RS256') return refused('token.algorithm', 'the algorithm is not RS256');
    if (typeof typ !== 'string' || !/^(JWT|(application\/)?at\+jwt)$/i.test(typ))
      return refused('token.type', 'the type is neither JWT nor at+jwt');
    if (typeof kid !== 'string' || kid === '' || kid.length > maximumKeyIdLength)
      return refused('key.missing', 'the header names no key');
    return { kind: 'parsed', kid, claims: decodeJwt(token) };
  } catch {
    return refused('token.malformed', 'header or claims cannot be read');
  }
}

function assertConsistent({ tenants, clockSkewSeconds = 0 }: TrustConfiguration, keys: KeyManager): void {
  if (!Number.isFinite(clockSkewSeconds) || clockSkewSeconds < 0) throw new Error('the clock skew must be 0 or more seconds');
  const audiences = new Set<string>();
  for (const tenant of tenants) {
    if (tenant.tenantId !== tenant.tenantId.toLowerCase()) throw new Error(`tenant ${tenant.alias}: the id is not in lower case`);
    if (tenant.audiences.length === 0) throw new Error(`tenant ${tenant.alias}: no audience`);
    if (tenant.issuers.length === 0) throw new Error(`tenant ${tenant.alias}: no issuer`);
    if (tenant.callers?.some((caller) => caller !== caller.toLowerCase()))
      throw new Error(`tenant ${tenant.alias}: a caller is not in lower case`);
    for (const { issuer } of tenant.issuers)
      if (!keys.knows(issuer)) throw new Error(`tenant ${tenant.alias}: the key manager does not know ${issuer}`);
    for (const audience of tenant.audiences) {
      const pair = `${tenant.tenantId} ${audience}`;
      if (audiences.has(pair)) throw new Error(`tenant ${tenant.alias}: another alias has the same tenant and audience`);
      audiences.add(pair);
    }
  }
}
