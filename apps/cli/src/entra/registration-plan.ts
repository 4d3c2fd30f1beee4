/** What a registration in Entra is made of, as the running configuration has it. */
export interface RegistrationFacts {
  /** The Entra tenant's id. */
  readonly tenantId: string;
  /** The client id of the API's app registration: the audience of Entra's tokens. */
  readonly apiAppId: string;
  /** Where Entra posts the event, as it reaches us. */
  readonly targetUrl: string;
  /** timeoutInMilliseconds of the extension; the service answers within it. */
  readonly timeout: number;
  /** The application id of the application whose tokens get the claims. */
  readonly application: string;
  /** The mappings that serve it: several where some are for single clients or extensions. */
  readonly mappings: readonly { readonly name: string; readonly revision: string }[];
  /** Its claims, spelled as the service answers them: every gate compares with regard to case. */
  readonly claims: readonly string[];
  /** Those of them whose name Entra keeps for itself in this kind of token; they get another one there. */
  readonly restricted: readonly string[];
  /** Whether the claims go into SAML tokens rather than JWTs. */
  readonly saml: boolean;
}

/** One request to Microsoft Graph, or something to do by hand. */
export interface RegistrationStep {
  readonly title: string;
  readonly why: string;
  readonly method?: 'GET' | 'POST' | 'PATCH';
  /** Below https://graph.microsoft.com. Words in braces are ids that earlier steps answer. */
  readonly path?: string;
  readonly body?: object;
}

/** Microsoft Graph, and its permission CustomAuthenticationExtension.Receive.Payload. */
const graphAppId = '00000003-0000-0000-c000-000000000000';
const receivePayload = '214e810f-fda8-4fd7-a475-29461495eb00';
/** Azure Active Directory Authentication Extensions, which calls the endpoint. */
const extensionsAppId = '99045fe1-7639-4a75-9d4a-577b6ca3810f';

/**
 * The registration of a custom claims provider, step by step, with bodies to review and send (Microsoft: configure a custom claims
 * provider for a token issuance event). Nothing is sent from here.
 */
