import { createHash } from 'node:crypto';
import { canonicalJson } from '../canonical-json.js';

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
