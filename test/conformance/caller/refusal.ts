import type { RefusalCode } from '#entra-auth';
import type { Answer } from '../../e2e/stack.js';
import type { TrustStack } from './trust-stack.js';

/** What became of a request: for its sender, for the operator, and inside. */
export interface Account {
  readonly status: number;
  readonly code: string;
  readonly contentType: string;
  /** The value of `WWW-Authenticate`. */
  readonly challenge: string | null;
  /** Why, in the log: the code that the detail begins with. */
  readonly reason: string;
  /** Parts of the token that the answer or the log repeats. */
  readonly leaks: readonly string[];
  /** What the request reached beyond the check of its caller: fields of the log that the handler writes, sources that were asked. */
  readonly reached: readonly string[];
}

const problem = { contentType: 'application/problem+json; charset=utf-8', challenge: null, leaks: [], reached: [] };

/** As every caller is answered that is not authenticated; the rule that was broken is for the log. */
export const unauthenticated = (reason: RefusalCode): Account => ({
  ...problem,
  status: 401,
  code: 'caller.unauthenticated',
  challenge: reason === 'token.missing' ? 'Bearer' : 'Bearer error="invalid_token"',
  reason,
});

/** Any other refusal. */
export const refusedWith = (status: number, code: string, reason: string): Account => ({ ...problem, status, code, reason });

/** Does the request and tells all that it caused. */
export async function accountOf(stack: TrustStack, token: string, request: () => Promise<Answer>): Promise<Account> {
  const from = stack.service.log.length;
  const before = { ...stack.lookups };
  const { status, headers, text, json } = await request();
  const { code = '', correlationId } = (json ?? {}) as { readonly code?: string; readonly correlationId?: string };
  // Claims have no correlation id: what should have been refused was accepted, and there is no line to wait for.
  const line =
    correlationId === undefined
      ? {}
      : await stack.service.line((candidate) => candidate['correlationId'] === correlationId, from);
  const said = `${JSON.stringify([...headers])}${text}${JSON.stringify(stack.service.log.slice(from))}`;
  const sources = Object.entries(stack.lookups).flatMap(([tenant, count]) =>
    count === before[tenant as keyof typeof before] ? [] : [`the source of ${tenant}`],
  );
  return {
    status,
    code,
    contentType: headers.get('content-type') ?? '',
    challenge: headers.get('www-authenticate'),
    reason: /^[\w.]+(?=:)|^.*$/.exec(String(line['detail'] ?? ''))?.[0] ?? '',
    leaks: partsOf(token).filter((part) => said.includes(part)),
    reached: [...['tenant', 'application', 'mapping', 'lookups', 'err'].filter((field) => field in line), ...sources],
  };
}

/** What would give the token away: its parts, where they are long enough to be no coincidence. */
function partsOf(token: string): readonly string[] {
  return token
    .split(/[.\s]/)
    .filter((part) => part.length >= 12)
    .map((part) => part.slice(0, 200));
}
