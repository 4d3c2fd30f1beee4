import type { CircumstancesDto } from './envelope.dto.js';

/** An application as an event names it. Ids in lower case. */
export interface ServicePrincipal {
  readonly id: string;
  readonly appId: string;
  readonly appDisplayName?: string;
  readonly displayName?: string;
}

/** What Entra tells of a person. Values of a person never belong in a log. */
export interface UserProperties {
  readonly userPrincipalName?: string;
  readonly userType?: string;
  readonly displayName?: string;
  readonly givenName?: string;
  readonly surname?: string;
  readonly mail?: string;
  readonly companyName?: string;
  /** ISO 8601, with or without a zone. */
  readonly createdDateTime?: string;
  readonly preferredLanguage?: string;
  readonly preferredDataLocation?: string;
  readonly onPremisesSamAccountName?: string;
  readonly onPremisesUserPrincipalName?: string;
  readonly onPremisesSecurityIdentifier?: string;
}

/** The person signing in. Only the id is always there. */
export interface User extends UserProperties {
  readonly id: string;
}

/** What every event says. Ids are GUIDs in lower case; what Entra sent as null, or not at all, is absent. */
export interface Circumstances {
  readonly source: string;
  readonly tenantId: string;
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
}

/** What the events of a registered listener say. */
export interface Envelope<UserType = User> extends Circumstances {
  readonly listenerId: string;
  readonly extensionId: string;
  /** Absent where a service signs in, and where there is no account yet. */
  readonly user?: UserType;
}

/** What the DTO of every event has. */
interface CalloutDto {
  readonly source: string;
  readonly data: {
    readonly tenantId: string;
    readonly authenticationEventListenerId?: string;
    readonly customAuthenticationExtensionId?: string;
    readonly authenticationContext: CircumstancesDto & { readonly user?: UserProperties & { id?: string } };
  };
}

interface ListenerCalloutDto extends CalloutDto {
  readonly data: CalloutDto['data'] & {
    readonly authenticationEventListenerId: string;
    readonly customAuthenticationExtensionId: string;
    readonly authenticationContext: { readonly user?: User };
  };
}

/** A callout that Entra's documentation also shows without listener, extension and user id. */
export type PartialEnvelope = Circumstances & Partial<Envelope<UserProperties & { readonly id?: string }>>;

/** The envelope of a DTO that was accepted. The DTO is used up: its parts become the event's. */
export function envelopeOf(dto: ListenerCalloutDto): Envelope;
export function envelopeOf(dto: CalloutDto): PartialEnvelope;
export function envelopeOf({ source, data }: CalloutDto): PartialEnvelope {
  const { authenticationEventListenerId: listenerId, customAuthenticationExtensionId: extensionId } = data;
  const { correlationId, client = {}, protocol, requestType, ...parties } = data.authenticationContext;
  const { clientServicePrincipal, resourceServicePrincipal, user } = parties;
  return {
    source,
    tenantId: data.tenantId.toLowerCase(),
    correlationId: correlationId.toLowerCase(),
    client,
    ...(listenerId !== undefined && { listenerId: listenerId.toLowerCase() }),
    ...(extensionId !== undefined && { extensionId: extensionId.toLowerCase() }),
    ...(protocol !== undefined && { protocol }),
    ...(requestType !== undefined && { requestType }),
    ...(clientServicePrincipal && { clientServicePrincipal: withLowerCaseIds(clientServicePrincipal) }),
    ...(resourceServicePrincipal && { resourceServicePrincipal: withLowerCaseIds(resourceServicePrincipal) }),
    ...(user && { user: withLowerCaseIds(user) }),
  };
}

function withLowerCaseIds<Party extends { id?: string; appId?: string }>(party: Party): Party {
  if (party.id !== undefined) party.id = party.id.toLowerCase();
  if (party.appId !== undefined) party.appId = party.appId.toLowerCase();
  return party;
}
