import { createHash } from 'node:crypto';

/**
 * JSON with the keys of every object in the order of their UTF-16 units and no white space (as RFC 8785 has it): equal values have
 * equal texts. What JSON cannot say is left out or null, as in JSON.stringify.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([left], [right]) => (left < right ? -1 : 1)))
      : inner,
  );
}

/**
 * Identifies a document by its content: the order of keys, comments and layout do not matter. The first 128 bits of a SHA-256, in
 * hexadecimal.
 */
export function revisionOf(document: unknown): string {
  return createHash('sha256')
    .update(canonicalJson(document) ?? '')
    .digest('hex')
    .slice(0, 32);
}
