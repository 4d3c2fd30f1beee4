import type { Condition } from '../condition/condition.js';
import type { TestDocument } from '../mapping/test-document.js';
import type { LookupDescription, Source } from '../ports/source.js';
import type { SubjectProperty } from '../subject.js';
import type { Transform } from './transform.js';

/** A claim of the answer: Entra takes text and lists of text only (Microsoft: custom claims provider reference). */
export type ClaimValue = string | readonly string[];

/** Where a value comes from. */
export type Origin =
  | { readonly kind: 'subject'; readonly property: SubjectProperty }
  | { readonly kind: 'lookup'; readonly alias: string; readonly attribute: string };

export interface PlannedLookup extends AskedLookup {
  /** The name that the mapping gives it. */
  readonly alias: string;
  readonly inputs: ReadonlyMap<string, Origin>;
  /** The attributes that this mapping needs, or once linked (`Linking`) those that any mapping of the tenant needs of this lookup. */
  readonly projection: readonly string[];
  /** How old the last known answer may become, in milliseconds; 0: none is kept. */
  readonly keepLastKnown: number;
  /** Asked in order while this lookup is unavailable; what they give is degraded. */
  readonly fallbacks: readonly AskedLookup[];
  /** Whether degraded values of other lookups may be its inputs. */
  readonly acceptDegraded: boolean;
}

/** A lookup of a source. */
export interface AskedLookup {
  readonly source: Source;
  /** The name of the lookup in its source. */
  readonly lookup: string;
  readonly description: LookupDescription;
}

/** What a claim becomes where its value is unavailable or missing. */
export type Policy = 'fail' | 'omit' | { readonly default: ClaimValue };

export interface PlannedClaim {
  readonly name: string;
  readonly from: Origin | { readonly kind: 'constant'; readonly values: readonly string[] };
  /** Absent: the claim is for everybody. */
  readonly when?: PlannedCondition;
  readonly transforms: readonly Transform[];
  /** The references of the transforms. */
  readonly operands: readonly Origin[];
  /** true: always a list; false: always text. */
  readonly list: boolean;
  readonly whenUnavailable: Policy;
  /** How old a last known value may be that is used before `whenUnavailable`, in milliseconds; 0: none is used. */
  readonly stale: number;
  /** Whether the value of a fallback lookup is used before `whenUnavailable`. */
  readonly acceptDegraded: boolean;
  readonly whenMissing: Policy;
}

export interface PlannedCondition {
  readonly condition: Condition;
  /** What the condition reads, in its order. */
  readonly origins: readonly Origin[];
}

/** A compiled mapping. Immutable; one serves any number of requests at once. */
export interface Plan {
  readonly tenant: string;
  readonly mapping: string;
  /** Identifies the content that was compiled. */
  readonly revision: string;
  /** The claim sets that it includes, as they were compiled into it. */
  readonly claimSets: readonly { readonly name: string; readonly revision: string }[];
  /** `*` alone: the tenant's fallback, for applications without a mapping. */
  readonly applications: readonly string[];
  /** Undefined: whichever client or extension it is. */
  readonly clients: ReadonlySet<string> | undefined;
  readonly extensions: ReadonlySet<string> | undefined;
  /** In dependency order: an input of a lookup comes before it. */
  readonly lookups: readonly PlannedLookup[];
  readonly claims: readonly PlannedClaim[];
  /** The claims to drop, in this order, where the answer is too large. */
  readonly droppable: readonly string[];
  /** The tests that stand beside the mapping; none where they were run already and it is in force. */
  readonly tests: readonly TestDocument[];
}

/** The lookups that a claim reads: for its value, in its transforms, and in its condition. */
export function aliasesOf({ from, operands, when }: PlannedClaim): ReadonlySet<string> {
  return new Set(
    [from, ...operands, ...(when?.origins ?? [])].flatMap((origin) => (origin.kind === 'lookup' ? [origin.alias] : [])),
  );
}
