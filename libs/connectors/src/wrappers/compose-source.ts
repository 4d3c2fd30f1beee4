import type { Source } from '#claims';
import type { SourceConfig } from '../connector.js';
import { Bulkhead } from './bulkhead.js';
import { Cache, type CacheTimes, type CacheUse } from './cache.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { ObservedSource, type SourceEvent, type SourceHealth } from './observed-source.js';
import { OperationLimit } from './operation-limit.js';
import { Retry } from './retry.js';

export type { CacheUse } from './cache.js';
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
  health(): SourceHealth & { readonly circuit: 'open' | 'closed' };
  kept(): { readonly entries: number; readonly bytes: number };
}

const notCached: CacheTimes = { ttl: 0, staleWhileRevalidate: 0, negativeTtl: 0 };

/** Cache and shared work → observation → bulkhead → circuit breaker → retry → operation limit → the adapter. */
export function composeSource(
  adapter: Source,
  config: Pick<SourceConfig, 'limits' | 'breaker' | 'cache' | 'lookups'>,
  listener: SourceListener,
): ComposedSource {
  const { name } = adapter;
  const { limits } = config;
  const breaker = new CircuitBreaker(
    new Retry(new OperationLimit(adapter, limits.operation)),
    { ...config.breaker, operation: limits.operation },
    (state) => listener.circuit({ source: name, state }),
  );
  const observed = new ObservedSource(new Bulkhead(breaker, limits), (event) => listener.fetched(event));
  const cache = new Cache(
    observed,
    (lookup) => config.lookups[lookup]?.cache ?? notCached,
    config.cache,
    (lookup, use) => listener.answered({ source: name, lookup, use }),
  );
  return {
    source: cache,
    health: () => ({ ...observed.health(), circuit: breaker.state }),
    kept: () => cache.size,
  };
}
