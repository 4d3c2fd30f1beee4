import { CalloutDataDto, EnvelopeDto } from '../envelope/envelope.dto.js';
import { UserSignUpInfoDto } from '../sign-up/sign-up-info.dto.js';
import { EventType, Nested, ODataType, OptionalNested } from '../wire/decorators.js';

/** Source: Microsoft, "OnAttributeCollectionSubmit custom claims provider reference". */

class AttributeCollectionSubmitDataDto extends CalloutDataDto {
  @ODataType('microsoft.graph.onAttributeCollectionSubmitCalloutData') odataType: string;
  @OptionalNested(() => UserSignUpInfoDto) userSignUpInfo?: UserSignUpInfoDto;
}

export class AttributeCollectionSubmitDto extends EnvelopeDto {
  @EventType('microsoft.graph.authenticationEvent.attributeCollectionSubmit') type: string;
  @Nested(() => AttributeCollectionSubmitDataDto) data: AttributeCollectionSubmitDataDto;
}
