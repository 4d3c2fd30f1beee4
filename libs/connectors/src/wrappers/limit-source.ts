import { Source, unavailable, type LookupDescription, type LookupQuery, type Outcome, type ProbeResult } from '#claims';
import { bulkhead, isBulkheadRejectedError, isTaskCancelledError, type BulkheadPolicy } from 'cockatiel';
import type { SourceLimits } from '../connector.js';

/**
 * Bounds how long an operation works and how many work at once. A source that ignores its signal is answered for at the limit,
 * so that one that hangs keeps neither its callers nor their turn. Sheds with `unavailable('overloaded')`.
 */
export class LimitedSource extends Source {
  private readonly turns: BulkheadPolicy;

  constructor(
    private readonly source: Source,
    private readonly limits: SourceLimits,
  ) {
    super();
    this.turns = bulkhead(limits.concurrency, limits.queue);
  }

  override get name(): string {
    return this.source.name;
  }

  override get lookups(): ReadonlyMap<string, LookupDescription> {
    return this.source.lookups;
  }

  override async fetch(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    if (signal.aborted) return unavailable('timeout');
    const patience = settleOnAbort(signal);
    try {
      const work = this.turns.execute(() => this.work(query, signal), signal);
      work.catch(() => undefined);
      return await Promise.race([work, patience.outcome]);
    } catch (error) {
      if (isBulkheadRejectedError(error)) return unavailable('overloaded');
      if (isTaskCancelledError(error)) return unavailable('timeout');
      throw error;
    } finally {
      patience.release();
    }
  }

  override probe(signal: AbortSignal): Promise<ProbeResult> {
    return this.source.probe(signal);
  }

  override close(): Promise<void> {
    return this.source.close();
  }

  private async work(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    const work = new AbortController();
    const abort = (): void => work.abort();
    signal.addEventListener('abort', abort, { once: true });
    const timer = setTimeout(abort, this.limits.operation);
    const patience = settleOnAbort(work.signal);
    try {
      const outcome = this.source.fetch(query, work.signal);
      outcome.catch(() => undefined);
      return await Promise.race([outcome, patience.outcome]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      patience.release();
    }
  }
}

/** Settles a moment after the abort: whoever obeys the signal answers first, and says more. */
function settleOnAbort(signal: AbortSignal): { readonly outcome: Promise<Outcome>; release(): void } {
  let onAbort!: () => void;
  const outcome = new Promise<Outcome>((resolve) => {
    onAbort = () => setImmediate(resolve, unavailable('timeout'));
  });
  signal.addEventListener('abort', onAbort, { once: true });
  return { outcome, release: () => signal.removeEventListener('abort', onAbort) };
}
