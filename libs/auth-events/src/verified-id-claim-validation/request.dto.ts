import { CircumstancesDto, EnvelopeDto, UserPropertiesDto } from '../envelope/envelope.dto.js';
import { IdentityDto } from '../sign-up/sign-up-info.dto.js';
import {
  EventType,
  Guid,
  Nested,
  ODataType,
  OptionalGuid,
  OptionalListOf,
  OptionalNested,
  OptionalRecordOfScalars,
} from '../wire/decorators.js';
import type { Scalar } from '../wire/scalar.js';

/** Source: Microsoft, account recovery with Verified ID; its samples also lack listener, extension and the user's id. */

class RecoveringUserDto extends UserPropertiesDto {
  @OptionalGuid() id?: string;
}

class RecoveryContextDto extends CircumstancesDto {
  @OptionalNested(() => RecoveringUserDto) user?: RecoveringUserDto;
}

class VerifiedIdClaimsContextDto {
  @OptionalListOf(() => IdentityDto) identities?: IdentityDto[];
  @OptionalRecordOfScalars() additionalInfo?: Map<string, Scalar>;
  @OptionalRecordOfScalars() claims?: Map<string, Scalar>;
}

class VerifiedIdClaimValidationDataDto {
  @ODataType('microsoft.graph.onVerifiedIdClaimValidationCalloutData') odataType: string;
  @Guid() tenantId: string;
  @OptionalGuid() authenticationEventListenerId?: string;
  @OptionalGuid() customAuthenticationExtensionId?: string;
  @Nested(() => RecoveryContextDto) authenticationContext: RecoveryContextDto;
  @Nested(() => VerifiedIdClaimsContextDto) verifiedIdClaimsContext: VerifiedIdClaimsContextDto;
}

export class VerifiedIdClaimValidationDto extends EnvelopeDto {
  @EventType('microsoft.graph.authenticationEvent.verifiedIdClaimValidation') type: string;
  @Nested(() => VerifiedIdClaimValidationDataDto) data: VerifiedIdClaimValidationDataDto;
}
