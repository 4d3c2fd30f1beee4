import type { RefusalCode, Refused } from './token-claims.js';

export type EntraAuthErrorCode = 'caller.unauthenticated' | 'caller.limited' | 'caller.forbidden' | 'keys.unavailable';

/**
 * A request whose caller is not known, not allowed, or cannot be established now. `code`, `publicMessage` and `headers` go out and
 * tell an attacker nothing; `detail` and `refusal` are for the log.
 */
export class EntraAuthError extends Error {
  override readonly name = 'EntraAuthError';

  constructor(
    readonly code: EntraAuthErrorCode,
    readonly status: 401 | 403 | 429 | 503,
    readonly publicMessage: string,
    readonly headers: Readonly<Record<string, string>>,
    readonly detail: string,
    /** Which rule the token broke, where it was one. */
    readonly refusal?: RefusalCode,
    /** Further members of the answer's body; they go out. */
    readonly members?: { readonly remedy: string },
  ) {
    super(detail);
  }
}

/** 401 with the challenge of RFC 6750 §3, which has no error code where no token came. */
export function unauthenticated({ code, detail }: Refused): EntraAuthError {
  const challenge = code === 'token.missing' ? 'Bearer' : 'Bearer error="invalid_token"';
  return new EntraAuthError(
    'caller.unauthenticated',
    401,
    'The caller is not authenticated.',
    { 'www-authenticate': challenge },
    `${code}: ${detail}`,
    code,
  );
}

/**
 * 429 instead of 401, for a peer that failed too often. The connection ends with it.
 * @param wait milliseconds until failures are answered by 401 again
 */
export function limited(cause: EntraAuthError, wait: number): EntraAuthError {
  return new EntraAuthError(
    'caller.limited',
    429,
    'The caller failed to authenticate too often.',
    { 'retry-after': String(Math.max(1, Math.ceil(wait / 1_000))), connection: 'close' },
    cause.detail,
    cause.refusal,
  );
}

/** 503: it cannot be told now whether the token is good. Never 401, which would say that it is not. */
export function keysUnavailable(detail: string): EntraAuthError {
  return new EntraAuthError('keys.unavailable', 503, 'The caller cannot be authenticated now.', { 'retry-after': '1' }, detail);
}

/** @param remedy told to the caller, who is authenticated by then */
export function forbidden(detail: string, remedy?: string): EntraAuthError {
  const members = remedy === undefined ? undefined : { remedy };
  return new EntraAuthError('caller.forbidden', 403, 'The caller may not do this.', {}, detail, undefined, members);
}
