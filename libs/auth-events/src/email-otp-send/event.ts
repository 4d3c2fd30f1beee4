import { envelopeOf, type Envelope } from '../envelope/envelope.js';
import type { EmailOtpSendDto } from './request.dto.js';

/** A one-time code is to be sent by the handler in place of Entra (external tenants). `requestType` says what it is for. */
export interface EmailOtpSendEvent extends Envelope {
  readonly kind: 'emailOtpSend';
  /** Both are secrets: whoever reads them in a log can sign in as this person. */
  readonly otpContext: {
    /** The address to send to. */
    readonly identifier: string;
    readonly oneTimeCode: string;
  };
}

export function emailOtpSendEvent(dto: EmailOtpSendDto): EmailOtpSendEvent {
  return { kind: 'emailOtpSend', ...envelopeOf(dto), otpContext: dto.data.otpContext };
}
