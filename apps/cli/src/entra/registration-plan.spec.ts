import { describe, expect, it } from 'vitest';
import { registrationPlan, type RegistrationFacts, type RegistrationStep } from './registration-plan.js';

const facts: RegistrationFacts = {
  tenantId: '7d1c5a0e-4c61-4b6f-9d55-2f8a4c1b9e10',
  apiAppId: 'b0a4d6a2-53f1-4b39-9a7c-1de0c4c5f201',
  targetUrl: 'https://claims.contoso.com/api/onTokenIssuanceStart',
  timeout: 1_000,
  application: '3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9a01',
  mappings: [{ name: 'portal', revision: '9f86d081884c' }],
  claims: ['billingTier', 'customRoles', 'groups'],
  restricted: ['groups'],
  saml: false,
};

// oxlint-disable-next-line typescript/no-explicit-any -- bodies are read as Graph reads them
function bodyOf(steps: readonly RegistrationStep[], pathEnd: string): any {
  return steps.find(({ path }) => path?.endsWith(pathEnd))!.body;
}

function policyOf(steps: readonly RegistrationStep[]): readonly Record<string, string>[] {
  const { definition } = bodyOf(steps, '/claimsMappingPolicies') as { definition: readonly [string] };
  return (JSON.parse(definition[0]) as { ClaimsMappingPolicy: { ClaimsSchema: Record<string, string>[] } }).ClaimsMappingPolicy
    .ClaimsSchema;
}

describe('the registration of an application’s claims', () => {
  const steps = registrationPlan(facts);

  it('lets every claim through the extension and the policy, spelled as the service answers it', () => {
    const extension = bodyOf(steps, '/customAuthenticationExtensions') as {
      claimsForTokenConfiguration: { claimIdInApiResponse: string }[];
    };
    expect(extension.claimsForTokenConfiguration.map(({ claimIdInApiResponse }) => claimIdInApiResponse)).toEqual(facts.claims);
    expect(policyOf(steps)).toEqual([
      { Source: 'CustomClaimsProvider', ID: 'billingTier', JwtClaimType: 'billingTier' },
      { Source: 'CustomClaimsProvider', ID: 'customRoles', JwtClaimType: 'customRoles' },
      { Source: 'CustomClaimsProvider', ID: 'groups', JwtClaimType: 'my_groups' },
    ]);
  });

  it('names the service, its time, the application and the API of the configuration', () => {
    expect(bodyOf(steps, '/customAuthenticationExtensions')).toMatchObject({
      endpointConfiguration: { targetUrl: facts.targetUrl },
      authenticationConfiguration: { resourceId: `api://claims.contoso.com/${facts.apiAppId}` },
      clientConfiguration: { timeoutInMilliseconds: 1_000, maximumRetries: 1 },
    });
    expect(bodyOf(steps, '/authenticationEventListeners')).toMatchObject({
      conditions: { applications: { includeAllApplications: false, includeApplications: [{ appId: facts.application }] } },
    });
    expect(bodyOf(steps, `/applications(appId='${facts.application}')`)).toEqual({
      api: { acceptMappedClaims: true, requestedAccessTokenVersion: 2 },
    });
  });

  it('gives each claim a name of its own in the token, whatever the others are called', () => {
    const upn = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn';
    const claims = ['groups', 'my_groups', 'My_Groups_2', 'upn', upn];
    const named = policyOf(registrationPlan({ ...facts, claims, restricted: ['groups', 'upn', upn] }));
    expect(named.map(({ ID, JwtClaimType }) => [ID, JwtClaimType])).toEqual([
      ['groups', 'my_groups_3'],
      ['my_groups', 'my_groups'],
      ['My_Groups_2', 'My_Groups_2'],
      ['upn', 'my_upn'],
      [upn, 'my_upn_2'],
    ]);
  });

  it('has the body of an app registration that is not there, and the caller that a tenant may lack', () => {
    expect(bodyOf(steps, '/v1.0/applications')).toEqual({
      displayName: expect.any(String),
      signInAudience: 'AzureADMyOrg',
      api: { requestedAccessTokenVersion: 2 },
      requiredResourceAccess: [
        {
          resourceAppId: '00000003-0000-0000-c000-000000000000',
          resourceAccess: [{ id: '214e810f-fda8-4fd7-a475-29461495eb00', type: 'Role' }],
        },
      ],
    });
    const principals = steps.filter(({ method, path }) => method === 'POST' && path === '/v1.0/servicePrincipals');
    expect(principals.map(({ body }) => body)).toEqual([
      { appId: facts.apiAppId },
      { appId: '99045fe1-7639-4a75-9d4a-577b6ca3810f' },
    ]);
  });

  it('says what it changes for an API that is in use', () => {
    const { why } = steps.find(({ path }) => path === `/v1.0/applications(appId='${facts.application}')`)!;
    expect(why).toContain('requestedAccessTokenVersion: 2 changes the access tokens');
  });

  it('uses the App ID URI that it registers', () => {
    const { identifierUris } = bodyOf(steps, `/applications(appId='${facts.apiAppId}')`) as { identifierUris: string[] };
    expect(identifierUris).toEqual([`api://claims.contoso.com/${facts.apiAppId}`]);
  });

  it('has other names and one patch less for SAML', () => {
    const saml = registrationPlan({ ...facts, saml: true, restricted: [] });
    expect(policyOf(saml)[2]).toEqual({ Source: 'CustomClaimsProvider', ID: 'groups', SamlClaimType: 'groups' });
    expect(saml.some(({ path }) => path?.includes(facts.application))).toBe(false);
  });
});
