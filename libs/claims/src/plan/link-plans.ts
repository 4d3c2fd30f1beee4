import type { AskedLookup, Plan, PlannedLookup } from './plan.js';

interface Need {
  /** Attribute names as they were first spelled, by their lower case. */
  readonly projection: Map<string, string>;
  keepLastKnown: number;
  /** The same list for all plans, once it is asked for. */
  sorted?: readonly string[] | undefined;
}

/**
 * Makes plans of one tenant ask alike: every lookup of a source fetches what any of the tenant's mappings needs of it, and keeps the
 * last known answer as long as the longest of them. So one answer serves all, and who asks first does not decide what is kept. First all
 * plans are added, then each is linked.
 */
export class Linking {
  private readonly needs = new Map<string, Need>();

  add(plan: Plan): void {
    addNeeds(this.needs, plan);
  }

  /** @param earlier what another linking made of the same plan: given back where it asks the same */
  link(plan: Plan, earlier?: Plan): Plan {
    return earlier && this.isAskedBy(earlier) ? earlier : linkBy(plan, this.needs);
  }

  private isAskedBy({ tenant, lookups }: Plan): boolean {
    return lookups.every((planned) => {
      const need = this.needs.get(keyOf(tenant, planned))!;
      if (planned.keepLastKnown !== need.keepLastKnown || !isSameList(planned.projection, sortedOf(need))) return false;
      // The next plan that has this very list is not compared name by name.
      need.sorted = planned.projection;
      return true;
    });
  }
}

/** What a plan becomes beside others. */
export function linkPlan(plan: Plan, others: Iterable<Plan>): Plan {
  const own = new Set(
    plan.lookups.flatMap((planned) => [planned, ...planned.fallbacks].map((asked) => keyOf(plan.tenant, asked))),
  );
  const needs = new Map<string, Need>();
  for (const each of [...others, plan]) addNeeds(needs, each, own);
  return linkBy(plan, needs);
}

function linkBy(plan: Plan, needs: ReadonlyMap<string, Need>): Plan {
  return { ...plan, lookups: plan.lookups.map((planned) => link(planned, plan.tenant, needs)) };
}

function sortedOf(need: Need): readonly string[] {
  return (need.sorted ??= [...need.projection.values()].toSorted());
}

function isSameList(left: readonly string[], right: readonly string[]): boolean {
  return left === right || (left.length === right.length && left.every((entry, index) => entry === right[index]));
}

/** @param only the lookups that are of interest; all without */
function addNeeds(needs: Map<string, Need>, { tenant, lookups }: Plan, only?: ReadonlySet<string>): void {
  for (const planned of lookups)
    for (const asked of [planned, ...planned.fallbacks]) {
      const key = keyOf(tenant, asked);
      if (only && !only.has(key)) continue;
      const need: Need = needs.get(key) ?? { projection: new Map(), keepLastKnown: 0 };
      need.sorted = undefined;
      for (const attribute of planned.projection)
        if (!need.projection.has(attribute.toLowerCase())) need.projection.set(attribute.toLowerCase(), attribute);
      if (asked === planned) need.keepLastKnown = Math.max(need.keepLastKnown, planned.keepLastKnown);
      needs.set(key, need);
    }
}

function link(planned: PlannedLookup, tenant: string, needs: ReadonlyMap<string, Need>): PlannedLookup {
  const need = needs.get(keyOf(tenant, planned))!;
  return { ...planned, projection: sortedOf(need), keepLastKnown: need.keepLastKnown };
}

function keyOf(tenant: string, { source, lookup }: AskedLookup): string {
  return `${tenant}\n${source.name}\n${lookup}`;
}