export function registrationPlan(facts: RegistrationFacts): readonly RegistrationStep[] {
  const { tenantId, apiAppId, targetUrl, timeout, application, claims, mappings } = facts;
  const resourceId = `api://${new URL(targetUrl).host}/${apiAppId}`;
  const access = {
    api: { requestedAccessTokenVersion: 2 },
    requiredResourceAccess: [{ resourceAppId: graphAppId, resourceAccess: [{ id: receivePayload, type: 'Role' }] }],
  };
  return [
    {
      title: 'The API’s app registration, as it is',
      why: `Entra’s tokens are for it: ${apiAppId} is the audience that the service expects.`,
      method: 'GET',
      path: `/v1.0/applications(appId='${apiAppId}')?$select=identifierUris,api,requiredResourceAccess`,
    },
    {
      title: 'The API’s app registration, where there is none',
      why: `Only where the step before answered 404. It gets an id other than ${apiAppId}: put that into the configuration (tenants.*.audience), and print this plan again before you go on.`,
      method: 'POST',
      path: '/v1.0/applications',
      body: { displayName: 'Claimbridge', signInAudience: 'AzureADMyOrg', ...access },
    },
    {
      title: 'The API’s app registration, as it must be',
      why: 'Graph replaces each list as a whole: add to these lists what step 1 answered, and leave out what is there already. Version 2 tokens have the client id as their audience.',
      method: 'PATCH',
      path: `/v1.0/applications(appId='${apiAppId}')`,
      body: { identifierUris: [resourceId], ...access },
    },
    {
      title: 'Its service principal',
      why: 'Without one the tenant knows no API to issue tokens for. An answer that it exists already is fine.',
      method: 'POST',
      path: '/v1.0/servicePrincipals',
      body: { appId: apiAppId },
    },
    {
      title: 'The service principal of Entra’s caller',
      why: 'Azure Active Directory Authentication Extensions, which calls the endpoint. Some tenants lack it, external ones above all, and Entra then does not call (error 1003017). An answer that it exists already is fine.',
      method: 'POST',
      path: '/v1.0/servicePrincipals',
      body: { appId: extensionsAppId },
    },
    {
      title: 'The service principal of Microsoft Graph',
      why: 'Its id is {graphServicePrincipalId} below.',
      method: 'GET',
      path: `/v1.0/servicePrincipals(appId='${graphAppId}')?$select=id`,
    },
    {
      title: 'The permission to receive events',
      why: 'CustomAuthenticationExtension.Receive.Payload for the API’s service principal. Without it Entra does not call (error 1003021).',
      method: 'POST',
      path: '/v1.0/servicePrincipals/{apiServicePrincipalId}/appRoleAssignments',
      body: { principalId: '{apiServicePrincipalId}', resourceId: '{graphServicePrincipalId}', appRoleId: receivePayload },
    },
    {
      title: 'The custom authentication extension',
      why: 'Names the endpoint, the time it has, and every claim that may come from it, spelled as the service answers them. If there is one already, PATCH it instead, with the claims that it has besides these. The host of targetUrl must be the host of the App ID URI. maximumRetries: 1 makes use of answers that came too late for the first call.',
      method: 'POST',
      path: '/v1.0/identity/customAuthenticationExtensions',
      body: {
        '@odata.type': '#microsoft.graph.onTokenIssuanceStartCustomExtension',
        displayName: 'Claimbridge',
        description: 'Claims from the company’s own directories and databases',
        endpointConfiguration: { '@odata.type': '#microsoft.graph.httpRequestEndpoint', targetUrl },
        authenticationConfiguration: { '@odata.type': '#microsoft.graph.azureAdTokenAuthentication', resourceId },
        clientConfiguration: { timeoutInMilliseconds: timeout, maximumRetries: 1 },
        claimsForTokenConfiguration: claims.map((claim) => ({ claimIdInApiResponse: claim })),
      },
    },
    {
      title: 'The listener',
      why: 'Says whose tokens make Entra call. Create it when the endpoint answers: from then on every sign-in to the application needs the service.',
      method: 'POST',
      path: '/v1.0/identity/authenticationEventListeners',
      body: {
        '@odata.type': '#microsoft.graph.onTokenIssuanceStartListener',
        conditions: { applications: { includeAllApplications: false, includeApplications: [{ appId: application }] } },
        priority: 500,
        handler: {
          '@odata.type': '#microsoft.graph.onTokenIssuanceStartCustomExtensionHandler',
          customExtension: { id: '{customExtensionId}' },
        },
      },
    },
    {
      title: 'The claims mapping policy',
      why: `Puts the claims of ${mappings.map(({ name, revision }) => `${name} (${revision})`).join(', ')} into the token. ID is the service’s name and compares with regard to case; the other one is the name in the token, and may differ.`,
      method: 'POST',
      path: '/v1.0/policies/claimsMappingPolicies',
      body: {
        displayName: `Claimbridge: ${mappings.map(({ name }) => name).join(', ')}`,
        isOrganizationDefault: false,
        definition: [JSON.stringify(claimsMappingPolicy(facts))],
      },
    },
    {
      title: 'Its assignment to the application',
      why: 'To the client for the claims of ID and SAML tokens, to the resource (the API) for those of access tokens. From then on what the portal’s page Attributes & Claims says is ignored for it. Microsoft Graph refuses this request to an application’s own token: send it as an administrator.',
      method: 'POST',
      path: '/v1.0/servicePrincipals/{applicationServicePrincipalId}/claimsMappingPolicies/$ref',
      body: { '@odata.id': 'https://graph.microsoft.com/v1.0/policies/claimsMappingPolicies/{policyId}' },
    },
    ...(facts.saml
      ? []
      : [
          {
            title: 'The application accepts mapped claims',
            why: 'Only an application of this tenant alone (AzureADMyOrg) may say so; another one needs a signing key of its own (error AADSTS50146). Where it is an API that is in use, requestedAccessTokenVersion: 2 changes the access tokens that it gets: another issuer (…/v2.0), its client id as the audience, other claims (azp for appid, no upn). Make it accept those first. Where only its ID tokens get the claims, leave that key out.',
            method: 'PATCH' as const,
            path: `/v1.0/applications(appId='${application}')`,
            body: { api: { acceptMappedClaims: true, requestedAccessTokenVersion: 2 } },
          },
        ]),
    {
      title: 'Check it',
      why: `Errors here say what is missing: the form of the App ID URI, its host, the service principal, the permission. Then sign in, and look for the claims in the token (tenant ${tenantId}).`,
      method: 'POST',
      path: '/v1.0/identity/customAuthenticationExtensions/{customExtensionId}/validateAuthenticationConfiguration',
    },
  ];
}

function claimsMappingPolicy({ claims, restricted, saml }: RegistrationFacts): object {
  const names = emittedNames(claims, restricted);
  const emittedAs = saml ? 'SamlClaimType' : 'JwtClaimType';
  return {
    ClaimsMappingPolicy: {
      Version: 1,
      IncludeBasicClaimSet: 'true',
      ClaimsSchema: claims.map((claim) => ({
        Source: 'CustomClaimsProvider',
        ID: claim,
        [emittedAs]: names.get(claim),
      })),
    },
  };
}

/** The name of each claim in the token: its own, or one that no other claim has where Entra keeps its own for itself. */
export function emittedNames(claims: readonly string[], restricted: readonly string[]): ReadonlyMap<string, string> {
  const free = claims.filter((claim) => !restricted.includes(claim));
  // Whoever reads the token may ignore case.
  const taken = new Set(free.map((claim) => claim.toLowerCase()));
  const names = new Map(free.map((claim) => [claim, claim]));
  for (const claim of claims.filter((each) => restricted.includes(each))) {
    const wanted = `my_${claim.split('/').at(-1)}`;
    let name = wanted;
    for (let number = 2; taken.has(name.toLowerCase()); number++) name = `${wanted}_${number}`;
    taken.add(name.toLowerCase());
    names.set(claim, name);
  }
  return names;
}
