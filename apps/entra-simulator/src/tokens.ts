import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { derivedGuid, type Client, type Tenant } from './config.js';
import { tokenKeys, type KeyRing } from './keys.js';

/** "Azure Active Directory Authentication Extensions", in whose name Entra calls. */
export const extensionsClientId = '99045fe1-7639-4a75-9d4a-577b6ca3810f';

/** How long tokens last, in seconds. */
export const tokenLifetime = 3_600;

/** A cached extension token is used until this many seconds before it expires. */
const cacheReserve = 300;

/** What a test wants otherwise in a token. A claim or header entry that is null is left out. */
export const tokenOverrides = z.strictObject({
  claims: z.record(z.string(), z.unknown()).optional(),
  header: z.record(z.string(), z.unknown()).optional(),
  key: z.enum(tokenKeys).optional(),
  /** Seconds from now; a negative number makes an expired token. */
  expiresIn: z.int().optional(),
  version: z.union([z.literal(1), z.literal(2)]).optional(),
});

export type TokenOverrides = z.output<typeof tokenOverrides>;

/** Makes the tokens that Entra would make. */
export class TokenIssuer {
  readonly #keys: KeyRing;
  readonly #baseUrl: () => string;
  readonly #extensionTokens = new Map<string, { readonly token: string; readonly until: number }>();

  constructor(keys: KeyRing, baseUrl: () => string) {
    this.#keys = keys;
    this.#baseUrl = baseUrl;
  }

  /** The `iss` of a tenant's tokens; that of version 1.0 ends in a slash. */
  issuer(tenant: Tenant, version: 1 | 2): string {
    return `${this.#baseUrl()}/${tenant.tenantId}/${version === 1 ? '' : 'v2.0'}`;
  }

  /** The token that Entra sends to the claims provider. As with Entra, one serves many calls. */
  async extensionToken(tenant: Tenant): Promise<string> {
    const cached = this.#extensionTokens.get(tenant.tenantId);
    if (cached !== undefined && cached.until > nowInSeconds()) return cached.token;
    const token = await this.mintExtensionToken(tenant);
    this.#extensionTokens.set(tenant.tenantId, { token, until: nowInSeconds() + tokenLifetime - cacheReserve });
    return token;
  }

  /** Forgets cached tokens, so that the next is signed with the key of that moment. */
  forget(): void {
    this.#extensionTokens.clear();
  }

  /** A new extension token, with what the overrides want otherwise. */
  async mintExtensionToken(tenant: Tenant, overrides: TokenOverrides = {}): Promise<string> {
    const { api } = tenant;
    const version = overrides.version ?? api.requestedAccessTokenVersion ?? 1;
    const objectId = api.extensionsObjectId ?? derivedGuid(`${tenant.tenantId} ${extensionsClientId}`);
    const caller = version === 1 ? { appid: extensionsClientId, appidacr: '2' } : { azp: extensionsClientId, azpacr: '2' };
    const claims = {
      aud: version === 1 ? (api.identifierUri ?? api.appId) : api.appId,
      iss: this.issuer(tenant, version),
      ...times(overrides.expiresIn),
      ...caller,
      oid: objectId,
      sub: objectId,
      tid: tenant.tenantId,
      uti: uniqueTokenId(),
      ver: version === 1 ? '1.0' : '2.0',
      ...overrides.claims,
    };
    return this.#keys.signToken(withoutNulls(claims), undefinedForNulls(overrides.header), overrides.key ?? 'current');
  }

  /** The version 2.0 token of a client that asks in its own name. It has roles only at the resource where they were granted. */
  async clientToken(tenant: Tenant, client: Client, resource: string): Promise<string> {
    const objectId = client.objectId ?? derivedGuid(`${tenant.tenantId} ${client.clientId}`);
    const claims = {
      aud: resource,
      iss: this.issuer(tenant, 2),
      ...times(),
      azp: client.clientId,
      azpacr: '1',
      oid: objectId,
      ...(client.roles.length > 0 && client.resource === resource && { roles: client.roles }),
      sub: objectId,
      tid: tenant.tenantId,
      uti: uniqueTokenId(),
      ver: '2.0',
    };
    return this.#keys.signToken(claims, {}, 'current');
  }
}

/** `iat`, `nbf` and `exp` (RFC 7519): issued now, or as long ago as a token with this expiry must have been. */
export function times(expiresIn: number = tokenLifetime): { readonly iat: number; readonly nbf: number; readonly exp: number } {
  const exp = nowInSeconds() + expiresIn;
  const iat = Math.min(nowInSeconds(), exp - tokenLifetime);
  return { iat, nbf: iat, exp };
}

/** A new `uti`: Entra's unique id of a token. */
export function uniqueTokenId(): string {
  return randomBytes(16).toString('base64url');
}

function nowInSeconds(): number {
  return Math.floor(Date.now() / 1_000);
}

function withoutNulls(entries: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== null));
}

function undefinedForNulls(entries: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, value ?? undefined]));
}
