import type { SetPrefillValues } from './attribute-collection-start/answer.js';
import type { ModifyAttributeValues, ShowValidationError } from './attribute-collection-submit/answer.js';
import type { ContinueWithDefaultBehavior, Fail, ShowBlockPage } from './actions.js';
import type { BlockPage, PasswordSubmitAnswer } from './password-submit/answer.js';
import type { AnswerClaim, ProvideClaims } from './token-issuance-start/answer.js';
import type { FailVerification, PassVerification } from './verified-id-claim-validation/answer.js';
import type { Scalar } from './wire/scalar.js';

/** What a handler may give where names are data: a Map, or an object whose own members are taken. */
export type Entries<Value> = ReadonlyMap<string, Value> | Readonly<Record<string, Value>>;

function mapOf<Value>(entries: Entries<Value>): ReadonlyMap<string, Value> {
  return entries instanceof Map ? entries : new Map(Object.entries(entries));
}

type Password<Kind extends string> = Extract<PasswordSubmitAnswer, { kind: Kind }>;

/**
 * What a handler can decide. The type of each result says which events it answers, so that a handler cannot give the action of another
 * event.
 */
export const answer = {
  /** Any event: Entra gets no answer, only this status. For a token: better none than one with wrong claims. */
  fail: (code: string, publicMessage: string, status: 500 | 503 = 503): Fail => ({ kind: 'fail', status, code, publicMessage }),

  /** tokenIssuanceStart: the claims to put into the token; none is a valid answer. */
  provideClaims: (claims: Entries<AnswerClaim>): ProvideClaims => ({ kind: 'provideClaims', claims: mapOf(claims) }),

  /** attributeCollectionStart, attributeCollectionSubmit; emailOtpSend once the code is sent. */
  continueWithDefaultBehavior: (): ContinueWithDefaultBehavior => ({ kind: 'continueWithDefaultBehavior' }),
  /** attributeCollectionStart: the person finds these values in the fields. */
  setPrefillValues: (inputs: Entries<Scalar>): SetPrefillValues => ({ kind: 'setPrefillValues', inputs: mapOf(inputs) }),
  /** attributeCollectionStart, attributeCollectionSubmit: the person reads a message and gets no further. */
  showBlockPage: (message: string): ShowBlockPage => ({ kind: 'showBlockPage', message }),
  /** attributeCollectionSubmit: these values are stored in place of what the person filled in. */
  modifyAttributeValues: (attributes: Entries<Scalar>): ModifyAttributeValues => ({
    kind: 'modifyAttributeValues',
    attributes: mapOf(attributes),
  }),
  /** attributeCollectionSubmit: the person is shown what to correct. */
  showValidationError: (error: { readonly message: string; readonly attributeErrors: Entries<string> }): ShowValidationError => ({
    kind: 'showValidationError',
    message: error.message,
    attributeErrors: mapOf(error.attributeErrors),
  }),

  /** passwordSubmit: the password is right; Entra keeps it. */
  migratePassword: (nonce: string): Password<'migratePassword'> => ({ kind: 'migratePassword', nonce }),
  /** passwordSubmit: the password is right, but weak or expired; the person chooses another. */
  updatePassword: (nonce: string): Password<'updatePassword'> => ({ kind: 'updatePassword', nonce }),
  /** passwordSubmit: the password is wrong; the person may try again. */
  retryPassword: (nonce: string): Password<'retryPassword'> => ({ kind: 'retryPassword', nonce }),
  /** passwordSubmit: no sign-in. */
  blockSignIn: (nonce: string, page: BlockPage = {}): Password<'blockSignIn'> => ({ kind: 'blockSignIn', nonce, ...page }),

  /** verifiedIdClaimValidation: the claims fit the account. */
  passVerification: (): PassVerification => ({ kind: 'passVerification' }),
  /** verifiedIdClaimValidation: these claims do not. */
  failVerification: (failedClaims: readonly string[]): FailVerification => ({ kind: 'failVerification', failedClaims }),
} as const;
