import { CalloutDataDto, EnvelopeDto } from '../envelope/envelope.dto.js';
import { UserSignUpInfoDto } from '../sign-up/sign-up-info.dto.js';
import { EventType, Nested, ODataType, OptionalNested } from '../wire/decorators.js';

/** Source: Microsoft, "OnAttributeCollectionStart custom claims provider reference". */

class AttributeCollectionStartDataDto extends CalloutDataDto {
  @ODataType('microsoft.graph.onAttributeCollectionStartCalloutData') odataType: string;
  @OptionalNested(() => UserSignUpInfoDto) userSignUpInfo?: UserSignUpInfoDto;
}

export class AttributeCollectionStartDto extends EnvelopeDto {
  @EventType('microsoft.graph.authenticationEvent.attributeCollectionStart') type: string;
  @Nested(() => AttributeCollectionStartDataDto) data: AttributeCollectionStartDataDto;
}
