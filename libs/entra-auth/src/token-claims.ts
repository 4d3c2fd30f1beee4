import type { JWTPayload } from 'jose';
import { tokenVersionOf, type TokenVersion, type TrustConfiguration, type TrustedTenant } from './trust-configuration.js';

/** Why a token is not accepted. Stable: they are in logs and metrics, never in an answer. */
export type RefusalCode =
  | 'token.missing'
  | 'token.malformed'
  | 'token.tooLarge'
  | 'token.algorithm'
  | 'token.type'
  | 'token.signature'
  | 'token.expired'
  | 'token.notYetValid'
  | 'token.lifetime'
  | 'token.issuer'
  | 'token.audience'
  | 'token.tenant'
  | 'token.version'
  | 'token.caller'
  | 'key.missing'
  | 'key.unknown';

export interface Refused {
  readonly kind: 'refused';
  readonly code: RefusalCode;
  /** For the log. Says which rule was broken and quotes nothing of the token. */
  readonly detail: string;
}

export const refused = (code: RefusalCode, detail: string): Refused => ({ kind: 'refused', code, detail });

/** Who calls, by a token that was verified. */
export interface VerifiedCaller {
  /** The alias of the tenant in the configuration. */
  readonly tenant: string;
  /** `tid`, in lower case. */
  readonly tenantId: string;
  /** The calling application: `azp` (2.0) or `appid` (1.0), in lower case. */
  readonly appId: string;
  /** `oid`: the caller's object in its tenant. */
  readonly objectId?: string;
  /** `name`, else `preferred_username`: how the directory calls a user. For people to read, never to decide by. */
  readonly name?: string;
  readonly version: TokenVersion;
  /** `scp`: what a user let the application do; empty where no user is involved. */
  readonly scopes: readonly string[];
  /** `roles`: the app roles granted to the user, or to the application where no user is involved. */
  readonly roles: readonly string[];
  /** Whether the application acts for a user. */
  readonly delegated: boolean;
  readonly expiresAt: Date;
}

/** Claims that hold if the signature does. `issuer` says whose key must have signed. */
export interface AcceptedClaims {
  readonly kind: 'accepted';
  readonly issuer: string;
  readonly audience: string;
  readonly caller: VerifiedCaller;
}

/**
 * Access tokens live 60 to 90 minutes, and up to a day by policy or for managed identities.
 * https://learn.microsoft.com/entra/identity-platform/configurable-token-lifetimes
 */
const maximumLifetimeSeconds = 25 * 60 * 60;

/**
 * Judges the claims alone, the signature not: issuer, tenant, audience, version, caller and lifetime, by the rules of
 * https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-tokens.
 * @param now seconds since the epoch
 */
export function judgeClaims(claims: JWTPayload, trust: TrustConfiguration, now: number): AcceptedClaims | Refused {
  const place = tenantOf(claims, trust.tenants);
  if (place.kind === 'refused') return place;
  const time = judgeTimes(claims, now, trust.clockSkewSeconds ?? 60);
  if (time.kind === 'refused') return time;
  const caller = callingApplication(claims, place.tenant, place.version);
  if (caller.kind === 'refused') return caller;
  const { scp, roles = [], oid } = claims;
  if ((scp !== undefined && typeof scp !== 'string') || !isTexts(roles) || (oid !== undefined && typeof oid !== 'string'))
    return refused('token.malformed', 'scp, roles or oid are not of their type');
  if (scp !== undefined && claims['idtyp'] === 'app')
    return refused('token.malformed', 'the token says that it is an application’s and that a user consented');
  const name = [claims['name'], claims['preferred_username']].find(isReadableName);
  return {
    kind: 'accepted',
    issuer: place.issuer,
    audience: place.audience,
    caller: {
      tenant: place.tenant.alias,
      tenantId: place.tenant.tenantId,
      appId: caller.appId,
      ...(oid !== undefined && { objectId: oid }),
      ...(name !== undefined && { name }),
      version: caller.version,
      scopes: scp?.split(' ').filter((scope) => scope !== '') ?? [],
      roles,
      delegated: scp !== undefined,
      expiresAt: new Date(time.exp * 1_000),
    },
  };
}

function isReadableName(claim: unknown): claim is string {
  return typeof claim === 'string' && claim !== '' && claim.length <= 256;
}

interface Place {
  readonly kind: 'place';
  readonly tenant: TrustedTenant;
  readonly issuer: string;
  readonly audience: string;
  readonly version?: TokenVersion;
}

/** Issuer, tenant and audience must agree with one and the same entry of the configuration. */
function tenantOf(claims: JWTPayload, tenants: readonly TrustedTenant[]): Place | Refused {
  const { iss, aud, tid } = claims;
  const ofIssuer = tenants.flatMap((tenant) => {
    const issuer = tenant.issuers.find((trusted) => trusted.issuer === iss);
    return issuer ? [{ tenant, issuer }] : [];
  });
  if (ofIssuer.length === 0) return refused('token.issuer', 'the issuer is none of those configured');
  const ofTenant = ofIssuer.filter(({ tenant }) => typeof tid === 'string' && tenant.tenantId === tid.toLowerCase());
  if (ofTenant.length === 0) return refused('token.tenant', 'tid is not the tenant of the issuer');
  if (typeof aud !== 'string') return refused('token.audience', 'aud is not a single audience');
  const match = ofTenant.find(({ tenant }) => tenant.audiences.includes(aud));
  if (!match) return refused('token.audience', 'the audience is none of those configured for the tenant');
  const { issuer, version = tokenVersionOf(issuer) } = match.issuer;
  return { kind: 'place', tenant: match.tenant, issuer, audience: aud, ...(version && { version }) };
}

function judgeTimes(
  { exp, nbf, iat }: JWTPayload,
  now: number,
  skew: number,
): { readonly kind: 'times'; readonly exp: number } | Refused {
  if (!isTime(exp) || !isTime(iat) || (nbf !== undefined && !isTime(nbf)))
    return refused('token.malformed', 'exp, iat or nbf is missing or not a time');
  if (exp <= now - skew) return refused('token.expired', 'the token has expired');
  if (iat > now + skew || (nbf ?? iat) > now + skew) return refused('token.notYetValid', 'the token is not valid yet');
  if (exp - iat > maximumLifetimeSeconds) return refused('token.lifetime', 'the token lives longer than 25 hours');
  return { kind: 'times', exp };
}

function callingApplication(
  claims: JWTPayload,
  tenant: TrustedTenant,
  expected: TokenVersion | undefined,
): { readonly kind: 'application'; readonly appId: string; readonly version: TokenVersion } | Refused {
  const { ver } = claims;
  if ((ver !== '1.0' && ver !== '2.0') || (expected !== undefined && ver !== expected))
    return refused('token.version', 'the version is not the one of the issuer');
  const application = ver === '1.0' ? claims['appid'] : claims['azp'];
  if (typeof application !== 'string' || application === '')
    return refused('token.caller', 'the token names no calling application; it may be an ID token');
  const appId = application.toLowerCase();
  if (tenant.callers && !tenant.callers.includes(appId))
    return refused('token.caller', 'the calling application is none of those configured');
  return { kind: 'application', appId, version: ver };
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
