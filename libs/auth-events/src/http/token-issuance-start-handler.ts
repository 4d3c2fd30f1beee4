import type { FastifyRequest } from 'fastify';
import type { TokenIssuanceStartAnswer } from '../token-issuance-start/token-issuance-start-answer.js';
import type { TokenIssuanceStartEvent } from '../token-issuance-start/token-issuance-start-event.js';

/** The circumstances of an event. */
export interface CalloutContext {
  /** When the request was received, on the clock of `performance.now()`. */
  readonly receivedAt: number;
  readonly request: FastifyRequest;
}

/** Decides on the claims of a token. Written by whoever uses `AuthEventsModule`. */
export abstract class TokenIssuanceStartHandler {
  abstract onTokenIssuanceStart(event: TokenIssuanceStartEvent, context: CalloutContext): Promise<TokenIssuanceStartAnswer>;
}
