/** An application as an event names it. Ids in lower case. */
export interface ServicePrincipal {
  readonly id: string;
  readonly appId: string;
  readonly appDisplayName?: string;
  readonly displayName?: string;
}

/** The person signing in. Only the id is always there. */
export interface User {
  readonly id: string;
  readonly userPrincipalName?: string;
  readonly userType?: string;
  readonly displayName?: string;
  readonly givenName?: string;
  readonly surname?: string;
  readonly mail?: string;
  readonly companyName?: string;
  readonly createdDateTime?: string;
  readonly preferredLanguage?: string;
  readonly preferredDataLocation?: string;
  readonly onPremisesSamAccountName?: string;
  readonly onPremisesUserPrincipalName?: string;
  readonly onPremisesSecurityIdentifier?: string;
}

/** Entra is about to issue a token. Ids are GUIDs in lower case; what Entra sent as null, or not at all, is absent. */
export interface TokenIssuanceStartEvent {
  readonly kind: 'tokenIssuanceStart';
  readonly source: string;
  readonly tenantId: string;
  readonly listenerId: string;
  readonly extensionId: string;
  /** The sign-in log of Entra has the same. */
  readonly correlationId: string;
  readonly client: { readonly ip?: string; readonly locale?: string; readonly market?: string };
  /** OAUTH2.0, SAML or WS-FED so far; others may come. */
  readonly protocol?: string;
  readonly requestType?: string;
  /** The application that the person signs in to. */
  readonly clientServicePrincipal?: ServicePrincipal;
  /** Whom the token is for. */
  readonly resourceServicePrincipal?: ServicePrincipal;
  /** Absent where a service signs in. */
  readonly user?: User;
}
