import { applicationId, tenantId } from './claims-service.js';

/** Anything of a JSON document. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = Record<string, any>;

/** Stands in every wrong value: an answer that holds it has echoed the body. */
export const canary = 'canary-7f3a';

export const ids = {
  tenantId,
  applicationId,
  listenerId: '51f0c2d3-0b1a-4c2d-8e3f-4a5b6c7d8e9f',
  extensionId: '62a1d3e4-1c2b-4d3e-9f40-5b6c7d8e9fa0',
  correlationId: '73b2e4f5-2d3c-4e4f-a051-6c7d8e9fa0b1',
  principalId: '84c3f506-3e4d-4f50-b162-7d8e9fa0b1c2',
  userId: '95d40617-4f5e-4061-8273-8e9fa0b1c2d3',
};

const principal = { id: ids.principalId, appId: applicationId, appDisplayName: 'Portal', displayName: 'Fabrikam portal' };

/** A member synchronised from Active Directory: all fourteen properties that Microsoft documents. */
export const member: Json = {
  id: ids.userId,
  userPrincipalName: 'mira.lindt@fabrikam.example',
  userType: 'Member',
  displayName: 'Mira Lindt',
  givenName: 'Mira',
  surname: 'Lindt',
  mail: 'mira.lindt@fabrikam.example',
  companyName: 'Fabrikam',
  createdDateTime: '2021-04-05T06:07:08Z',
  preferredLanguage: 'de-ch',
  preferredDataLocation: 'EUR',
  onPremisesSamAccountName: 'mlindt',
  onPremisesUserPrincipalName: 'mira.lindt@corp.fabrikam.example',
  onPremisesSecurityIdentifier: 'S-1-5-21-2000478354-1708537768-1957994488-4021',
};

/** A tokenIssuanceStart event, complete. */
export function tokenIssuanceStart(): Json {
  return envelope('tokenIssuanceStart', 'onTokenIssuanceStartCalloutData', { user: structuredClone(member) });
}

/** The envelope that every event of the family has. */
export function envelope(kind: string, dataType: string, context: Json = {}, data: Json = {}): Json {
  return {
    type: `microsoft.graph.authenticationEvent.${kind}`,
    source: `/tenants/${tenantId}/applications/${applicationId}`,
    data: {
      '@odata.type': `microsoft.graph.${dataType}`,
      tenantId,
      authenticationEventListenerId: ids.listenerId,
      customAuthenticationExtensionId: ids.extensionId,
      authenticationContext: {
        correlationId: ids.correlationId,
        client: { ip: '192.0.2.41', locale: 'en-gb', market: 'en-gb' },
        protocol: 'OAUTH2.0',
        clientServicePrincipal: { ...principal },
        resourceServicePrincipal: { ...principal },
        ...context,
      },
      ...data,
    },
  };
}

/** The object that holds what a dotted path names, and the name of it there; `@odata.type` is one step. */
export function place(document: Json, dotted: string): readonly [Json, string] {
  const steps = dotted
    .replace('@odata.type', '@odata type')
    .split('.')
    .map((step) => step.replace(' ', '.'));
  const last = steps.pop()!;
  return [steps.reduce<Json>((at, step) => at[step] as Json, document), last];
}

/** The document with another value at a dotted path, `undefined` for none. */
export function withValue(document: Json, dotted: string, value: unknown): Json {
  const [parent, name] = place(document, dotted);
  if (value === undefined) delete parent[name];
  else parent[name] = value;
  return document;
}

const extensionAttribute = `extension_${applicationId.replaceAll('-', '')}`;

/** What somebody who signs up has said so far, with each type of value and both spellings of its type that Microsoft shows. */
const userSignUpInfo = (): Json => ({
  attributes: {
    givenName: { '@odata.type': 'microsoft.graph.stringDirectoryAttributeValue', value: 'Mira', attributeType: 'builtIn' },
    [`${extensionAttribute}_clubs`]: {
      '@odata.Type': 'microsoft.graph.stringDirectoryAttributeValue',
      value: 'Chess,Rowing',
      attributeType: 'directorySchemaExtension',
    },
    [`${extensionAttribute}_year`]: {
      '@odata.type': 'microsoft.graph.int64DirectoryAttributeValue',
      value: 2012,
      attributeType: 'directorySchemaExtension',
    },
    [`${extensionAttribute}_newsletter`]: {
      '@odata.type': 'microsoft.graph.booleanDirectoryAttributeValue',
      value: false,
      attributeType: 'directorySchemaExtension',
    },
  },
  identities: [{ signInType: 'email', issuer: 'fabrikam.example', issuerAssignedId: 'mira.lindt@mail.example' }],
});

export const eventKinds = [
  'tokenIssuanceStart',
  'attributeCollectionStart',
  'attributeCollectionSubmit',
  'emailOtpSend',
  'passwordSubmit',
  'verifiedIdClaimValidation',
] as const;

export type EventKind = (typeof eventKinds)[number];

/** The address at which each kind arrives. */
export const routes: Readonly<Record<EventKind, string>> = {
  tokenIssuanceStart: '/api/onTokenIssuanceStart',
  attributeCollectionStart: '/api/onAttributeCollectionStart',
  attributeCollectionSubmit: '/api/onAttributeCollectionSubmit',
  emailOtpSend: '/api/onEmailOtpSend',
  passwordSubmit: '/api/onPasswordSubmit',
  verifiedIdClaimValidation: '/api/onVerifiedIdClaimValidation',
};

/** One complete event of each kind. */
export const wireEvents: Readonly<Record<EventKind, () => Json>> = {
  tokenIssuanceStart,
  attributeCollectionStart: () =>
    envelope('attributeCollectionStart', 'onAttributeCollectionStartCalloutData', {}, { userSignUpInfo: userSignUpInfo() }),
  attributeCollectionSubmit: () =>
    envelope('attributeCollectionSubmit', 'onAttributeCollectionSubmitCalloutData', {}, { userSignUpInfo: userSignUpInfo() }),
  emailOtpSend: () =>
    envelope(
      'emailOtpSend',
      'onOtpSendCalloutData',
      { requestType: 'signUp' },
      { otpContext: { identifier: 'mira.lindt@mail.example', oneTimeCode: '73914620' } },
    ),
  passwordSubmit: () =>
    envelope(
      'passwordSubmit',
      'onPasswordSubmitCalloutData',
      { user: structuredClone(member), resourceServicePrincipal: null },
      { encryptedPasswordContext: 'eyJhbGciOiJSU0EtT0FFUCJ9.a2V5.aXY.dGV4dA.dGFn', userSignUpInfo: null, otpContext: null },
    ),
  verifiedIdClaimValidation: () =>
    envelope(
      'verifiedIdClaimValidation',
      'onVerifiedIdClaimValidationCalloutData',
      {
        protocol: 'OAUTH2',
        client: { clientIp: '192.0.2.41', locale: 'en-gb' },
        user: { ...member, createdDateTime: '2024-01-01T00:00:00' },
      },
      {
        verifiedIdClaimsContext: {
          identities: [{ issuer: 'fabrikam.example', issuerAssignedId: 'mira.lindt', signInType: 'userPrincipalName' }],
          additionalInfo: { employeeId: '100482' },
          claims: { firstName: 'Mira', lastName: 'Lindt', dateOfBirth: '1990-02-03' },
        },
      },
    ),
};
