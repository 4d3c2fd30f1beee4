import type { LookupQuery, Outcome, Source } from '#claims';
import { ConstantBackoff, handleWhenResult, retry, type RetryPolicy } from 'cockatiel';
import { WrappedSource } from './wrapped-source.js';

const pause = 10;

/** Asks once more where the connection failed: a lookup changes nothing, and the adapter opens another connection or takes another host. */
export class Retry extends WrappedSource {
  private readonly policy: RetryPolicy;

  constructor(inner: Source) {
    super(inner);
    this.policy = retry(handleWhenResult(isLostConnection), { maxAttempts: 1, backoff: new ConstantBackoff(pause) });
  }

  override async fetch(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    return this.policy.execute(() => this.inner.fetch(query, signal), signal);
  }
}

function isLostConnection(result: unknown): boolean {
  const outcome = result as Outcome;
  return outcome.kind === 'unavailable' && outcome.reason === 'connection';
}
