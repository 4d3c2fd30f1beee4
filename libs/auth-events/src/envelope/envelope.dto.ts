import { AlsoNamed, Guid, OptionalNested, OptionalText, Nested, Text } from '../wire/decorators.js';

/**
 * What the requests of all events have in common, as declared contract.
 * Source: Microsoft, "Custom claims provider reference" (learn.microsoft.com/entra/identity-platform/custom-claims-provider-reference),
 * widened to what Entra is known to send: absent and null fields alike, unknown protocol words, any text as client address, a user
 * without a user principal name (social accounts), no user at all (a service signs in).
 */

export class ClientDto {
  @OptionalText() @AlsoNamed('clientIp') ip?: string;
  @OptionalText() locale?: string;
  @OptionalText() market?: string;
}

export class ServicePrincipalDto {
  @Guid() id: string;
  @Guid() appId: string;
  @OptionalText() appDisplayName?: string;
  @OptionalText() displayName?: string;
}

/** The properties of a user that Microsoft documents, without the id. */
export abstract class UserPropertiesDto {
  @OptionalText() userPrincipalName?: string;
  @OptionalText() userType?: string;
  @OptionalText() displayName?: string;
  @OptionalText() givenName?: string;
  @OptionalText() surname?: string;
  @OptionalText() mail?: string;
  @OptionalText() companyName?: string;
  @OptionalText() createdDateTime?: string;
  @OptionalText() preferredLanguage?: string;
  @OptionalText() preferredDataLocation?: string;
  @OptionalText() onPremisesSamAccountName?: string;
  @OptionalText() onPremisesUserPrincipalName?: string;
  @OptionalText() onPremisesSecurityIdentifier?: string;
}

export class UserDto extends UserPropertiesDto {
  @Guid() id: string;
}

/** The circumstances of a sign-in, without the person. */
export abstract class CircumstancesDto {
  @Guid() correlationId: string;
  @OptionalText() protocol?: string;
  @OptionalText() requestType?: string;
  @OptionalNested(() => ClientDto) client?: ClientDto;
  @OptionalNested(() => ServicePrincipalDto) clientServicePrincipal?: ServicePrincipalDto;
  @OptionalNested(() => ServicePrincipalDto) resourceServicePrincipal?: ServicePrincipalDto;
}

export class AuthenticationContextDto extends CircumstancesDto {
  @OptionalNested(() => UserDto) user?: UserDto;
}

export abstract class CalloutDataDto {
  @Guid() tenantId: string;
  @Guid() authenticationEventListenerId: string;
  @Guid() customAuthenticationExtensionId: string;
  @Nested(() => AuthenticationContextDto) authenticationContext: AuthenticationContextDto;
}

export abstract class EnvelopeDto {
  @Text() source: string;
}
