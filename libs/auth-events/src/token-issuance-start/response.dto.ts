import { Claims, OneActionOf, PlainActionDto } from '../wire/answer-decorators.js';
import { Nested, ODataType } from '../wire/decorators.js';

/** Source: Microsoft, "Custom claims provider reference". */

class ProvideClaimsForTokenDto extends PlainActionDto {
  @Claims() claims: Map<string, string | string[]>;
}

class TokenIssuanceStartResponseDataDto {
  @ODataType('microsoft.graph.onTokenIssuanceStartResponseData') odataType: string;
  @OneActionOf({ 'microsoft.graph.tokenIssuanceStart.provideClaimsForToken': ProvideClaimsForTokenDto })
  actions: PlainActionDto[];
}

export class TokenIssuanceStartResponseDto {
  @Nested(() => TokenIssuanceStartResponseDataDto) data: TokenIssuanceStartResponseDataDto;
}
