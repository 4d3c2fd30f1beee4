import { OneActionOf, PlainActionDto } from '../wire/answer-decorators.js';
import { Nested, ODataType } from '../wire/decorators.js';

/** Source: Microsoft, "Configure a custom email provider for one-time passcode send events"; the capital O is theirs. */

class EmailOtpSendResponseDataDto {
  @ODataType('microsoft.graph.OnOtpSendResponseData') odataType: string;
  @OneActionOf({ 'microsoft.graph.OtpSend.continueWithDefaultBehavior': PlainActionDto }) actions: PlainActionDto[];
}

export class EmailOtpSendResponseDto {
  @Nested(() => EmailOtpSendResponseDataDto) data: EmailOtpSendResponseDataDto;
}
