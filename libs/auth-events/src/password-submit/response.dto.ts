import { AnswerText, OneActionOf, OptionalAnswerText, PlainActionDto } from '../wire/answer-decorators.js';
import { Nested, ODataType } from '../wire/decorators.js';

/** Source: Microsoft, "Just-in-time password migration to Microsoft Entra External ID". */

class BlockDto extends PlainActionDto {
  @OptionalAnswerText() title?: string;
  @OptionalAnswerText() message?: string;
}

class PasswordSubmitResponseDataDto {
  @ODataType('microsoft.graph.onPasswordSubmitResponseData') odataType: string;

  @OneActionOf({
    'microsoft.graph.passwordSubmit.MigratePassword': PlainActionDto,
    'microsoft.graph.passwordSubmit.UpdatePassword': PlainActionDto,
    'microsoft.graph.passwordSubmit.Retry': PlainActionDto,
    'microsoft.graph.passwordSubmit.Block': BlockDto,
  })
  actions: PlainActionDto[];

  @AnswerText() nonce: string;
}

export class PasswordSubmitResponseDto {
  @Nested(() => PasswordSubmitResponseDataDto) data: PasswordSubmitResponseDataDto;
}
