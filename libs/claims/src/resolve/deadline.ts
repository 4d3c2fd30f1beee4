/**
 * The end of a request's patience. It bounds the request's wait: `race` settles by then, whatever hangs; work that obeys the signal has
 * one turn of the event loop to say more than that it is late.
 * Dispose it when the request is answered, or its timer lives on until it fires.
 */
export class Deadline implements Disposable {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout | undefined;
  /** What to do at the deadline; it does nothing where the work has settled. */
  private readonly waiting: (() => void)[] = [];
  private readonly end: number;
  private expired = false;

  /** @param milliseconds from now; 0 or less has expired already */
  constructor(milliseconds: number) {
    this.end = performance.now() + milliseconds;
    if (milliseconds > 0) this.timer = setTimeout(() => this.expire(), milliseconds);
    else this.expire();
  }

  /** Aborts when the deadline passes. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** The work's result, or what its rejection comes to; `late` at the deadline, whatever becomes of the work after it. */
  race<Result>(work: Promise<Result>, late: Result, failed: (error: unknown) => Result): Promise<Result> {
    return new Promise((resolve) => {
      const end = (): void => resolve(late);
      if (this.expired) setImmediate(end);
      else this.waiting.push(end);
      Promise.resolve(work).then(resolve, (error: unknown) => resolve(failed(error)));
    });
  }

  /** Settles with the work, or while this share of the time that is left now is still left. The work must settle by the deadline. */
  raceUntilLeft(share: number, work: Promise<unknown>): Promise<void> {
    const patience = Math.max(0, this.end - performance.now()) * (1 - share);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, patience);
      const settled = (): void => {
        clearTimeout(timer);
        resolve();
      };
      work.then(settled, settled);
    });
  }

  [Symbol.dispose](): void {
    clearTimeout(this.timer);
  }

  private expire(): void {
    this.expired = true;
    this.controller.abort();
    setImmediate(() => {
      for (const end of this.waiting) end();
    });
  }
}
