import {
  claimSetDocument,
  configurationIssues,
  identifyDocument,
  mappingDocument,
  type ConfigurationIssue,
  type MappingDocument,
} from '../mapping/mapping-document.js';
import { warnOfSize } from '../size/estimate-size.js';
import type { CompileContext, CompiledClaimSet } from './compile-context.js';
import { includeClaimSets } from './include-claim-sets.js';
import { MappingCompiler } from './mapping-compiler.js';
import type { Plan } from './plan.js';

export type CompileResult =
  /** The warnings refuse nothing: what the mapping's author should know. */
  | { readonly kind: 'compiled'; readonly plan: Plan; readonly warnings: readonly ConfigurationIssue[] }
  | { readonly kind: 'refused'; readonly issues: readonly ConfigurationIssue[] };

/**
 * Checks a mapping document and compiles it. Everything that can be wrong with a mapping is found here, never at a sign-in:
 * unknown keys and types, unknown tenants, sources, lookups, parameters and properties, a source of another tenant, lookups that
 * need each other or that nothing uses, text or list contradictions, last known or degraded values that there will never be,
 * conditions and regular expressions that cannot be read, claim names that Entra does not let through.
 */
export function compileMapping(input: unknown, revision: string, context: CompileContext): CompileResult {
  const parsed = parse(input, mappingDocument);
  if (parsed.kind === 'refused') return parsed;
  const included = includeClaimSets(parsed.document, context);
  const compiler = new MappingCompiler(included.document, { revision, context, ...included });
  const plan = compiler.compile();
  const issues = [...included.issues, ...compiler.issues];
  if (issues.length > 0) return { kind: 'refused', issues };
  return { kind: 'compiled', plan, warnings: [...compiler.warnings, ...warnOfSize(plan)] };
}

export type ClaimSetResult =
  /** `plan` is that of a mapping that consists of the claim set alone: its tests run by it. */
  | {
      readonly kind: 'compiled';
      readonly claimSet: CompiledClaimSet;
      readonly plan: Plan;
      readonly warnings: readonly ConfigurationIssue[];
    }
  | { readonly kind: 'refused'; readonly issues: readonly ConfigurationIssue[] };

/** Checks a claim set: it must compile by itself, so that a mapping that includes it finds nothing wrong in it. */
export function compileClaimSet(input: unknown, revision: string, context: CompileContext): ClaimSetResult {
  const parsed = parse(input, claimSetDocument);
  if (parsed.kind === 'refused') return parsed;
  const { document } = parsed;
  const { claimSet: name, ...rest } = document;
  const alone: MappingDocument = { name, ...rest, applications: ['*'], include: [], overflow: 'fail' };
  const compiler = new MappingCompiler(alone, { revision, context, claimSets: [], origins: new Map() });
  const plan = compiler.compile();
  if (compiler.issues.length > 0) return { kind: 'refused', issues: compiler.issues };
  return { kind: 'compiled', claimSet: { document, input, revision }, plan, warnings: compiler.warnings };
}

/** Compiles a document of either kind; of a claim set, the plan is that of a mapping that consists of it alone. */
export function compileDocument(input: unknown, revision: string, context: CompileContext): CompileResult {
  return identifyDocument(input).kind === 'claimSet'
    ? compileClaimSet(input, revision, context)
    : compileMapping(input, revision, context);
}

type Schema<Document> = {
  safeParse(
    input: unknown,
  ):
    | { readonly success: true; readonly data: Document }
    | { readonly success: false; readonly error: Parameters<typeof configurationIssues>[0] };
};
type Parsed<Document> =
  | { readonly kind: 'parsed'; readonly document: Document }
  | { readonly kind: 'refused'; readonly issues: readonly ConfigurationIssue[] };

function parse<Document>(input: unknown, schema: Schema<Document>): Parsed<Document> {
  const hidden = hiddenKeys(input, []);
  if (hidden.length > 0) return { kind: 'refused', issues: hidden };
  const parsed = schema.safeParse(input);
  if (!parsed.success) return { kind: 'refused', issues: configurationIssues(parsed.error) };
  return { kind: 'parsed', document: parsed.data };
}

/** Keys that the schema's checks pass over because JavaScript gives them a meaning, and nesting that no mapping has. */
function hiddenKeys(input: unknown, path: readonly (string | number)[]): readonly ConfigurationIssue[] {
  if (typeof input !== 'object' || input === null) return [];
  if (path.length > 16) return [{ path, reason: 'is nested too deeply' }];
  return Object.entries(input).flatMap(([key, value]) =>
    key === '__proto__' ? [{ path: [...path, key], reason: 'is not a known key' }] : hiddenKeys(value, [...path, key]),
  );
}
