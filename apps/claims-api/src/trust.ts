import { TokenVerifier, entraIssuers, type KeyManager, type TrustedTenant } from '#entra-auth';
import type { ServiceDocument } from './configuration/service-document.js';

type TenantDocument = ServiceDocument['tenants'][string] | NonNullable<ServiceDocument['admin']>;

/** Whose tokens are accepted, by the aliases of the configuration. */
export function trustedTenants(
  documents: Readonly<Record<string, TenantDocument>>,
  callers?: readonly string[],
): readonly TrustedTenant[] {
  return Object.entries(documents).map(([alias, document]) => {
    const { tenantId, audience, issuers, cloud, external } = document;
    const admitted = document.callers ?? callers;
    return {
      alias,
      tenantId,
      audiences: audience,
      issuers: issuers ?? entraIssuers({ tenantId, cloud, ...(external && { external }) }),
      ...(admitted && { callers: admitted }),
    };
  });
}

/** Is this token Entra's, calling the event endpoint? */
export class EventVerifier extends TokenVerifier {
  constructor(tenants: readonly TrustedTenant[], clockSkew: number, keys: KeyManager) {
    super({ tenants, clockSkewSeconds: clockSkew / 1_000 }, keys);
  }
}

/** Is this token an operator's, calling the admin API? */
export class AdminVerifier extends TokenVerifier {
  constructor(tenants: readonly TrustedTenant[], clockSkew: number, keys: KeyManager) {
    super({ tenants, clockSkewSeconds: clockSkew / 1_000 }, keys);
  }
}
