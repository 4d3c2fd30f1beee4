import { canonicalJson } from '../canonical-json.js';
import type { ConfigurationIssue, MappingDocument } from '../mapping/mapping-document.js';
import { claimSetKey, type CompileContext } from './compile-context.js';
import type { Plan } from './plan.js';

/** A mapping with the lookups and claims of its claim sets in it. */
export interface Included {
  readonly document: MappingDocument;
  readonly claimSets: Plan['claimSets'];
  /** Which claim set a part came from, by `lookups.<alias>` and `claims.<name>`; the mapping's own parts are not there. */
  readonly origins: ReadonlyMap<string, string>;
}

/**
 * A claim of the mapping's own replaces one of a claim set. Two claim sets must not give the same claim, and a lookup's alias must mean
 * the same everywhere: otherwise the claim set's claims would get values that their author did not mean.
 */
export function includeClaimSets(
  document: MappingDocument,
  { claimSets }: CompileContext,
): Included & { readonly issues: readonly ConfigurationIssue[] } {
  if (document.include.length === 0) return { document, claimSets: [], origins: new Map(), issues: [] };
  const issues: ConfigurationIssue[] = [];
  const origins = new Map<string, string>();
  const used: { name: string; revision: string }[] = [];
  const lookups = new Map<string, MappingDocument['lookups'][string]>();
  const claims = new Map<string, MappingDocument['claims'][string]>();
  for (const [index, name] of document.include.entries()) {
    const path = ['include', index];
    if (document.include.indexOf(name) < index) {
      issues.push({ path, reason: `includes ${name} twice` });
      continue;
    }
    const claimSet = claimSets?.get(claimSetKey(document.tenant, name));
    if (!claimSet) {
      issues.push({
        path,
        reason: `there is no claim set ${name} of the tenant ${document.tenant} in force`,
        remedy: 'publish a document with claimSet: and this name first, or mend the one that does not compile',
      });
      continue;
    }
    used.push({ name, revision: claimSet.revision });
    for (const [alias, lookup] of Object.entries(claimSet.document.lookups)) {
      const other = lookups.get(alias);
      if (other && canonicalJson(other) !== canonicalJson(lookup)) {
        const by = origins.get(`lookups.${alias}`)!;
        issues.push({
          path,
          reason: `the claim sets ${by} and ${name} mean different lookups by ${alias}`,
          remedy: 'rename it in one of them',
        });
      } else if (!other) {
        lookups.set(alias, lookup);
        origins.set(`lookups.${alias}`, name);
      }
    }
    for (const [claim, definition] of Object.entries(claimSet.document.claims)) {
      if (Object.hasOwn(document.claims, claim)) continue;
      if (claims.has(claim))
        issues.push({
          path,
          reason: `the claim sets ${origins.get(`claims.${claim}`)!} and ${name} both give the claim ${claim}`,
          remedy: 'give it in the mapping itself, which then counts, or in one of them only',
        });
      claims.set(claim, definition);
      origins.set(`claims.${claim}`, name);
    }
  }
  for (const [alias, lookup] of Object.entries(document.lookups)) {
    const other = lookups.get(alias);
    if (other && canonicalJson(other) !== canonicalJson(lookup))
      issues.push({
        path: ['lookups', alias],
        reason: `is another lookup in the claim set ${origins.get(`lookups.${alias}`)!}`,
        remedy: 'give it another name here, or leave it out and use the claim set’s',
      });
    origins.delete(`lookups.${alias}`);
    lookups.set(alias, lookup);
  }
  for (const [claim, definition] of Object.entries(document.claims)) claims.set(claim, definition);
  return {
    document: { ...document, lookups: Object.fromEntries(lookups), claims: Object.fromEntries(claims) },
    claimSets: used,
    origins,
    issues,
  };
}
