import { CommandError, exitCodes } from '../exit-codes.js';

/** Who the admin API is told that we are. */
export type Credentials =
  | { readonly kind: 'token'; readonly token: string }
  /** Client credentials (RFC 6749 §4.4), as Entra's token endpoint takes them. */
  | {
      readonly kind: 'client';
      readonly tokenUrl: string;
      readonly clientId: string;
      readonly clientSecret: string;
      readonly scope: string;
    };

/** A bearer token for the admin API, fetched where there is only a client. */
export async function bearerToken(credentials: Credentials): Promise<string> {
  if (credentials.kind === 'token') return credentials.token;
  const { tokenUrl, clientId, clientSecret, scope } = credentials;
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, scope });
  const response = await fetch(tokenUrl, { method: 'POST', body, redirect: 'error', signal: AbortSignal.timeout(10_000) }).catch(
    (error: unknown) => {
      throw new CommandError(exitCodes.unreachable, `${tokenUrl} cannot be reached (${networkCode(error)})`);
    },
  );
  const answer = (await response.json().catch(() => ({}))) as { readonly access_token?: unknown; readonly error?: unknown };
  if (response.status === 200 && typeof answer.access_token === 'string') return answer.access_token;
  const code = typeof answer.error === 'string' ? answer.error : 'no token';
  throw new CommandError(
    exitCodes.unreachable,
    `${tokenUrl} answered ${response.status} (${code})`,
    'Check the client id, its secret and the scope.',
  );
}

/** Why a request did not reach its server: Node's code of the innermost error. */
export function networkCode(error: unknown): string {
  const inner = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (inner instanceof Error && 'code' in inner && typeof inner.code === 'string') return inner.code;
  return inner instanceof Error ? inner.name : 'unknown error';
}
