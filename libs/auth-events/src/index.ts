export type { ContinueWithDefaultBehavior, Fail, ShowBlockPage } from './actions.js';
export { answer, type Entries } from './answer.js';
export type { AttributeCollectionStartAnswer } from './attribute-collection-start/answer.js';
export type { AttributeCollectionStartEvent } from './attribute-collection-start/event.js';
export type { AttributeCollectionSubmitAnswer } from './attribute-collection-submit/answer.js';
export type { AttributeCollectionSubmitEvent } from './attribute-collection-submit/event.js';
export {
  authEventKinds,
  parseAuthEvent,
  parseTokenIssuanceStart,
  writeAnswer,
  type AuthEvent,
  type AuthEventKind,
  type ParsedEvent,
  type WrittenAnswer,
} from './auth-events.js';
export { entraErrors, type EntraError } from './entra-errors.js';
export type { EmailOtpSendAnswer } from './email-otp-send/answer.js';
export type { EmailOtpSendEvent } from './email-otp-send/event.js';
export type { ServicePrincipal, User, UserProperties } from './envelope/envelope.js';
export { AuthEventError, type AuthEventErrorCode } from './http/auth-event-error.js';
export { AuthEventHandler, type AuthEventAnswer, type CalloutContext } from './http/auth-event-handler.js';
export type { AuthEventOptions } from './http/auth-event-options.js';
export { AuthEventsModule } from './http/auth-events.module.js';
export { authEventAdapter, maximumBodyBytes, takeBodiesAsBytes } from './http/fastify-options.js';
export { ProblemFilter, type ProblemReport } from './http/problem.js';
export type { PasswordSubmitAnswer } from './password-submit/answer.js';
export type { PasswordSubmitEvent } from './password-submit/event.js';
export type { Identity, SignUpAttribute, UserSignUpInfo } from './sign-up/sign-up-info.js';
export type { AnswerClaim, TokenIssuanceStartAnswer } from './token-issuance-start/answer.js';
export type { TokenIssuanceStartEvent } from './token-issuance-start/event.js';
export type { VerifiedIdClaimValidationAnswer } from './verified-id-claim-validation/answer.js';
export type { VerifiedIdClaimValidationEvent } from './verified-id-claim-validation/event.js';
export type { AcceptorDisagreement } from './wire/event-reader.js';
export type { BodyIssue } from './wire/json-body.js';
export type { Scalar } from './wire/scalar.js';
