import { CalloutDataDto, EnvelopeDto } from '../envelope/envelope.dto.js';
import { AlsoNamed, EventType, Nested, ODataType, Text } from '../wire/decorators.js';

/** Source: Microsoft, "Configure a custom email provider for one-time passcode send events". */

class OtpContextDto {
  @Text() identifier: string;
  @Text() @AlsoNamed('onetimecode') oneTimeCode: string;
}

class EmailOtpSendDataDto extends CalloutDataDto {
  @ODataType('microsoft.graph.onOtpSendCalloutData') odataType: string;
  @Nested(() => OtpContextDto) otpContext: OtpContextDto;
}

export class EmailOtpSendDto extends EnvelopeDto {
  @EventType('microsoft.graph.authenticationEvent.emailOtpSend') type: string;
  @Nested(() => EmailOtpSendDataDto) data: EmailOtpSendDataDto;
}
