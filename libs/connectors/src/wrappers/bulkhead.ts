import { unavailable, type LookupQuery, type Outcome, type Source, type Unavailable } from '#claims';
import { onAbort } from '../on-abort.js';
import { WrappedSource } from './wrapped-source.js';

export interface BulkheadLimits {
  /** Operations at work at the same time. */
  readonly concurrency: number;
  /** Operations that wait for their turn. */
  readonly queue: number;
  /** How long one waits for its turn, in milliseconds; without it as long as its signal lets it. */
  readonly wait?: number;
}

/** What is shed: the system was not asked. */
export const shed = unavailable('overloaded');

/**
 * Bounds how many operations work at once, and how many wait for their turn and how long, first come, first served. Sheds the others
 * with `unavailable('overloaded')`. A turn ends when the operation inside settles, which an operation limit sees to.
 *
 * A queue that is bounded by number alone fills up under any lasting overload, and from then on every turn goes to somebody whose time
 * is over: the system works as hard as it can, and nobody is served.
 */
export class Bulkhead extends WrappedSource {
  private working = 0;
  /** Those who wait, the first one first. */
  private readonly waiting: (() => void)[] = [];

  constructor(
    inner: Source,
    private readonly limits: BulkheadLimits,
  ) {
    super(inner);
  }

  override async fetch(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    if (signal.aborted) return unavailable('timeout');
    if (this.working < this.limits.concurrency) this.working += 1;
    else if (this.waiting.length >= this.limits.queue) return shed;
    else {
      const refused = await this.turn(signal);
      if (refused) return refused;
    }
    try {
      return await this.inner.fetch(query, signal);
    } finally {
      this.giveTurn();
    }
  }

  /** Why the turn did not come, undefined where it did. */
  private turn(signal: AbortSignal): Promise<Unavailable | undefined> {
    const { wait } = this.limits;
    return new Promise((resolve) => {
      const settle = (refused?: Unavailable): void => {
        clearTimeout(timer);
        letGo();
        resolve(refused);
      };
      const start = (): void => settle();
      const leave = (refused: Unavailable): void => {
        this.waiting.splice(this.waiting.indexOf(start), 1);
        settle(refused);
      };
      const timer = wait === undefined ? undefined : setTimeout(leave, wait, shed);
      const letGo = onAbort(signal, () => leave(unavailable('timeout')));
      this.waiting.push(start);
    });
  }

  private giveTurn(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.working -= 1;
  }
}
