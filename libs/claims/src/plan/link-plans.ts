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
  const needs = needsOf(plans);
  return plans.map((plan) => linkBy(plan, needs));
}

/** What `linkPlans` makes of one plan beside others. */
export function linkPlan(plan: Plan, others: Iterable<Plan>): Plan {
  const own = new Set(
    plan.lookups.flatMap((planned) => [planned, ...planned.fallbacks].map((asked) => keyOf(plan.tenant, asked))),
  );
  return linkBy(plan, needsOf([...others, plan], own));
}

function linkBy(plan: Plan, needs: ReadonlyMap<string, Need>): Plan {
  return { ...plan, lookups: plan.lookups.map((planned) => link(planned, plan.tenant, needs)) };
}

/** @param only the lookups that are of interest; all without */
function needsOf(plans: readonly Plan[], only?: ReadonlySet<string>): ReadonlyMap<string, Need> {
  const needs = new Map<string, Need>();
  for (const { tenant, lookups } of plans)
    for (const planned of lookups)
      for (const asked of [planned, ...planned.fallbacks]) {
        const key = keyOf(tenant, asked);
        if (only && !only.has(key)) continue;
        const need = needs.get(key) ?? { projection: new Map<string, string>(), keepLastKnown: 0 };
        for (const attribute of planned.projection)
          if (!need.projection.has(attribute.toLowerCase())) need.projection.set(attribute.toLowerCase(), attribute);
        if (asked === planned) need.keepLastKnown = Math.max(need.keepLastKnown, planned.keepLastKnown);
        needs.set(key, need);
      }
  return needs;
}

function link(planned: PlannedLookup, tenant: string, needs: ReadonlyMap<string, Need>): PlannedLookup {
  const need = needs.get(keyOf(tenant, planned))!;
  need.sorted ??= [...need.projection.values()].toSorted();
  return { ...planned, projection: need.sorted, keepLastKnown: need.keepLastKnown };
}

function keyOf(tenant: string, { source, lookup }: AskedLookup): string {
  return `${tenant}\n${source.name}\n${lookup}`;
}
