import { setTimeout as wait } from 'node:timers/promises';
import type { LookupQuery, Outcome } from '#claims';
import { WrappedSource } from './wrapped-source.js';

/** Milliseconds. */
const pause = 10;

/**
 * Asks once more where the connection failed: a lookup changes nothing, and the adapter opens another connection or takes another host.
 * Both attempts and the pause share the time that the signal leaves. Not for a `RepeatingSource`, which has asked twice by then.
 */
export class Retry extends WrappedSource {
  override async fetch(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    const outcome = await this.inner.fetch(query, signal);
    if (outcome.kind !== 'unavailable' || outcome.reason !== 'connection') return outcome;
    const waited = await wait(pause, true, { signal }).catch(() => false);
    return waited ? this.inner.fetch(query, signal) : outcome;
  }
}
