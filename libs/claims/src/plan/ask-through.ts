import type { Source } from '../ports/source.js';
import type { AskedLookup, Plan } from './plan.js';

/**
 * The same plan, asking other instances of its sources.
 * @param instanceOf by the name of the source; undefined leaves the one that it has
 */
export function askThrough(plan: Plan, instanceOf: (source: string) => Source | undefined): Plan {
  const through = <Asked extends AskedLookup>(asked: Asked): Asked => ({
    ...asked,
    source: instanceOf(asked.source.name) ?? asked.source,
  });
  return {
    ...plan,
    lookups: plan.lookups.map((lookup) => ({ ...through(lookup), fallbacks: lookup.fallbacks.map(through) })),
  };
}
