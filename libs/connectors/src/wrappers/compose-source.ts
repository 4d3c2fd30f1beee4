import type { Source } from '#claims';
import type { SourceConfig } from '../connector.js';
import { LimitedSource } from './limit-source.js';
import { ObservedSource, type SourceEvent } from './observed-source.js';

export { ObservedSource, type SourceEvent, type SourceHealth } from './observed-source.js';

/** The source as the service uses it: bounded by the limits of its configuration, and observed. */
export function composeSource(
  source: Source,
  config: Pick<SourceConfig, 'limits'>,
  listener: (event: SourceEvent) => void,
): ObservedSource {
  return new ObservedSource(new LimitedSource(source, config.limits), listener);
}
