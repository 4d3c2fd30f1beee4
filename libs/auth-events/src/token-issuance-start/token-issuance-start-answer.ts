/** A claim of an answer: Entra takes text and lists of text, nothing else (Microsoft: custom claims provider reference). */
export type AnswerClaim = string | readonly string[];

/** What a handler decides about a tokenIssuanceStart event. */
export type TokenIssuanceStartAnswer =
  | { readonly kind: 'provideClaims'; readonly claims: ReadonlyMap<string, AnswerClaim> }
  /** Entra issues no token. `code` is stable; `publicMessage` must hold nothing about the person. */
  | { readonly kind: 'fail'; readonly status: 500 | 503; readonly code: string; readonly publicMessage: string };

/** The answers to a tokenIssuanceStart event. */
export const answer = {
  /** The claims to put into the token; none is a valid answer. */
  provideClaims(claims: ReadonlyMap<string, AnswerClaim> | Readonly<Record<string, AnswerClaim>>): TokenIssuanceStartAnswer {
    return { kind: 'provideClaims', claims: claims instanceof Map ? claims : new Map(Object.entries(claims)) };
  },
  /** No token: better than one with wrong claims. */
  fail(code: string, publicMessage: string, status: 500 | 503 = 503): TokenIssuanceStartAnswer {
    return { kind: 'fail', status, code, publicMessage };
  },
};

/** Names and values together may have 3 KB (Microsoft: error 1003025); read as 3,000 UTF-8 bytes. */
const maximumClaimBytes = 3_000;

export type WrittenAnswer =
  | { readonly kind: 'written'; readonly body: string }
  /** The handler's claims cannot be sent; Entra would refuse them. Names only. */
  | { readonly kind: 'malformed'; readonly reason: string };

/** The body of an answer: exactly one action, as Entra asks for. Nothing malformed is ever written. */
export function writeClaims(claims: ReadonlyMap<string, AnswerClaim>): WrittenAnswer {
  let bytes = 0;
  for (const [name, value] of claims) {
    const reason = faultOf(name, value);
    if (reason !== undefined) return { kind: 'malformed', reason };
    bytes += Buffer.byteLength(name);
    for (const text of typeof value === 'string' ? [value] : value) bytes += Buffer.byteLength(text);
  }
  if (bytes > maximumClaimBytes) return { kind: 'malformed', reason: `names and values have ${bytes} bytes` };
  const action = {
    '@odata.type': 'microsoft.graph.tokenIssuanceStart.provideClaimsForToken',
    claims: Object.fromEntries(claims),
  };
  const data = { '@odata.type': 'microsoft.graph.onTokenIssuanceStartResponseData', actions: [action] };
  return { kind: 'written', body: JSON.stringify({ data }) };
}

function faultOf(name: unknown, value: unknown): string | undefined {
  if (typeof name !== 'string' || name.trim() === '') return 'a claim has no name';
  if (typeof value === 'string') return undefined;
  if (!Array.isArray(value)) return `the claim ${name} is neither text nor a list`;
  return value.every((entry) => typeof entry === 'string') ? undefined : `the claim ${name} has an entry that is not text`;
}
