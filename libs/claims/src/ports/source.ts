import type { Outcome, UnavailableReason } from '../outcome.js';
import type { SubjectTests } from '../subject-test.js';
import type { SubjectProperty } from '../subject.js';

/** One way to find the person signing in: which property of the subject is the key, and when it may be used. */
export interface LocateRule {
  readonly key: SubjectProperty;
  /** The rule applies only where each of these tests of the subject holds. */
  readonly when: SubjectTests;
  /** Whether the next rule is tried where this one finds nothing. */
  readonly fallThrough: boolean;
}

/** A lookup as a mapping sees it. */
export interface LookupDescription {
  /** The parameters that a mapping fills by `with`; empty where the source's own locate rules find the person. */
  readonly parameters: readonly string[];
  /** Tried in order; empty where `parameters` are asked for. */
  readonly locate: readonly LocateRule[];
  /** Why a mapping cannot ask for an attribute of this name; undefined where it can. Absent: the source takes any name. */
  readonly refuses?: (attribute: string) => string | undefined;
}

export interface LookupQuery {
  /** The name of the lookup in this source. */
  readonly lookup: string;
  /** Which of the lookup's locate rules asks, by its index; its key's value is then the parameter `value`. */
  readonly locateRule?: number;
  /** Every parameter of the lookup, each a non-empty text. An adapter encodes it; it never becomes syntax. */
  readonly parameters: ReadonlyMap<string, string>;
  /** The attributes that are needed, and no others are fetched. */
  readonly projection: readonly string[];
  /** For who keeps answers in front of an adapter; an adapter itself ignores it. Absent: nothing may be kept. */
  readonly keeping?: Keeping;
}

/** What may be kept of an answer, and for whom. */
export interface Keeping {
  /** Nothing that is kept for one tenant serves another. */
  readonly tenant: string;
  /** How old the last known answer may become, in milliseconds; 0: none is kept. */
  readonly lastKnown: number;
  /** That nobody is there is worth keeping for as long: the next locate rule is asked then. */
  readonly lastKnownNobody?: true;
  /** Only the last known answer is wanted: the parameters themselves are no longer certain, so the system must not be asked. */
  readonly lastKnownOnly?: true;
  /** An answer that comes when nobody waits any more is thrown away, and the work is ended: nobody will ask again. */
  readonly noHandOver?: true;
}

export type ProbeResult =
  /** `warning`: what works now and will not for long, such as credentials that were refused while a connection made with others is open. */
  | { readonly kind: 'up'; readonly warning?: { readonly reason: UnavailableReason; readonly detail: string } }
  | { readonly kind: 'down'; readonly reason: UnavailableReason; readonly detail?: string };

/**
 * A configured connection to one system of the company: an LDAP directory, a PostgreSQL database.
 *
 * Contract, checked by one conformance suite for every adapter:
 * - `fetch` answers an outcome for everything that can be expected of a system, its absence and its defects included; it throws
 *   only for a defect of ours (an unknown lookup, a missing parameter).
 * - When `signal` aborts, it settles soon with `unavailable('timeout')` and stops the work at the system as far as the protocol can.
 * - It answers only the attributes of the projection; one entry or row is `found`, none `notFound('noEntry')`, several `ambiguous`.
 * - It is safe for concurrent use, and an operation that fails or hangs harms no other.
 * - It recovers by itself when the system is back.
 */
export abstract class Source {
  abstract readonly name: string;
  abstract readonly lookups: ReadonlyMap<string, LookupDescription>;
  abstract fetch(query: LookupQuery, signal: AbortSignal): Promise<Outcome>;
  /** Whether the system can be reached and accepts the service's credentials. Never throws. */
  abstract probe(signal: AbortSignal): Promise<ProbeResult>;
  /** Ends every connection; afterwards `fetch` answers `unavailable('internal')`. */
  abstract close(): Promise<void>;
}
