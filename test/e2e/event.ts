import { tenantId, type Document } from './stack.js';

export const applications = {
  billingPortal: '3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9a01',
  legacyHr: '3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9a02',
  billingApi: '3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9a03',
  cafeteria: '3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9a04',
};

/** Adele, whom the directory and the database of docker/seeds know. */
export const adele = {
  id: '90847c2a-e29d-4d2f-9f54-c5b4d3f20001',
  userPrincipalName: 'adele.vance@contoso.example',
  userType: 'Member',
  displayName: 'Adele Vance',
  mail: 'adele.vance@corp.example',
  onPremisesSamAccountName: 'adele.vance',
  onPremisesUserPrincipalName: 'adele.vance@corp.example',
  onPremisesSecurityIdentifier: 'S-1-5-21-1004336348-1177238915-682003330-1104',
};

export const correlationId = '5e2f8d1c-3b4a-4c5d-9e6f-7a8b9c0d1e2f';

/** An event as Entra sends it. */
export function eventFor(application: string, user: Document | undefined = adele): Document {
  const principal = { id: 'e1d5b6c8-7f20-4a39-b5c4-9d8e7f6a5b01', appId: application, appDisplayName: 'App', displayName: 'App' };
  return {
    type: 'microsoft.graph.authenticationEvent.tokenIssuanceStart',
    source: `/tenants/${tenantId}/applications/${application}`,
    data: {
      '@odata.type': 'microsoft.graph.onTokenIssuanceStartCalloutData',
      tenantId,
      authenticationEventListenerId: 'd4e3f2a1-9b8c-4d7e-a6f5-0c1b2a3d4e01',
      customAuthenticationExtensionId: 'c6f2b0f4-2a85-4f10-8d4f-6c8c2f3b7e01',
      authenticationContext: {
        correlationId,
        client: { ip: '192.0.2.77', locale: 'en-us', market: 'en-us' },
        protocol: 'OAUTH2.0',
        clientServicePrincipal: principal,
        resourceServicePrincipal: principal,
        ...(user && { user }),
      },
    },
  };
}

export function eventText(application: string, user?: Document): string {
  return JSON.stringify(eventFor(application, user ?? adele));
}
