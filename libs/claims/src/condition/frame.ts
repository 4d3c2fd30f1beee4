import { TooMuchWork, type Work } from '../plan/work.js';

/** Which call this is, as conditions see it. Ids in lower case; what the event lacks is absent. */
export interface Call {
  readonly tenant: string;
  readonly application?: string | undefined;
  readonly client?: string | undefined;
  readonly extension?: string | undefined;
  readonly protocol?: string | undefined;
}

/** The value of an expression: true and false, a text, a number, a list of texts; undefined where a value that it needs is missing. */
export type Value = boolean | string | number | readonly string[] | undefined;

/** What an expression sees while it is evaluated, and how much it may still do. */
export interface Frame {
  readonly slots: readonly Value[];
  readonly call: Call;
  /** The variables of exists, all, exists_one and filter. */
  readonly locals: string[];
  readonly work: Work;
  steps: number;
}

/** Elements that the loops of one condition may visit, nested ones counted by each. */
const maximumSteps = 20_000;

/** A value that a condition cannot read: several values or bytes where one text is compared, or a number that is none. */
export class Unreadable extends Error {}

/** Counts one element of a loop. @throws TooMuchWork */
export function step(frame: Frame): void {
  if (++frame.steps > maximumSteps) throw new TooMuchWork();
}
