/** The decisions that more than one event takes. */

/** The handler decided that Entra gets no answer: to Entra, and so to the person, it is a failure. */
export interface Fail {
  readonly kind: 'fail';
  readonly status: 500 | 503;
  /** Stable, for whoever reads the log. */
  readonly code: string;
  /** Goes out: nothing about the person. */
  readonly publicMessage: string;
}

/** Entra goes on as if it had not asked. */
export interface ContinueWithDefaultBehavior {
  readonly kind: 'continueWithDefaultBehavior';
}

/** The person reads a message and gets no further. */
export interface ShowBlockPage {
  readonly kind: 'showBlockPage';
  readonly message: string;
}
