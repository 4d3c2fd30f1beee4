import { AnswerTexts, OneActionOf, PlainActionDto } from '../wire/answer-decorators.js';
import { Nested, ODataType } from '../wire/decorators.js';

/** Source: Microsoft, account recovery with Verified ID. */

class FailedDto extends PlainActionDto {
  @AnswerTexts() failedClaims: string[];
}

class VerifiedIdClaimValidationResponseDataDto {
  @ODataType('microsoft.graph.onVerifiedIdClaimValidationResponseData') odataType: string;

  @OneActionOf({
    'microsoft.graph.verifiedIdClaimValidation.pass': PlainActionDto,
    'microsoft.graph.verifiedIdClaimValidation.failed': FailedDto,
  })
  actions: PlainActionDto[];
}

export class VerifiedIdClaimValidationResponseDto {
  @Nested(() => VerifiedIdClaimValidationResponseDataDto) data: VerifiedIdClaimValidationResponseDataDto;
}
