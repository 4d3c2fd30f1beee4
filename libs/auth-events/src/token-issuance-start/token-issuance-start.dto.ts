import 'reflect-metadata';
import { Expose, Type } from 'class-transformer';
import { Equals, IsNotEmpty, IsObject, IsOptional, IsString, Matches, ValidateNested } from 'class-validator';

/**
 * The wire format of the tokenIssuanceStart request, as declared contract.
 * Source: Microsoft, "Custom claims provider reference" (learn.microsoft.com/entra/identity-platform/custom-claims-provider-reference),
 * widened to what Entra is known to send: absent and null fields alike, unknown protocol words, any text as client address, a user
 * without a user principal name (social accounts), no user at all (a service signs in).
 */

/** 8-4-4-4-12 hexadecimal digits of any version: Microsoft's own samples are not RFC 9562 versions. */
const Guid = (): PropertyDecorator =>
  Matches(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, { message: 'must be a GUID' });

const Text = (): PropertyDecorator => IsString({ message: 'must be a text' });

const OptionalText = (): PropertyDecorator => (target, property) => {
  Expose()(target, property);
  IsOptional()(target, property);
  Text()(target, property);
};

export const eventType = 'microsoft.graph.authenticationEvent.tokenIssuanceStart';
export const calloutDataType = 'microsoft.graph.onTokenIssuanceStartCalloutData';

export class ClientDto {
  @OptionalText() ip?: string | null;
  @OptionalText() locale?: string | null;
  @OptionalText() market?: string | null;
}

export class ServicePrincipalDto {
  @Expose() @Guid() id: string;
  @Expose() @Guid() appId: string;
  @OptionalText() appDisplayName?: string | null;
  @OptionalText() displayName?: string | null;
}

export class UserDto {
  @Expose() @Guid() id: string;
  @OptionalText() userPrincipalName?: string | null;
  @OptionalText() userType?: string | null;
  @OptionalText() displayName?: string | null;
  @OptionalText() givenName?: string | null;
  @OptionalText() surname?: string | null;
  @OptionalText() mail?: string | null;
  @OptionalText() companyName?: string | null;
  @OptionalText() createdDateTime?: string | null;
  @OptionalText() preferredLanguage?: string | null;
  @OptionalText() preferredDataLocation?: string | null;
  @OptionalText() onPremisesSamAccountName?: string | null;
  @OptionalText() onPremisesUserPrincipalName?: string | null;
  @OptionalText() onPremisesSecurityIdentifier?: string | null;
}

const Nested =
  (type: () => new () => object): PropertyDecorator =>
  (target, property) => {
    Expose()(target, property);
    Type(type)(target, property);
    IsObject({ message: 'must be an object' })(target, property);
    ValidateNested({ message: 'must be an object' })(target, property);
  };

export class AuthenticationContextDto {
  @Expose() @Guid() correlationId: string;
  @OptionalText() protocol?: string | null;
  @OptionalText() requestType?: string | null;
  @IsOptional() @Nested(() => ClientDto) client?: ClientDto | null;
  @IsOptional() @Nested(() => ServicePrincipalDto) clientServicePrincipal?: ServicePrincipalDto | null;
  @IsOptional() @Nested(() => ServicePrincipalDto) resourceServicePrincipal?: ServicePrincipalDto | null;
  @IsOptional() @Nested(() => UserDto) user?: UserDto | null;
}

export class CalloutDataDto {
  @Expose({ name: '@odata.type' })
  @Equals(calloutDataType, { message: `must be ${calloutDataType}` })
  odataType: string;

  @Expose() @Guid() tenantId: string;
  @Expose() @Guid() authenticationEventListenerId: string;
  @Expose() @Guid() customAuthenticationExtensionId: string;
  @Nested(() => AuthenticationContextDto) authenticationContext: AuthenticationContextDto;
}

export class TokenIssuanceStartDto {
  /** Compared ignoring case, as Microsoft's own trigger library does. */
  @Expose()
  @Matches(new RegExp(`^${eventType.replaceAll('.', '\\.')}$`, 'i'), { message: `must be ${eventType}` })
  type: string;

  @Expose() @Text() @IsNotEmpty({ message: 'must not be empty' }) source: string;
  @Nested(() => CalloutDataDto) data: CalloutDataDto;
}
