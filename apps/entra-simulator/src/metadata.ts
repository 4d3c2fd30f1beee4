import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Tenant } from './config.js';
import type { TokenIssuer } from './tokens.js';

/** How metadata and keys can be out of order: no answer, a page instead of JSON, an error, a reset connection. */
const fault = z.enum(['none', 'hang', 'html', '503', 'reset']);

/** `metadata` sets both documents; `jwks` only the keys. */
export const faultsRequest = z.strictObject({ metadata: fault.optional(), jwks: fault.optional() });

export type Fault = z.output<typeof fault>;
export type FaultsRequest = z.output<typeof faultsRequest>;

/** What is out of order at the moment. */
export class Faults {
  #metadata: Fault = 'none';
  #jwks: Fault = 'none';

  get current(): { readonly metadata: Fault; readonly jwks: Fault } {
    return { metadata: this.#metadata, jwks: this.#jwks };
  }

  set(faults: FaultsRequest): void {
    this.#metadata = faults.metadata ?? this.#metadata;
    this.#jwks = faults.jwks ?? faults.metadata ?? this.#jwks;
  }

  /** True where a fault took the answer over. */
  strike(document: 'metadata' | 'jwks', response: ServerResponse): boolean {
    switch (this.current[document]) {
      case 'none':
        return false;
      case 'hang':
        return true;
      case 'reset':
        response.socket?.destroy();
        return true;
      case 'html':
        response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Sign in to the network</title>');
        return true;
      case '503':
        response.writeHead(503, { 'content-type': 'text/plain' }).end('Service Unavailable');
        return true;
    }
  }
}

/** The OpenID Provider metadata of a tenant (OpenID Connect Discovery 1.0 §3), as Entra gives it for tokens of this version. */
export function openIdConfiguration(baseUrl: string, tenant: Tenant, tokens: TokenIssuer, version: 1 | 2): object {
  const at = `${baseUrl}/${tenant.tenantId}`;
  const path = version === 1 ? 'oauth2' : 'oauth2/v2.0';
  return {
    issuer: tokens.issuer(tenant, version),
    authorization_endpoint: `${at}/${path}/authorize`,
    token_endpoint: `${at}/${path}/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    jwks_uri: `${at}/discovery/${version === 1 ? '' : 'v2.0/'}keys`,
    response_types_supported: ['code', 'id_token'],
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    scopes_supported: ['openid'],
    claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'name', 'preferred_username', 'oid', 'tid', 'ver'],
  };
}
