import { unavailable, type LookupQuery, type Outcome, type Source } from '#claims';
import { onAbort } from '../on-abort.js';
import { WrappedSource } from './wrapped-source.js';

/**
 * Bounds how many operations work at once and how many wait for their turn, first come, first served. Sheds the others with
 * `unavailable('overloaded')`. A turn ends when the operation inside settles, which an operation limit sees to.
 */
export class Bulkhead extends WrappedSource {
  private working = 0;
  /** Those who wait, the first one first. */
  private readonly waiting: (() => void)[] = [];

  constructor(
    inner: Source,
    private readonly limits: { readonly concurrency: number; readonly queue: number },
  ) {
    super(inner);
  }

  override async fetch(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    if (signal.aborted) return unavailable('timeout');
    if (this.working < this.limits.concurrency) this.working += 1;
    else if (this.waiting.length >= this.limits.queue) return unavailable('overloaded');
    else if (!(await this.turn(signal))) return unavailable('timeout');
    try {
      return await this.inner.fetch(query, signal);
    } finally {
      this.giveTurn();
    }
  }

  /** Whether the turn came before the signal. */
  private turn(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const start = (): void => {
        letGo();
        resolve(true);
      };
      const letGo = onAbort(signal, () => {
        const place = this.waiting.indexOf(start);
        if (place !== -1) this.waiting.splice(place, 1);
        resolve(false);
      });
      this.waiting.push(start);
    });
  }

  private giveTurn(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.working -= 1;
  }
}
