import { envelopeOf, type PartialEnvelope } from '../envelope/envelope.js';
import type { Identity } from '../sign-up/sign-up-info.js';
import type { Scalar } from '../wire/scalar.js';
import type { VerifiedIdClaimValidationDto } from './request.dto.js';

/** A person who recovers an account has shown a Verified ID; do its claims fit the account (workforce tenants)? */
export interface VerifiedIdClaimValidationEvent extends PartialEnvelope {
  readonly kind: 'verifiedIdClaimValidation';
  readonly verifiedIdClaimsContext: {
    readonly identities: readonly Identity[];
    /** What the directory knows of the account beside the user, by name. */
    readonly additionalInfo: ReadonlyMap<string, Scalar>;
    /** What the Verified ID says, by name: dateOfBirth, documentId, … */
    readonly claims: ReadonlyMap<string, Scalar>;
  };
}

export function verifiedIdClaimValidationEvent(dto: VerifiedIdClaimValidationDto): VerifiedIdClaimValidationEvent {
  const { identities = [], additionalInfo = new Map(), claims = new Map() } = dto.data.verifiedIdClaimsContext;
  return {
    kind: 'verifiedIdClaimValidation',
    ...envelopeOf(dto),
    verifiedIdClaimsContext: { identities, additionalInfo, claims },
  };
}
