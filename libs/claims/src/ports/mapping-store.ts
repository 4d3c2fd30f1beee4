import type { DocumentIdentity } from '../mapping/mapping-document.js';

/** A mapping or a claim set as a store holds it: not yet checked. */
export interface StoredMapping {
  /** Where it comes from, for people: a file's path below its folder, or a name. Unique in its store. */
  readonly origin: string;
  /** Identifies the content: equal contents have equal revisions. */
  readonly revision: string;
  readonly content:
    | { readonly kind: 'document'; readonly document: unknown }
    /**
     * Nothing that could be compiled, such as a file that is not YAML; and in a snapshot, what was refused, of which only the identity is
     * kept. Without an identity it might be any mapping of any tenant.
     */
    | { readonly kind: 'unreadable'; readonly reason: string; readonly identity?: DocumentIdentity };
  /**
   * The claim sets that it was compiled with, in a snapshot only, and only where others of their names are in force by now: the mapping does
   * not compile with those.
   */
  readonly claimSets?: readonly { readonly document: unknown; readonly revision: string }[];
  /** The lines of the document at which paths stand, where the store knows lines. All at once: a store may read the document again. */
  linesOf?(paths: readonly (readonly (string | number)[])[]): readonly number[];
}

export type LoadedMappings =
  | { readonly kind: 'loaded'; readonly mappings: readonly StoredMapping[] }
  /** The store as a whole cannot be read. `detail` is for the operator. */
  | { readonly kind: 'unavailable'; readonly detail: string };

/** How far a store is followed, while anybody listens. */
export interface Following {
  /** Whether a change would be heard of at once. Where not, it is found by asking at an interval. */
  readonly listening: boolean;
  /** When the store was last seen to have nothing that listeners were not told of. */
  readonly confirmedAt?: Date;
}

/**
 * Where published mappings come from.
 *
 * Contract, checked by one conformance suite for every adapter:
 * - `load` answers for everything that a store can meet, its absence included, and never throws.
 * - A store that cannot be read never looks like one that has nothing in force.
 * - Whoever listens hears of a change within a second, or within the store's polling interval where it could not be told at once;
 *   and that the store can no longer be read, or can be again.
 */
export abstract class MappingStore {
  /** For health and logs, such as `files`. */
  abstract readonly kind: string;
  abstract readonly following: Following;
  /** Every mapping in force, in a stable order. A mapping that has not changed is the same object again where that is cheap. */
  abstract load(): Promise<LoadedMappings>;
  /** Calls back whenever `load` may answer something else than before. The disposable ends it. */
  abstract onPublish(listener: () => void): Disposable;
  /** Ends every connection and stops watching. */
  abstract close(): Promise<void>;
}
