import { ShowBlockPageDto } from '../sign-up/show-block-page.dto.js';
import { AnswerText, OneActionOf, PlainActionDto, Scalars, TextByName } from '../wire/answer-decorators.js';
import { Nested, ODataType } from '../wire/decorators.js';
import type { Scalar } from '../wire/scalar.js';

/** Source: Microsoft, "OnAttributeCollectionSubmit custom claims provider reference". */

class ModifyAttributeValuesDto extends PlainActionDto {
  @Scalars() attributes: Map<string, Scalar>;
}

class ShowValidationErrorDto extends PlainActionDto {
  @AnswerText() message: string;
  @TextByName() attributeErrors: Map<string, string>;
}

class AttributeCollectionSubmitResponseDataDto {
  @ODataType('microsoft.graph.onAttributeCollectionSubmitResponseData') odataType: string;

  @OneActionOf({
    'microsoft.graph.attributeCollectionSubmit.continueWithDefaultBehavior': PlainActionDto,
    'microsoft.graph.attributeCollectionSubmit.modifyAttributeValues': ModifyAttributeValuesDto,
    'microsoft.graph.attributeCollectionSubmit.showValidationError': ShowValidationErrorDto,
    'microsoft.graph.attributeCollectionSubmit.showBlockPage': ShowBlockPageDto,
  })
  actions: PlainActionDto[];
}

export class AttributeCollectionSubmitResponseDto {
  @Nested(() => AttributeCollectionSubmitResponseDataDto) data: AttributeCollectionSubmitResponseDataDto;
}
