/** A mapping or a claim set as a store holds it: not yet checked. */
export interface StoredMapping {
  /** Where it comes from, for people: a file's path below its folder, or a name. Unique in its store. */
  readonly origin: string;
  /** Identifies the content: equal contents have equal revisions. */
  readonly revision: string;
  readonly content:
    | { readonly kind: 'document'; readonly document: unknown }
    /** Not a document at all, such as a file that is not YAML. */
    | { readonly kind: 'unreadable'; readonly reason: string };
  /**
   * The claim sets that it was compiled with, in a snapshot only, and only where others of their names are in force by now: the mapping does
   * not compile with those.
   */
  readonly claimSets?: readonly { readonly document: unknown; readonly revision: string }[];
  /** The line of the document at which a path stands, where the store knows lines. */
  lineOf?(path: readonly (string | number)[]): number | undefined;
}

export type LoadedMappings =
  | { readonly kind: 'loaded'; readonly mappings: readonly StoredMapping[] }
  /** The store as a whole cannot be read. `detail` is for the operator. */
  | { readonly kind: 'unavailable'; readonly detail: string };

/** Where published mappings come from. */
export abstract class MappingStore {
  /** For health and logs, such as `files`. */
  abstract readonly kind: string;
  /** Every mapping in force, in a stable order. Never throws for what a store can meet. */
  abstract load(): Promise<LoadedMappings>;
}
