import type { Fail } from '../actions.js';
import { compileAnswers, texts } from '../wire/answer-writer.js';

/** The claims fit the account. */
export interface PassVerification {
  readonly kind: 'passVerification';
}

/** These claims do not fit. */
export interface FailVerification {
  readonly kind: 'failVerification';
  readonly failedClaims: readonly string[];
}

export type VerifiedIdClaimValidationAnswer = PassVerification | FailVerification | Fail;

const action = 'microsoft.graph.verifiedIdClaimValidation';

export const writeVerifiedIdClaimValidationAnswer = compileAnswers<Exclude<VerifiedIdClaimValidationAnswer, Fail>['kind']>(
  'microsoft.graph.onVerifiedIdClaimValidationResponseData',
  {
    passVerification: { type: `${action}.pass` },
    failVerification: { type: `${action}.failed`, fields: { failedClaims: texts } },
  },
);
