import type { CalloutAnswer } from './callout.js';

/** Entra accepts 3 KB of claim names and values together (1003025). Whether that is 3,000 or 3,072 is not said: the stricter is used. */
export const maximumClaimBytes = 3_000;

/** Entra's codes for what an API can get wrong, as the troubleshooting page of custom authentication extensions lists them. */
export const errorNames = {
  1003002: 'CustomExtensionInvalidHTTPStatus',
  1003003: 'CustomExtensionInvalidResponseBody',
  1003005: 'CustomExtensionTimedOut',
  1003006: 'CustomExtensionInvalidResponseContentType',
  1003007: 'CustomExtensionNullClaimsResponse',
  1003009: 'CustomExtensionEmptyResponse',
  1003010: 'CustomExtensionInvalidNumberOfActions',
  1003012: 'CustomExtensionInvalidActionType',
  1003024: 'CustomExtensionResponseSizeExceeded',
  1003025: 'CustomExtensionResponseClaimsSizeExceeded',
  1003026: 'CustomExtensionNullOrEmptyClaimKeyNotSupported',
  1003027: 'CustomExtensionConnectionError',
} as const;

export type ErrorCode = keyof typeof errorNames;
export type ClaimValue = string | readonly string[];

/** `detail` says where the answer is wrong, never with a claim's value. `response` is the parsed body, as far as there is one. */
export type Verdict =
  | { readonly kind: 'provided'; readonly claims: ReadonlyMap<string, ClaimValue>; readonly response: unknown }
  | { readonly kind: 'refused'; readonly errorCode: ErrorCode; readonly detail: string; readonly response?: unknown };

/** Judges the answer of a claims provider to a tokenIssuanceStart event. What Microsoft calls unsupported, or leaves open, is refused. */
export function judge(answer: CalloutAnswer): Verdict {
  switch (answer.kind) {
    case 'timedOut':
      return refused(1003005, 'no complete answer within the timeout');
    case 'notConnected':
      return refused(1003027, 'no connection, or it ended before the answer was complete');
    case 'tooLarge':
      return refused(1003024, 'the answer is larger than 1 MB');
    case 'answered':
  }
  const response = parse(answer.body);
  const context = response.kind === 'parsed' ? { response: response.value } : {};
  if (answer.status !== 200) return { ...refused(1003002, `the status is ${answer.status}, not 200`), ...context };
  if (!isJson(answer.contentType)) return { ...refused(1003006, 'the content type is not application/json'), ...context };
  if (response.kind === 'empty') return refused(1003009, 'the body is empty');
  if (response.kind === 'malformed') return refused(1003003, 'the body is not JSON in UTF-8');
  return { ...judgeBody(response.value), ...context } as Verdict;
}

function judgeBody(body: unknown): Verdict {
  if (!isObject(body) || !isObject(body['data'])) return refused(1003003, 'data must be an object');
  const { data } = body;
  if (data['@odata.type'] !== 'microsoft.graph.onTokenIssuanceStartResponseData')
    return refused(1003003, 'data.@odata.type must be microsoft.graph.onTokenIssuanceStartResponseData');
  const { actions } = data;
  if (!Array.isArray(actions)) return refused(1003003, 'data.actions must be a list');
  if (actions.length !== 1) return refused(1003010, `data.actions has ${actions.length} entries; this event takes exactly one`);
  const action: unknown = actions[0];
  if (!isObject(action) || typeof action['@odata.type'] !== 'string')
    return refused(1003003, 'data.actions.0.@odata.type must be a text');
  if (action['@odata.type'] !== 'microsoft.graph.tokenIssuanceStart.provideClaimsForToken')
    return refused(1003012, 'data.actions.0.@odata.type must be microsoft.graph.tokenIssuanceStart.provideClaimsForToken');
  return judgeClaims(action['claims'], body);
}

function judgeClaims(given: unknown, response: unknown): Verdict {
  if (given === undefined || given === null) return refused(1003007, 'data.actions.0.claims must not be null; {} is allowed');
  if (!isObject(given)) return refused(1003003, 'data.actions.0.claims must be an object');
  const claims = new Map<string, ClaimValue>();
  let bytes = 0;
  for (const [name, value] of Object.entries(given)) {
    if (name === '') return refused(1003026, 'data.actions.0.claims has an empty name');
    if (!isClaimValue(value)) return refused(1003003, `the claim ${JSON.stringify(name)} must be a text or a list of texts`);
    claims.set(name, value);
    bytes += [name, ...(typeof value === 'string' ? [value] : value)].reduce((sum, part) => sum + Buffer.byteLength(part), 0);
  }
  if (bytes > maximumClaimBytes)
    return refused(1003025, `names and values have ${bytes} bytes; at most ${maximumClaimBytes} are accepted`);
  return { kind: 'provided', claims, response };
}

type Parsed = { readonly kind: 'parsed'; readonly value: unknown } | { readonly kind: 'empty' } | { readonly kind: 'malformed' };

function parse(body: Uint8Array): Parsed {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    return text.trim() === '' ? { kind: 'empty' } : { kind: 'parsed', value: JSON.parse(text) as unknown };
  } catch {
    return { kind: 'malformed' };
  }
}

function refused(errorCode: ErrorCode, detail: string): Verdict & { kind: 'refused' } {
  return { kind: 'refused', errorCode, detail };
}

function isJson(contentType: string | undefined): boolean {
  return contentType?.split(';')[0]!.trim().toLowerCase() === 'application/json';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isClaimValue(value: unknown): value is ClaimValue {
  return typeof value === 'string' || (Array.isArray(value) && value.every((part) => typeof part === 'string'));
}
