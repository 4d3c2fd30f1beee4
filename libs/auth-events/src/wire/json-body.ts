/** A part of a body that is not as it must be. `path` is dotted, from the top; the reason never repeats the value. */
export interface BodyIssue {
  readonly path: string;
  readonly reason: string;
}

/** A value as `JSON.parse` gives it. */
export type JsonObject = Readonly<Record<string, unknown>>;

export type JsonBody =
  | { readonly kind: 'object'; readonly value: JsonObject }
  | { readonly kind: 'refused'; readonly issues: readonly BodyIssue[] };

const refused = (reason: string): JsonBody => ({ kind: 'refused', issues: [{ path: '', reason }] });

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads the bytes of a body: one JSON object in UTF-8, a byte order mark allowed (RFC 8259 §8.1). Of two members with one name the last
 * counts.
 */
export function readJsonObject(body: Uint8Array): JsonBody {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(body));
  } catch {
    return refused(body.length === 0 ? 'the body is empty' : 'the body is not JSON');
  }
  return isJsonObject(value) ? { kind: 'object', value } : refused('the body must be an object');
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
