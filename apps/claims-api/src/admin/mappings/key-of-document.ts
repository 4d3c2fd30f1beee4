import { configurationName, identifyDocument, type MappingKey } from '#claims';
import { z } from 'zod';
import type { Issue } from '../contract/problem.js';

const named = z.object({ tenant: configurationName, name: configurationName });

/** Where a document belongs by what it says itself. */
export function keyOfDocument(
  document: unknown,
): ({ readonly kind: 'key' } & MappingKey) | { readonly kind: 'invalid'; readonly issues: Issue[] } {
  const parsed = named.safeParse(identifyDocument(document));
  if (parsed.success) return { kind: 'key', ...parsed.data };
  return {
    kind: 'invalid',
    issues: parsed.error.issues.map(({ path, message }) => ({ path: path.map(String), reason: message })),
  };
}
