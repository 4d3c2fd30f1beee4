import { unavailable, type LookupQuery, type Outcome, type Source } from '#claims';
import { onAbort } from '../on-abort.js';
import { WrappedSource } from './wrapped-source.js';

/**
 * Bounds how long an operation works. A source that ignores its signal is answered for at the limit, so that one that hangs keeps
 * neither its callers nor their turn. Only at the limit is the signal's reason a `TimeoutError`: it then says something of the system.
 */
export class OperationLimit extends WrappedSource {
  /** @param limit milliseconds */
  constructor(
    inner: Source,
    private readonly limit: number,
  ) {
    super(inner);
  }

  override fetch(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    if (signal.aborted) return Promise.resolve(unavailable('timeout'));
    const work = new AbortController();
    const outcome = this.inner.fetch(query, work.signal);
    return new Promise((resolve, reject) => {
      // Whoever obeys the signal answers first, and says more.
      const end = (reason?: DOMException): void => {
        work.abort(reason);
        setImmediate(settle, unavailable('timeout'));
      };
      const timer = setTimeout(() => end(new DOMException('operation limit', 'TimeoutError')), this.limit);
      const letGo = onAbort(signal, () => end());
      const release = (): void => {
        clearTimeout(timer);
        letGo();
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
