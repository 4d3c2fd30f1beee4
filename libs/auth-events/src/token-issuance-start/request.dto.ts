import { CalloutDataDto, EnvelopeDto } from '../envelope/envelope.dto.js';
import { EventType, Nested, ODataType } from '../wire/decorators.js';

/** Source: Microsoft, "Custom claims provider reference". */

class TokenIssuanceStartDataDto extends CalloutDataDto {
  @ODataType('microsoft.graph.onTokenIssuanceStartCalloutData') odataType: string;
}

export class TokenIssuanceStartDto extends EnvelopeDto {
  @EventType('microsoft.graph.authenticationEvent.tokenIssuanceStart') type: string;
  @Nested(() => TokenIssuanceStartDataDto) data: TokenIssuanceStartDataDto;
}
