import { OptionalListOf, OptionalODataType, OptionalRecordOf, OptionalScalar, OptionalText } from '../wire/decorators.js';
import type { Scalar } from '../wire/scalar.js';

/**
 * What a person has filled in while signing up.
 * Source: Microsoft, "OnAttributeCollectionStart" and "OnAttributeCollectionSubmit custom claims provider reference".
 */

export class IdentityDto {
  @OptionalText() signInType?: string;
  @OptionalText() issuer?: string;
  @OptionalText() issuerAssignedId?: string;
}

export class SignUpAttributeDto {
  @OptionalODataType() odataType?: string;
  @OptionalText() attributeType?: string;
  @OptionalScalar() value?: Scalar;
}

export class UserSignUpInfoDto {
  @OptionalRecordOf(() => SignUpAttributeDto) attributes?: Map<string, SignUpAttributeDto>;
  @OptionalListOf(() => IdentityDto) identities?: IdentityDto[];
}
