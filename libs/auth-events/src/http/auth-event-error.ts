import type { BodyIssue } from '../token-issuance-start/parse-event.js';

export type AuthEventErrorCode =
  | 'request.contentType'
  | 'request.body'
  | 'tenant.mismatch'
  /** the handler gave claims that Entra would refuse */
  | 'answer.malformed'
  /** the handler decided that there is no token */
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
