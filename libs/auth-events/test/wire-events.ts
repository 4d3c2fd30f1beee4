/** Requests as Entra sends them, one of each kind, with everything that is known to occur. */

export const guid = (digit: number): string => `ABCDEF00-0000-0000-0000-${String(digit).padStart(12, '0')}`;

const application = () => ({ id: guid(6), appId: guid(2), appDisplayName: 'Billing', displayName: 'Billing' });

const person = () => ({
  id: guid(7),
  userPrincipalName: 'adele.vance@contoso.example',
  userType: 'Member',
  displayName: 'Adele Vance',
  givenName: 'Adele',
  surname: 'Vance',
  mail: 'adele.vance@contoso.example',
  companyName: 'Contoso',
  createdDateTime: '2024-03-01T15:23:40Z',
  preferredLanguage: 'en-us',
  preferredDataLocation: 'EUR',
  onPremisesSamAccountName: 'adelev',
  onPremisesUserPrincipalName: 'adele.vance@corp.example',
  onPremisesSecurityIdentifier: 'S-1-5-21-1-2-3-1104',
});

const circumstances = () => ({
  correlationId: guid(5),
  client: { ip: '192.0.2.1', locale: 'en-us', market: 'en-us' },
  protocol: 'OAUTH2.0',
  requestType: 'SignIn',
  clientServicePrincipal: application(),
  resourceServicePrincipal: application(),
});

const envelope = (kind: string, calloutData: string, more: object, user?: object) => ({
  type: `microsoft.graph.authenticationEvent.${kind}`,
  source: `/tenants/${guid(1)}/applications/${guid(2)}`,
  data: {
    '@odata.type': `microsoft.graph.${calloutData}CalloutData`,
    tenantId: guid(1),
    authenticationEventListenerId: guid(3),
    customAuthenticationExtensionId: guid(4),
    authenticationContext: { ...circumstances(), ...(user && { user }) },
    ...more,
  },
});

const identities = () => [{ signInType: 'emailAddress', issuer: 'contoso.example', issuerAssignedId: 'ada@mail.example' }];

const userSignUpInfo = () => ({
  attributes: {
    city: { '@odata.type': 'microsoft.graph.stringDirectoryAttributeValue', value: 'Zürich', attributeType: 'builtIn' },
    extension_0a_graduationYear: {
      '@odata.Type': 'microsoft.graph.int64DirectoryAttributeValue',
      value: 2010,
      attributeType: 'directorySchemaExtension',
    },
    extension_0a_onMailingList: {
      '@odata.type': 'microsoft.graph.booleanDirectoryAttributeValue',
      value: false,
      attributeType: 'directorySchemaExtension',
    },
  },
  identities: identities(),
});

export const wireEvents = {
  tokenIssuanceStart: () => envelope('tokenIssuanceStart', 'onTokenIssuanceStart', {}, person()),
  attributeCollectionStart: () =>
    envelope('attributeCollectionStart', 'onAttributeCollectionStart', { userSignUpInfo: userSignUpInfo() }),
  attributeCollectionSubmit: () =>
    envelope('attributeCollectionSubmit', 'onAttributeCollectionSubmit', { userSignUpInfo: userSignUpInfo() }),
  emailOtpSend: () =>
    envelope('emailOtpSend', 'onOtpSend', { otpContext: { identifier: 'ada@mail.example', oneTimeCode: '12345678' } }),
  passwordSubmit: () =>
    envelope('passwordSubmit', 'onPasswordSubmit', { encryptedPasswordContext: 'eyJhbGciOi.k.iv.text.tag' }, person()),
  verifiedIdClaimValidation: () =>
    envelope(
      'verifiedIdClaimValidation',
      'onVerifiedIdClaimValidation',
      {
        verifiedIdClaimsContext: {
          identities: identities(),
          additionalInfo: { employeeId: 'E001' },
          claims: { dateOfBirth: '1990-01-15', verified: true, level: 2 },
        },
      },
      person(),
    ),
};

/** A JSON value with one change. The path is divided by spaces; undefined takes the property away. */
export function changed<Value extends object>(value: Value, path: string, to: unknown): Value {
  const copy = structuredClone(value);
  const steps = path.split(' ');
  const last = steps.pop()!;
  let at = copy as unknown as Record<string, unknown>;
  for (const step of steps) at = at[step] as Record<string, unknown>;
  if (to === undefined) delete at[last];
  else at[last] = to;
  return copy;
}
