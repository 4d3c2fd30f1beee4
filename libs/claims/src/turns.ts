import { setImmediate as immediate } from 'node:timers/promises';

/** Milliseconds that long work takes at a stretch. */
const stretch = 4;

/** Work that can stop for a while wherever it yields. Nothing is done before the first step. */
export type Steps<Result> = Generator<undefined, Result, undefined>;

/** All at once: for little work, and where nobody waits. */
export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Lets others have their turn between stretches of long work: sign-ins go on meanwhile. */
export class Turns {
  private until = performance.now() + stretch;

  /** Waits until others had their turn, if this stretch is over. */
  async pause(): Promise<void> {
    if (performance.now() < this.until) return;
    await immediate();
    this.until = performance.now() + stretch;
  }

  async run<Result>(steps: Steps<Result>): Promise<Result> {
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      await this.pause();
    }
  }
}
