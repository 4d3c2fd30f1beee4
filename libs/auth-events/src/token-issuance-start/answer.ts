import type { Fail } from '../actions.js';
import { claims, compileAnswers } from '../wire/answer-writer.js';

/** A claim of an answer: Entra takes text and lists of text, nothing else (Microsoft: custom claims provider reference). */
export type AnswerClaim = string | readonly string[];

/** The claims to put into the token; none is a valid answer. */
export interface ProvideClaims {
  readonly kind: 'provideClaims';
  readonly claims: ReadonlyMap<string, AnswerClaim>;
}

export type TokenIssuanceStartAnswer = ProvideClaims | Fail;

export const writeTokenIssuanceStartAnswer = compileAnswers<Exclude<TokenIssuanceStartAnswer, Fail>['kind']>(
  'microsoft.graph.onTokenIssuanceStartResponseData',
  { provideClaims: { type: 'microsoft.graph.tokenIssuanceStart.provideClaimsForToken', fields: { claims } } },
);
