import { CalloutDataDto, EnvelopeDto } from '../envelope/envelope.dto.js';
import { EventType, Nested, ODataType, Text } from '../wire/decorators.js';

/** Source: Microsoft, "Just-in-time password migration to Microsoft Entra External ID". */

class PasswordSubmitDataDto extends CalloutDataDto {
  @ODataType('microsoft.graph.onPasswordSubmitCalloutData') odataType: string;
  @Text() encryptedPasswordContext: string;
}

export class PasswordSubmitDto extends EnvelopeDto {
  @EventType('microsoft.graph.authenticationEvent.passwordSubmit') type: string;
  @Nested(() => PasswordSubmitDataDto) data: PasswordSubmitDataDto;
}
