import type { Verdict } from '../condition/condition.js';
import type { Call } from '../condition/frame.js';
import type { Outcome } from '../outcome.js';
import type { ClaimValue } from '../plan/plan.js';
import type { Work } from '../plan/work.js';
import type { SubjectProperty } from '../subject.js';

/** What became of one lookup of a request. Names and times only, no values. */
export interface LookupAccount {
  readonly alias: string;
  readonly source: string;
  readonly lookup: string;
  readonly outcome: Outcome['kind'];
  /** The outcome's reason, where it has one. */
  readonly reason?: string;
  /** For the operator's log: never a value of a person. */
  readonly detail?: string;
  /** From the moment its inputs were there, in tenths; 0 where nothing was asked. */
  readonly ms: number;
  /** Which property of the subject found the person, where a locate rule did. */
  readonly key?: SubjectProperty;
  /** Milliseconds since the source gave the answer, where it was kept. */
  readonly age?: number;
  /** Milliseconds since the source gave the last known answer, where there is one. */
  readonly lastKnownAge?: number;
  /** The fallback that answered instead. */
  readonly fallback?: { readonly source: string; readonly lookup: string; readonly outcome: Outcome['kind'] };
  /** One of its parameters came from a fallback. */
  readonly degraded?: true;
}

/** A claim that the answer lacks, or does not have from its source at this moment, and why. */
export interface ClaimDeviation {
  readonly claim: string;
  readonly why: 'unavailable' | 'missing' | 'tooLarge';
  readonly treatment: 'omitted' | 'defaulted' | 'stale' | 'degraded';
}

/** A claim that could not be evaluated for a fault of this program. It counts as unavailable. */
export interface ClaimDefect {
  readonly claim: string;
  /** For the operator's log: never a value of a person. */
  readonly detail: string;
}

export type FailureCode =
  /** a claim whose policy says fail had no answer from its source */
  | 'claims.unavailable'
  /** a claim whose policy says fail had no value */
  | 'claims.missing'
  /** names and values exceed Entra's limit, and dropping what may be dropped did not suffice */
  | 'claims.tooLarge';

/** One step on the way of a claim's value. */
export interface ClaimStep {
  /** `from`, or the name of a transform. */
  readonly step: string;
  /** How many values there are after it. */
  readonly count: number;
  /** Set only where values were asked for; bytes in hexadecimal. */
  readonly values?: readonly string[];
}

/** How a claim came about. */
export interface ClaimExplanation {
  readonly claim: string;
  /** `subject.<property>`, `<lookup>.<attribute>` or `value`. */
  readonly from: string;
  readonly steps: readonly ClaimStep[];
  readonly result: 'value' | 'failed' | ClaimDeviation['treatment'];
  /** Where it is not the source's value of this moment; `condition`: its condition is not fulfilled, which is no deviation. */
  readonly why?: ClaimDeviation['why'] | 'condition';
  /** What its condition came to, where it has one. */
  readonly when?: Verdict;
}

/** How a lookup came about. */
export interface LookupExplanation extends LookupAccount {
  /** What was asked by: the located property or the parameters, with their values. Set only where values were asked for. */
  readonly asked?: Readonly<Record<string, string>>;
}

/** The account of one resolution. */
export interface Explanation {
  readonly lookups: readonly LookupExplanation[];
  readonly claims: readonly ClaimExplanation[];
}

export type Resolution = {
  readonly lookups: readonly LookupAccount[];
  readonly deviations: readonly ClaimDeviation[];
  readonly defects: readonly ClaimDefect[];
  /** Where it was asked for. */
  readonly explanation?: Explanation;
} & (
  | { readonly kind: 'resolved'; readonly claims: ReadonlyMap<string, ClaimValue> }
  /** `claims` names the claims that made it fail; empty where the whole answer is too large. */
  | { readonly kind: 'failed'; readonly code: FailureCode; readonly claims: readonly string[] }
);

export interface ResolveOptions {
  /** Accounts for each claim as well; `values` with what it went through, which only who may see the person's data may ask for. */
  readonly explain?: 'names' | 'values';
  /** Nobody will ask again: work that nobody waits for is ended. Sign-ins hand over to Entra's retry, so they leave it out. */
  readonly noHandOver?: true;
  /**
   * Which call this is, for conditions and pseudonyms. Left out: the mapping's only application; where it has several, what asks for the
   * application is unavailable.
   */
  readonly call?: Omit<Call, 'tenant'>;
  /** What the answer may cost, where that is not an answer's own measure. */
  readonly work?: Work;
  /** A test: hashes and pseudonyms are made with a key that anybody may know, never with the operator's. */
  readonly standInKeys?: true;
}
