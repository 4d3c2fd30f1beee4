import { configurationName, type ConfigurationIssue, type MappingKey, revisionOf } from '#claims';

/** A mapping is a page or two; a larger one is a mistake, or an attack on the parser. */
export const maximumBytes = 256 * 1024;

export interface DocumentContent {
  readonly kind: 'content';
  /** JSON, with the keys as their author ordered them. */
  readonly text: string;
  readonly revision: string;
  readonly applications: readonly string[];
}

/** A document as it is kept, or why it cannot be: it is not JSON, too large, or its name could not be asked for. */
export function contentOf(
  key: MappingKey,
  document: unknown,
): DocumentContent | { readonly kind: 'refused'; readonly issues: readonly ConfigurationIssue[] } {
  const issues: ConfigurationIssue[] = [];
  for (const part of ['tenant', 'name'] as const) {
    const checked = configurationName.safeParse(key[part]);
    if (!checked.success) issues.push({ path: [part], reason: checked.error.issues[0]!.message });
  }
  const { text, revision } = jsonOf(document);
  if (text === undefined) issues.push({ path: [], reason: 'is not JSON' });
  else if (Buffer.byteLength(text) > maximumBytes) issues.push({ path: [], reason: `is larger than ${maximumBytes} bytes` });
  if (issues.length > 0) return { kind: 'refused', issues };
  return { kind: 'content', text: text!, revision, applications: applicationsOf(document) };
}

function jsonOf(document: unknown): { readonly text: string | undefined; readonly revision: string } {
  try {
    return { text: JSON.stringify(document), revision: revisionOf(document) };
  } catch {
    // A cycle, a BigInt, or nesting beyond the stack.
    return { text: undefined, revision: '' };
  }
}

function applicationsOf(document: unknown): readonly string[] {
  const { applications } = (typeof document === 'object' && document !== null ? document : {}) as Record<string, unknown>;
  if (!Array.isArray(applications)) return [];
  return applications.flatMap((entry) => (typeof entry === 'string' && !entry.includes('\0') ? [entry.toLowerCase()] : []));
}
