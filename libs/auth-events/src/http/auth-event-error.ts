import type { BodyIssue } from '../wire/json-body.js';

export type AuthEventErrorCode =
  | 'request.contentType'
  | 'request.body'
  | 'tenant.mismatch'
  /** the handler gave an answer that Entra would refuse */
  | 'answer.malformed'
  /** the handler decided to fail */
  | (string & {});

/** A request that gets no claims. `publicMessage` and `issues` go out; `message` and `detail` are for the log. */
export class AuthEventError extends Error {
  override readonly name = 'AuthEventError';

  constructor(
    readonly code: AuthEventErrorCode,
    readonly status: 400 | 403 | 415 | 500 | 503,
    readonly publicMessage: string,
    readonly more: { readonly issues?: readonly BodyIssue[]; readonly detail?: string; readonly correlationId?: string } = {},
  ) {
    super(more.detail ?? publicMessage);
  }
}
