import { unavailable, type LookupQuery, type Outcome, type Source } from '#claims';
import { bulkhead, isBulkheadRejectedError, isTaskCancelledError, type BulkheadPolicy } from 'cockatiel';
import { WrappedSource, settleOnAbort } from './wrapped-source.js';

/** Bounds how many operations work at once and how many wait for their turn. Sheds the others with `unavailable('overloaded')`. */
export class Bulkhead extends WrappedSource {
  private readonly turns: BulkheadPolicy;

  constructor(inner: Source, limits: { readonly concurrency: number; readonly queue: number }) {
    super(inner);
    this.turns = bulkhead(limits.concurrency, limits.queue);
  }

  override async fetch(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    if (signal.aborted) return unavailable('timeout');
    const patience = settleOnAbort(signal, unavailable('timeout'));
    try {
      const work = this.turns.execute(() => this.inner.fetch(query, signal), signal);
      work.catch(() => undefined);
      return await Promise.race([work, patience.settled]);
    } catch (error) {
      if (isBulkheadRejectedError(error)) return unavailable('overloaded');
      if (isTaskCancelledError(error)) return unavailable('timeout');
      throw error;
    } finally {
      patience.release();
    }
  }
}
