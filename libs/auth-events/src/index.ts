export { AuthEventError, type AuthEventErrorCode } from './http/auth-event-error.js';
export type { AuthEventOptions } from './http/auth-event-options.js';
export { AuthEventsModule } from './http/auth-events.module.js';
export { authEventAdapter, maximumBodyBytes, takeBodiesAsBytes } from './http/fastify-options.js';
export { ProblemFilter, type ProblemReport } from './http/problem.js';
export { TokenIssuanceStartHandler, type CalloutContext } from './http/token-issuance-start-handler.js';
export { parseTokenIssuanceStart, type BodyIssue, type ParsedEvent } from './token-issuance-start/parse-event.js';
export {
  answer,
  writeClaims,
  type AnswerClaim,
  type TokenIssuanceStartAnswer,
} from './token-issuance-start/token-issuance-start-answer.js';
export type { ServicePrincipal, TokenIssuanceStartEvent, User } from './token-issuance-start/token-issuance-start-event.js';
