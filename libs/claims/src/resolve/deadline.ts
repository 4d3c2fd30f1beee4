/**
 * The end of a request's patience. It bounds the request's wait: `race` settles by then, whatever hangs; work that obeys the signal has
 * one turn of the event loop to say more than that it is late.
 * Dispose it when the request is answered, or its timer lives on until it fires.
 */
export class Deadline implements Disposable {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private readonly expired: Promise<void>;

  /** @param milliseconds from now; 0 or less has expired already */
  constructor(milliseconds: number) {
    let settle!: () => void;
    this.expired = new Promise((resolve) => (settle = resolve));
    const expire = (): void => {
      this.controller.abort();
      setImmediate(settle);
    };
    this.timer = setTimeout(expire, Math.max(0, milliseconds));
    if (milliseconds <= 0) {
      clearTimeout(this.timer);
      expire();
    }
  }

  /** Aborts when the deadline passes. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** The work's result, or `late` at the deadline. A rejection of the work is passed on until then, and swallowed after it. */
  async race<Result, Late>(work: Promise<Result>, late: Late): Promise<Result | Late> {
    work.catch(() => undefined);
    return Promise.race([work, this.expired.then(() => late)]);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.timer);
  }
}
