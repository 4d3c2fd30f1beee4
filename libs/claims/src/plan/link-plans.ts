import type { AskedLookup, Plan, PlannedLookup } from './plan.js';

interface Need {
  /** Attribute names as they were first spelled, by their lower case. */
  readonly projection: Map<string, string>;
  keepLastKnown: number;
  /** The same list for all plans, once it is asked for. */
  sorted?: readonly string[];
}

/**
 * Makes plans of one tenant ask alike: every lookup of a source fetches what any of the tenant's mappings needs of it, and keeps the
 * last known answer as long as the longest of them. So one answer serves all, and who asks first does not decide what is kept.
 */
export function linkPlans(plans: readonly Plan[]): readonly Plan[] {
  const needs = new Map<string, Need>();
  for (const { tenant, lookups } of plans)
    for (const planned of lookups)
      for (const asked of [planned, ...planned.fallbacks]) {
        const need = needs.get(keyOf(tenant, asked)) ?? { projection: new Map<string, string>(), keepLastKnown: 0 };
        for (const attribute of planned.projection)
          if (!need.projection.has(attribute.toLowerCase())) need.projection.set(attribute.toLowerCase(), attribute);
        if (asked === planned) need.keepLastKnown = Math.max(need.keepLastKnown, planned.keepLastKnown);
        needs.set(keyOf(tenant, asked), need);
      }
  return plans.map((plan) => ({ ...plan, lookups: plan.lookups.map((planned) => link(planned, plan.tenant, needs)) }));
}

function link(planned: PlannedLookup, tenant: string, needs: ReadonlyMap<string, Need>): PlannedLookup {
  const need = needs.get(keyOf(tenant, planned))!;
  need.sorted ??= [...need.projection.values()].toSorted();
  return { ...planned, projection: need.sorted, keepLastKnown: need.keepLastKnown };
}

function keyOf(tenant: string, { source, lookup }: AskedLookup): string {
  return `${tenant}\n${source.name}\n${lookup}`;
}
