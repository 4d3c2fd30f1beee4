import { configurationIssues, type ConfigurationIssue } from '#claims';
import { YAMLParseError, parse } from 'yaml';
import { serviceDocument, type ServiceDocument } from './service-document.js';

export type ReadServiceDocument =
  | { readonly kind: 'read'; readonly document: ServiceDocument }
  | { readonly kind: 'refused'; readonly issues: readonly ConfigurationIssue[] };

/** The operator's configuration file from its YAML text. The issues name paths and lines, and no value: it might be a secret. */
export function readServiceDocument(text: string): ReadServiceDocument {
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    const line = error instanceof YAMLParseError ? error.linePos?.[0].line : undefined;
    return { kind: 'refused', issues: [{ path: [], reason: `is not valid YAML${line === undefined ? '' : ` (line ${line})`}` }] };
  }
  const parsed = serviceDocument.safeParse(content);
  return parsed.success
    ? { kind: 'read', document: parsed.data }
    : { kind: 'refused', issues: configurationIssues(parsed.error) };
}
