import type { Attributes } from './attributes.js';

/** Why a lookup was answered "nothing there". */
export type NotFoundReason =
  /** the source has no such entry */
  | 'noEntry'
  /** a parameter of the lookup has no value, so nothing was asked */
  | 'noKey'
  /** the source has the entry, and the lookup leaves it out: an account that is disabled, say */
  | 'excluded'
  /** the event has no user (a service signs in) */
  | 'noSubject';

/** Why a lookup has no answer. Each word is stable: it is an error code of health, metrics and explain. */
export type UnavailableReason =
  /** the source did not answer within its operation limit */
  | 'timeout'
  /** the request's own deadline came first; the source may still be answering */
  | 'deadline'
  /** no connection: refused, reset, unreachable, name not found, TLS not trusted */
  | 'connection'
  /** the source refuses the service's own credentials */
  | 'credentials'
  /** the source answered with an error */
  | 'refused'
  /** the source answered more than its limits allow */
  | 'limit'
  /** the source answered something that cannot be read */
  | 'malformed'
  /** shed: too many operations are under way or waiting at this source */
  | 'overloaded'
  /** not asked: the source failed too often in a row, and a probe has not succeeded since */
  | 'circuitOpen'
  /** an input of this lookup is itself unavailable or ambiguous */
  | 'input'
  /** the service is shutting down, or a defect of ours; the private detail is in the log */
  | 'internal';

export interface Found {
  readonly kind: 'found';
  readonly attributes: Attributes;
  /** Milliseconds since the source answered; absent where it answered this very question. */
  readonly age?: number;
}

export interface NotFound {
  readonly kind: 'notFound';
  readonly reason: NotFoundReason;
  /** As of `Found`. */
  readonly age?: number;
}

/** More than one entry matched where one person was asked for. Never the first of them. */
export interface Ambiguous {
  readonly kind: 'ambiguous';
}

export interface Unavailable {
  readonly kind: 'unavailable';
  readonly reason: UnavailableReason;
  /** For the operator's log only: never a value of a person, never a secret, never sent to a caller. */
  readonly detail?: string;
  /** What the source last answered. Only a claim's own `stale` may use it. */
  readonly lastKnown?: LastKnown;
  /**
   * Milliseconds since the source last answered, which was that nobody is there. By it a locate rule that falls through leads to the last
   * known answer of the next one; no claim may use it.
   */
  readonly lastKnownNobody?: number;
}

/** An answer from before the source became unavailable. */
export interface LastKnown {
  readonly attributes: Attributes;
  /** Milliseconds since the source gave it. */
  readonly age: number;
}

/** What became of a lookup. Never null, never a throw. */
export type Outcome = Found | NotFound | Ambiguous | Unavailable;

export const found = (attributes: Attributes): Found => ({ kind: 'found', attributes });
export const notFound = (reason: NotFoundReason): NotFound => ({ kind: 'notFound', reason });
export const ambiguous: Ambiguous = { kind: 'ambiguous' };
export const unavailable = (reason: UnavailableReason, detail?: string): Unavailable =>
  detail === undefined ? { kind: 'unavailable', reason } : { kind: 'unavailable', reason, detail };
