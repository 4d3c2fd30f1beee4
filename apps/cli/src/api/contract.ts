/** The parts of the admin API's bodies that the commands read (docs/reference/admin-api.json). */
export interface Issue {
  readonly path: readonly (string | number)[];
  readonly reason: string;
  readonly remedy?: string;
}

export interface Revision {
  readonly number: number;
  readonly revision: string;
  readonly author: { readonly id: string; readonly name?: string };
  readonly at: string;
  readonly comment: string;
  readonly rolledBackTo?: number;
}

export interface Mapping {
  readonly tenant: string;
  readonly name: string;
  readonly kind: 'mapping' | 'claimSet';
  readonly version: number;
  readonly published?: Revision;
  readonly draft?: { readonly author: { readonly id: string; readonly name?: string }; readonly at: string };
  readonly deleted?: { readonly at: string };
}

export interface Difference {
  /** What it is about: a claim, a lookup, an application, a test. */
  readonly kind: string;
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly parts: readonly { readonly part: string; readonly before?: unknown; readonly after?: unknown }[];
}

export interface ImportItem {
  readonly index: number;
  /** The mapping's version that the document was compared with; 0: there is none. */
  readonly version?: number;
  readonly result: 'created' | 'changed' | 'unchanged' | 'conflict' | 'refused';
  readonly issues: readonly Issue[];
  readonly differences: readonly Difference[];
}

export interface Preview {
  readonly answer: 'claims' | 'failure' | 'noMapping';
  readonly code?: string;
  readonly failedClaims?: readonly string[];
  readonly mapping?: { readonly name: string; readonly revision: string; readonly version: string | number };
  /** Of the mapping that was named. */
  readonly etag?: string;
  readonly claims: readonly {
    readonly name: string;
    readonly list: boolean;
    readonly count: number;
    readonly value?: string | readonly string[];
  }[];
  readonly valuesHidden: boolean;
  readonly deviations: readonly { readonly claim: string; readonly why: string; readonly treatment: string }[];
  readonly explain: {
    readonly lookups: readonly {
      readonly alias: string;
      readonly use: string;
      readonly outcome: string;
      readonly reason?: string;
      readonly ms: number;
      readonly key?: string;
      readonly asked?: Readonly<Record<string, string>>;
      readonly ageMs?: number;
      readonly degraded: boolean;
    }[];
    readonly claims: readonly {
      readonly claim: string;
      readonly from: string;
      readonly result: string;
      readonly why?: string;
      readonly when?: string;
    }[];
  };
  readonly person?: { readonly known: readonly string[]; readonly missing: readonly string[] };
  readonly ms: number;
  readonly deadlineMs: number;
  readonly size: { readonly bytes: number; readonly limit: number };
  readonly warnings: readonly Issue[];
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next?: string;
}

/** The address of a mapping. Names are letters, digits and hyphens; whatever else is given is encoded. */
export function mappingPath({ tenant, name }: { readonly tenant: string; readonly name: string }): string {
  return `/admin/v1/mappings/${encodeURIComponent(tenant)}/${encodeURIComponent(name)}`;
}
