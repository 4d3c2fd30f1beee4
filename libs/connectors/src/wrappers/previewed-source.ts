import { unavailable, type LookupQuery, type Outcome, type Source } from '#claims';
import { settleOn } from '../settle-on.js';
import type { Cache } from './cache.js';
import { leftAlone, type CircuitBreaker } from './circuit-breaker.js';
import { WrappedSource } from './wrapped-source.js';

/**
 * A source as a preview sees it: what a sign-in would get now, and sign-ins do not notice. What is kept is read and left as it is, the
 * circuit is obeyed and not moved, and nothing is told to metrics and health.
 */
export class PreviewedSource extends WrappedSource {
  /** @param inner what asks the source, by a share of its own */
  constructor(
    inner: Source,
    private readonly cache: Cache,
    private readonly circuit: Pick<CircuitBreaker, 'state'>,
  ) {
    super(inner);
  }

  override async fetch(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    const kept = this.cache.glance(query);
    if (kept) return kept;
    return this.cache.withLastKnown(await this.ask(query, signal), query);
  }

  private async ask(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    if (this.circuit.state === 'open') return leftAlone;
    const work = new AbortController();
    const outcome = await settleOn(signal, this.inner.fetch(query, work.signal));
    if (outcome !== 'aborted') return outcome;
    work.abort();
    return unavailable('deadline');
  }
}
