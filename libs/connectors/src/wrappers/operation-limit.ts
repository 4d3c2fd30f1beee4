import { unavailable, type LookupQuery, type Outcome, type Source } from '#claims';
import { WrappedSource, settleOnAbort } from './wrapped-source.js';

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
    const abort = (): void => work.abort();
    signal.addEventListener('abort', abort, { once: true });
    const timer = setTimeout(abort, this.limit);
    const patience = settleOnAbort(work.signal, unavailable('timeout'));
    try {
      const outcome = this.inner.fetch(query, work.signal);
      outcome.catch(() => undefined);
      return await Promise.race([outcome, patience.settled]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      patience.release();
    }
  }
}
