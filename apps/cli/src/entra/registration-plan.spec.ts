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
