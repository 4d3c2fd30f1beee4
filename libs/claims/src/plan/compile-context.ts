import type { ClaimSetDocument } from '../mapping/mapping-document.js';
import type { RegisteredSecret } from '../ports/secrets.js';
import type { Source } from '../ports/source.js';

/** A source and the tenants that it may serve, by their aliases. */
export interface RegisteredSource {
  readonly source: Source;
  readonly tenants: ReadonlySet<string>;
}

/** What a mapping can refer to. */
export interface CompileContext {
  readonly tenants: ReadonlySet<string>;
  readonly sources: ReadonlyMap<string, RegisteredSource>;
  /** The keys that Hash and Pairwise may use, by their names. */
  readonly secrets?: ReadonlyMap<string, RegisteredSecret>;
  /** The claim sets in force (`MappingSnapshot.claimSets`). */
  readonly claimSets?: ClaimSets;
}

/** A claim set that compiles by itself. */
export interface CompiledClaimSet {
  readonly document: ClaimSetDocument;
  /** As it was written. */
  readonly input: unknown;
  readonly revision: string;
}

/** By `claimSetKey`. */
export type ClaimSets = ReadonlyMap<string, CompiledClaimSet>;

export function claimSetKey(tenant: string, name: string): string {
  return `${tenant}/${name}`;
}
