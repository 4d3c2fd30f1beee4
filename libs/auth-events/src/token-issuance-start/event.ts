import { envelopeOf, type Envelope } from '../envelope/envelope.js';
import type { TokenIssuanceStartDto } from './request.dto.js';

/** Entra is about to issue a token. */
export interface TokenIssuanceStartEvent extends Envelope {
  readonly kind: 'tokenIssuanceStart';
}

export function tokenIssuanceStartEvent(dto: TokenIssuanceStartDto): TokenIssuanceStartEvent {
  return { kind: 'tokenIssuanceStart', ...envelopeOf(dto) };
}
