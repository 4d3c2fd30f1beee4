import type { Secrets } from '#claims';
import type { ServiceDocument } from '#configuration';
import {
  KeyManager,
  TokenVerifier,
  authenticationExtensionsAppId,
  entraIssuers,
  readPinnedKeys,
  type TrustedTenant,
} from '#entra-auth';
import type { Logger } from '#observability';
import type { Configuration } from './config.js';
import { ConfigurationError } from './configuration/configuration-error.js';

type TenantDocument = Pick<ServiceDocument['tenants'][string], 'tenantId' | 'audience' | 'issuers' | 'cloud' | 'external'>;

/** Whose events are taken. */
export function eventTenants({ tenants }: ServiceDocument): readonly TrustedTenant[] {
  return Object.entries(tenants).map(([alias, tenant]) =>
    trusted(alias, tenant, tenant.callers ?? [authenticationExtensionsAppId]),
  );
}

/** Whose operators are let in; none where the configuration has no admin tenant. */
export function adminTenants({ admin }: ServiceDocument): readonly TrustedTenant[] {
  return admin ? [trusted('admin', admin, [...new Set([...admin.callers.applications, ...admin.callers.delegated])])] : [];
}

function trusted(
  alias: string,
  { tenantId, audience, issuers, cloud, external }: TenantDocument,
  callers: readonly string[],
): TrustedTenant {
  return {
    alias,
    tenantId,
    audiences: audience,
    issuers:
      issuers?.map(({ issuer, metadata, version }) => ({ issuer, metadata, ...(version && { version }) })) ??
      entraIssuers({ tenantId, cloud, ...(external && { external }) }),
    callers,
  };
}

/** Is this token Entra's, calling the event endpoint? */
export class EventVerifier extends TokenVerifier {
  constructor(document: ServiceDocument, keys: KeyManager) {
    super({ tenants: eventTenants(document), clockSkewSeconds: document.trust.clockSkew / 1_000 }, keys);
  }
}

/** Is this token an operator's, calling the admin API? */
export class AdminVerifier extends TokenVerifier {
  constructor(document: ServiceDocument, keys: KeyManager) {
    super({ tenants: adminTenants(document), clockSkewSeconds: document.trust.clockSkew / 1_000 }, keys);
  }
}

/**
 * Keys for everybody who is trusted.
 * @throws ConfigurationError where the authority's certificate or the pinned keys cannot be used
 */
export async function createKeyManager({ file, document }: Configuration, secrets: Secrets, log: Logger): Promise<KeyManager> {
  const { ca, keys } = document.trust;
  const { pinned, timeout, ...times } = keys;
  const read = async <Value>(path: readonly string[], value: () => Promise<Value>): Promise<Value> =>
    value().catch((error: unknown) => {
      throw new ConfigurationError(file, [{ path, reason: error instanceof Error ? error.message : 'cannot be used' }]);
    });
  const authority = ca && (await read(['trust', 'ca'], () => secrets.read(ca)));
  const held = pinned && (await read(['trust', 'keys', 'pinned'], async () => readPinnedKeys(await secrets.read(pinned))));
  return read(
    ['trust'],
    async () =>
      new KeyManager({
        issuers: [...eventTenants(document), ...adminTenants(document)].flatMap(({ issuers }) => issuers),
        ...(authority && { ca: authority }),
        ...(held && { pinned: held }),
        timeoutMs: timeout,
        times,
        log,
      }),
  );
}

/** Callers other than Entra's own service are for tests; in production somebody must have meant them. */
export function warnOfForeignCallers({ tenants }: ServiceDocument, log: Logger): void {
  for (const [tenant, { callers = [] }] of Object.entries(tenants)) {
    const foreign = callers.filter((caller) => caller !== authenticationExtensionsAppId);
    if (foreign.length > 0) log.warn({ tenant, callers: foreign }, 'applications other than Entra’s may send events');
  }
}
