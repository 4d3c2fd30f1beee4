import type { FastifyRequest } from 'fastify';
import type { AttributeCollectionStartAnswer } from '../attribute-collection-start/answer.js';
import type { AttributeCollectionSubmitAnswer } from '../attribute-collection-submit/answer.js';
import type { AuthEvent, AuthEventKind } from '../auth-events.js';
import type { EmailOtpSendAnswer } from '../email-otp-send/answer.js';
import type { PasswordSubmitAnswer } from '../password-submit/answer.js';
import type { TokenIssuanceStartAnswer } from '../token-issuance-start/answer.js';
import type { VerifiedIdClaimValidationAnswer } from '../verified-id-claim-validation/answer.js';

/** The circumstances of an event. */
export interface CalloutContext {
  /** When the request was received, on the clock of `performance.now()`. */
  readonly receivedAt: number;
  readonly request: FastifyRequest;
}

/** What a handler may answer to an event of each kind. */
export interface AuthEventAnswers {
  readonly tokenIssuanceStart: TokenIssuanceStartAnswer;
  readonly attributeCollectionStart: AttributeCollectionStartAnswer;
  readonly attributeCollectionSubmit: AttributeCollectionSubmitAnswer;
  readonly emailOtpSend: EmailOtpSendAnswer;
  readonly passwordSubmit: PasswordSubmitAnswer;
  readonly verifiedIdClaimValidation: VerifiedIdClaimValidationAnswer;
}

export type AuthEventAnswer<Kind extends AuthEventKind = AuthEventKind> = AuthEventAnswers[Kind];

type Decision<Kind extends AuthEventKind> = AuthEventAnswer<Kind> | Promise<AuthEventAnswer<Kind>>;

/**
 * Decides on events. Written by whoever uses `AuthEventsModule`: the events with a method are the ones that are served. Methods, not
 * properties: the routes are made before there is an instance.
 */
export abstract class AuthEventHandler {
  onTokenIssuanceStart?(event: AuthEvent<'tokenIssuanceStart'>, context: CalloutContext): Decision<'tokenIssuanceStart'>;

  onAttributeCollectionStart?(
    event: AuthEvent<'attributeCollectionStart'>,
    context: CalloutContext,
  ): Decision<'attributeCollectionStart'>;

  onAttributeCollectionSubmit?(
    event: AuthEvent<'attributeCollectionSubmit'>,
    context: CalloutContext,
  ): Decision<'attributeCollectionSubmit'>;

  onEmailOtpSend?(event: AuthEvent<'emailOtpSend'>, context: CalloutContext): Decision<'emailOtpSend'>;

  onPasswordSubmit?(event: AuthEvent<'passwordSubmit'>, context: CalloutContext): Decision<'passwordSubmit'>;

  onVerifiedIdClaimValidation?(
    event: AuthEvent<'verifiedIdClaimValidation'>,
    context: CalloutContext,
  ): Decision<'verifiedIdClaimValidation'>;
}

/** The method of a handler, and the last part of the address, for an event of this kind. */
export type HandlerMethod = keyof AuthEventHandler;

export function handlerMethodOf(kind: AuthEventKind): HandlerMethod {
  return `on${kind[0]!.toUpperCase()}${kind.slice(1)}` as HandlerMethod;
}
