import type { PlannedLookup } from './plan.js';

/** The lookups so that an input of one comes before it. Those that need each other are refused. */
export function inDependencyOrder(
  lookups: readonly PlannedLookup[],
  refuse: (path: readonly (string | number)[], reason: string) => void,
): readonly PlannedLookup[] {
  const byAlias = new Map(lookups.map((lookup) => [lookup.alias, lookup]));
  const ordered = new Set<PlannedLookup>();
  const visit = (lookup: PlannedLookup, trail: readonly string[]): void => {
    if (ordered.has(lookup)) return;
    const cycleStart = trail.indexOf(lookup.alias);
    if (cycleStart >= 0) {
      refuse(['lookups', lookup.alias], `needs itself: ${[...trail.slice(cycleStart), lookup.alias].join(' → ')}`);
      return;
    }
    for (const origin of lookup.inputs.values()) {
      const needed = origin.kind === 'lookup' ? byAlias.get(origin.alias) : undefined;
      if (needed) visit(needed, [...trail, lookup.alias]);
    }
    ordered.add(lookup);
  };
  for (const lookup of lookups) visit(lookup, []);
  return [...ordered];
}
