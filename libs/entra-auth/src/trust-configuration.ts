/**
 * The application id of "Azure Active Directory Authentication Extensions", as whom Entra calls a custom authentication extension.
 * https://learn.microsoft.com/entra/identity-platform/custom-extension-overview
 */
export const authenticationExtensionsAppId = '99045fe1-7639-4a75-9d4a-577b6ca3810f';

export type TokenVersion = '1.0' | '2.0';

/** An issuer, and where its keys are found. Its keys are trusted for its own tokens only. */
export interface TrustedIssuer {
  /** The exact `iss` of its tokens. */
  readonly issuer: string;
  /** The https address of its OpenID metadata, which must state the same issuer. */
  readonly metadata: string;
  /** The `ver` that its tokens must have; by default the one that the issuer's form says, see `tokenVersionOf`. */
  readonly version?: TokenVersion;
  /** Another issuer that the metadata may state instead. Only external tenants need it, see `entraIssuers`. */
  readonly alsoStatedAs?: string;
}

/** One Entra directory whose tokens are accepted. */
export interface TrustedTenant {
  /** Its name in the operator's configuration. */
  readonly alias: string;
  /** A GUID in lower case; `tid` must equal it. */
  readonly tenantId: string;
  /** The client id of our API's registration, or its App ID URI for tokens of version 1.0; `aud` must be one of them. */
  readonly audiences: readonly string[];
  readonly issuers: readonly TrustedIssuer[];
  /** Application ids in lower case, one of which `azp` (2.0) or `appid` (1.0) must be. Absent: every application of the tenant. */
  readonly callers?: readonly string[];
}

/** Whose tokens are accepted, and for what. Immutable. */
export interface TrustConfiguration {
  readonly tenants: readonly TrustedTenant[];
  /** How far the issuer's clock may differ from ours; 60 by default, and 0 means 0. */
  readonly clockSkewSeconds?: number;
  /** Tells one configuration from another: a verdict under one is no verdict under the next. */
  readonly generation?: number;
}

export type EntraCloud = 'public' | 'usGovernment' | 'china';

/**
 * Sign-in host and the host of version 1.0 issuers. US Government shares the latter with the public cloud.
 * https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
 */
const clouds: Readonly<Record<EntraCloud, { readonly login: string; readonly sts: string }>> = {
  public: { login: 'login.microsoftonline.com', sts: 'sts.windows.net' },
  usGovernment: { login: 'login.microsoftonline.us', sts: 'sts.windows.net' },
  china: { login: 'login.partner.microsoftonline.cn', sts: 'sts.chinacloudapi.cn' },
};

/**
 * The version of the tokens that an issuer of this form issues: Entra's issuers of version 2.0 end in `/v2.0`, those of 1.0 are at a host
 * of their own. Undefined for any other form: then its tokens may have either.
 * https://learn.microsoft.com/entra/identity-platform/access-tokens#token-formats
 */
export function tokenVersionOf(issuer: string): TokenVersion | undefined {
  const url = URL.parse(issuer);
  if (/\/v2\.0\/?$/.test(url?.pathname ?? '')) return '2.0';
  return Object.values(clouds).some(({ sts }) => url?.hostname === sts) ? '1.0' : undefined;
}

/**
 * The issuers of a tenant's tokens. A workforce tenant has two, one for each token version. An external (CIAM) tenant is observed to
 * use the host named by its id, is documented to use the host named by its subdomain, and some of its tokens come from the host of
 * workforce tenants; the keys differ, so each is a pair of its own. The metadata under the subdomain states the issuer with the id.
 */
export function entraIssuers(tenant: {
  readonly tenantId: string;
  readonly cloud?: EntraCloud;
  /** Set for an external tenant; `contoso` is the subdomain of contoso.ciamlogin.com. */
  readonly external?: { readonly subdomain?: string };
}): TrustedIssuer[] {
  const tenantId = tenant.tenantId.toLowerCase();
  const { login, sts } = clouds[tenant.cloud ?? 'public'];
  const current = versionTwo(login, tenantId);
  if (tenant.external) {
    const { subdomain } = tenant.external;
    const byId = versionTwo(`${tenantId}.ciamlogin.com`, tenantId);
    const bySubdomain = subdomain ? [{ ...versionTwo(`${subdomain}.ciamlogin.com`, tenantId), alsoStatedAs: byId.issuer }] : [];
    return [byId, ...bySubdomain, current];
  }
  return [
    {
      issuer: `https://${sts}/${tenantId}/`,
      metadata: `https://${login}/${tenantId}/.well-known/openid-configuration`,
      version: '1.0',
    },
    current,
  ];
}

function versionTwo(host: string, tenantId: string): TrustedIssuer {
  const issuer = `https://${host}/${tenantId}/v2.0`;
  return { issuer, metadata: `${issuer}/.well-known/openid-configuration`, version: '2.0' };
}
