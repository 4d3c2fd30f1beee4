import { ShowBlockPageDto } from '../sign-up/show-block-page.dto.js';
import { OneActionOf, PlainActionDto, Scalars } from '../wire/answer-decorators.js';
import { Nested, ODataType } from '../wire/decorators.js';
import type { Scalar } from '../wire/scalar.js';

/** Source: Microsoft, "OnAttributeCollectionStart custom claims provider reference". */

class SetPrefillValuesDto extends PlainActionDto {
  @Scalars() inputs: Map<string, Scalar>;
}

class AttributeCollectionStartResponseDataDto {
  @ODataType('microsoft.graph.onAttributeCollectionStartResponseData') odataType: string;

  @OneActionOf({
    'microsoft.graph.attributeCollectionStart.continueWithDefaultBehavior': PlainActionDto,
    'microsoft.graph.attributeCollectionStart.setPrefillValues': SetPrefillValuesDto,
    'microsoft.graph.attributeCollectionStart.showBlockPage': ShowBlockPageDto,
  })
  actions: PlainActionDto[];
}

export class AttributeCollectionStartResponseDto {
  @Nested(() => AttributeCollectionStartResponseDataDto) data: AttributeCollectionStartResponseDataDto;
}
