import { unavailable, type LookupQuery, type Outcome, type Source } from '#claims';
import { WrappedSource } from './wrapped-source.js';

/**
 * Bounds how long an operation works. A source that ignores its signal is answered for at the limit, so that one that hangs keeps
 * neither its callers nor their turn.
 */
export class OperationLimit extends WrappedSource {
  /** @param limit milliseconds */
  constructor(
    inner: Source,
    private readonly limit: number,
  ) {
    super(inner);
  }

  override async fetch(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    if (signal.aborted) return unavailable('timeout');
    const work = new AbortController();
    const outcome = this.inner.fetch(query, work.signal);
    return new Promise((resolve, reject) => {
      // Whoever obeys the signal answers first, and says more.
      const end = (): void => {
        work.abort();
        setImmediate(settle, unavailable('timeout'));
      };
      const timer = setTimeout(end, this.limit);
      signal.addEventListener('abort', end, { once: true });
      const release = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
      };
      const settle = (settled: Outcome): void => {
        release();
        resolve(settled);
      };
      outcome.then(settle, (error: unknown) => {
        release();
        reject(error as Error);
      });
    });
  }
}
