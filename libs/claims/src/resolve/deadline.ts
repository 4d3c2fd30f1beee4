/**
 * The end of a request's patience. It bounds the request's wait: `race` settles by then, whatever hangs.
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
      settle();
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
    if (this.controller.signal.aborted) return late;
    return Promise.race([work, this.expired.then(() => late)]);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.timer);
  }
}
