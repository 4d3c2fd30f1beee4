import { Equals, IsArray, IsInstance, IsObject, ValidateBy, ValidateNested, ArrayMaxSize, ArrayMinSize } from 'class-validator';
import { Expose, Transform, Type } from 'class-transformer';
import type { AnswerClaim } from './answer.js';

/**
 * The answer to a tokenIssuanceStart event, as declared contract: what Entra takes, and what is written is held to.
 * Source: Microsoft, "Custom claims provider reference" (learn.microsoft.com/entra/identity-platform/custom-claims-provider-reference).
 */

const isClaim = (value: unknown): boolean =>
  typeof value === 'string' || (Array.isArray(value) && value.every((entry) => typeof entry === 'string'));

const haveNamesAndValues = (claims: unknown): boolean =>
  claims instanceof Map && [...claims].every(([name, value]) => typeof name === 'string' && name.trim() !== '' && isClaim(value));

class ProvideClaimsForTokenDto {
  @Expose({ name: '@odata.type' })
  @Equals('microsoft.graph.tokenIssuanceStart.provideClaimsForToken')
  odataType: string;

  @Expose()
  @Transform(({ obj }) => new Map(Object.entries((obj as { claims?: object }).claims ?? {})))
  @IsInstance(Map)
  @ValidateBy(
    { name: 'areClaims', validator: { validate: haveNamesAndValues } },
    { message: 'must be texts or lists of texts, each with a name' },
  )
  claims: Map<string, AnswerClaim>;
}

class TokenIssuanceStartResponseDataDto {
  @Expose({ name: '@odata.type' })
  @Equals('microsoft.graph.onTokenIssuanceStartResponseData')
  odataType: string;

  /** Exactly one (error 1003010). */
  @Expose()
  @Type(() => ProvideClaimsForTokenDto)
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(1)
  @ValidateNested({ each: true })
  actions: ProvideClaimsForTokenDto[];
}

export class TokenIssuanceStartResponseDto {
  @Expose()
  @Type(() => TokenIssuanceStartResponseDataDto)
  @IsObject()
  @ValidateNested()
  data: TokenIssuanceStartResponseDataDto;
}
