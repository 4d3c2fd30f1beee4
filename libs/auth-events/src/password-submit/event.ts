import { envelopeOf, type Envelope } from '../envelope/envelope.js';
import type { PasswordSubmitDto } from './request.dto.js';

/** A person whose password is not migrated yet has given one (external tenants). */
export interface PasswordSubmitEvent extends Envelope {
  readonly kind: 'passwordSubmit';
  /**
   * A compact JWE (RFC 7516) for the key of the app registration, around a JWT with `user-password`, `username` and `nonce`; as Entra
   * sent it, not decrypted. The answer must carry the nonce. Nothing of it belongs in a log.
   */
  readonly encryptedPasswordContext: string;
}

export function passwordSubmitEvent(dto: PasswordSubmitDto): PasswordSubmitEvent {
  return { kind: 'passwordSubmit', ...envelopeOf(dto), encryptedPasswordContext: dto.data.encryptedPasswordContext };
}
