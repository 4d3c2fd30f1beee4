import type { ProbeResult, Source } from '#claims';
import { previewConcurrency, RepeatingSource, type SourceConfig } from '../connector.js';
import { settleOn } from '../settle-on.js';
import { Bulkhead } from './bulkhead.js';
import { Cache, type CacheTimes, type CacheUse, type Erased } from './cache.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { ObservedSource, type SourceEvent, type SourceHealth } from './observed-source.js';
import { OperationLimit } from './operation-limit.js';
import { PreviewedSource } from './previewed-source.js';
import { Retry } from './retry.js';

export type { CacheUse, Erased } from './cache.js';
export type { SourceEvent, SourceHealth } from './observed-source.js';

/** Told of what a source does, for metrics and the log. Names and stable codes only. */
export interface SourceListener {
  /** One operation of the source itself. */
  fetched(event: SourceEvent): void;
  /** One answer, and how it was come by. */
  answered(event: { readonly source: string; readonly lookup: string; readonly use: CacheUse }): void;
  circuit(event: { readonly source: string; readonly state: 'open' | 'closed' }): void;
}

/** A source as the service uses it. */
export interface ComposedSource {
  readonly source: Source;
  /** The same source for previews: they get what a sign-in would get, and no sign-in notices them. */
  readonly preview: Source;
  /** Whether the system can be reached now. One test at a time; sign-ins, health and circuit do not notice it. */
  test(signal: AbortSignal): Promise<ProbeResult | 'busy'>;
  /** See `Cache.erase`. */
  erase(...asked: Parameters<Cache['erase']>): Erased;
  health(): SourceHealth & { readonly circuit: 'open' | 'closed' };
  kept(): { readonly entries: number; readonly bytes: number };
}

/** How many lookups of previews may wait for one of their own turns. */
const previewQueue = 64;

const notCached: CacheTimes = { ttl: 0, staleWhileRevalidate: 0, negativeTtl: 0 };

/**
 * Cache and shared work → observation → bulkhead → circuit breaker → operation limit → retry → the adapter.
 * @param deadline how long a sign-in waits at most, in milliseconds
 */
export function composeSource(
  adapter: Source,
  config: Pick<SourceConfig, 'limits' | 'breaker' | 'cache' | 'lookups'>,
  listener: SourceListener,
  deadline: number,
): ComposedSource {
  const { name } = adapter;
  const { limits } = config;
  const attempted = (): Source =>
    new OperationLimit(adapter instanceof RepeatingSource ? adapter : new Retry(adapter), limits.operation);
  const breaker = new CircuitBreaker(attempted(), { ...config.breaker, operation: limits.operation }, (state) =>
    listener.circuit({ source: name, state }),
  );
  const observed = new ObservedSource(
    new Bulkhead(breaker, { ...limits, wait: longestWait(deadline, limits.operation) }),
    (event) => listener.fetched(event),
  );
  const cache = new Cache(
    observed,
    (lookup) => config.lookups[lookup]?.cache ?? notCached,
    config.cache,
    (lookup, use) => listener.answered({ source: name, lookup, use }),
  );
  const previewed = new Bulkhead(attempted(), {
    concurrency: previewConcurrency,
    queue: previewQueue,
  });
  return {
    source: cache,
    preview: new PreviewedSource(previewed, cache, breaker),
    test: oneAtATime((signal) => adapter.probe(signal)),
    erase: (...asked) => cache.erase(...asked),
    health: () => ({ ...observed.health(), circuit: breaker.state }),
    kept: () => cache.size,
  };
}

/**
 * What begins its work after this wait still ends it before the deadline, by the operation limit. Most operations are far shorter than
 * a limit that leaves little: half of the time at least is for the wait.
 */
function longestWait(deadline: number, operation: number): number {
  return Math.max(deadline - operation, deadline / 2);
}

function oneAtATime(probe: (signal: AbortSignal) => Promise<ProbeResult>): ComposedSource['test'] {
  let underWay: Promise<ProbeResult> | undefined;
  return async (signal) => {
    if (underWay) return 'busy';
    underWay = probe(signal);
    const end = (): void => void (underWay = undefined);
    underWay.then(end, end);
    const result = await settleOn(signal, underWay);
    return result === 'aborted' ? { kind: 'down', reason: 'timeout' } : result;
  };
}
