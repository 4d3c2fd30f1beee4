import type { ConfigurationIssue } from '../mapping/mapping-document.js';
import type { Plan } from '../plan/plan.js';

export function applicationKey(tenant: string, application: string): string {
  return `${tenant}\n${application}`;
}

export function specificity(plan: Plan): number {
  return (plan.clients ? 1 : 0) + (plan.extensions ? 1 : 0);
}

export function admits(allowed: ReadonlySet<string> | undefined, id: string | undefined): boolean {
  return allowed === undefined || (id !== undefined && allowed.has(id));
}

function meet(left: ReadonlySet<string> | undefined, right: ReadonlySet<string> | undefined): boolean {
  return left === undefined || right === undefined || !left.isDisjointFrom(right);
}

/** Which names and which calls are taken by the documents compiled so far. */
export class Occupancy {
  private readonly originByName = new Map<string, string>();
  private readonly byApplication = new Map<string, { readonly origin: string; readonly plan: Plan }[]>();

  /** Why a document of this name cannot stand beside the others. Names are unique within a tenant, for mappings and claim sets together. */
  nameClash(tenant: string, name: string, key: 'name' | 'claimSet'): ConfigurationIssue | undefined {
    const origin = this.originByName.get(`${tenant}\n${name}`);
    return origin === undefined
      ? undefined
      : { path: [key], reason: `${name} is the name of ${origin} already`, remedy: 'give one of them another name' };
  }

  /** Why a plan cannot stand beside the others: its name is taken, or some call would have two equally specific mappings. */
  clash(plan: Plan): ConfigurationIssue | undefined {
    const byName = this.nameClash(plan.tenant, plan.mapping, 'name');
    if (byName) return byName;
    for (const [index, application] of plan.applications.entries())
      for (const { origin, plan: other } of this.byApplication.get(applicationKey(plan.tenant, application)) ?? [])
        if (
          specificity(other) === specificity(plan) &&
          meet(other.clients, plan.clients) &&
          meet(other.extensions, plan.extensions)
        )
          return {
            path: ['applications', index],
            reason: `${origin} serves ${application} too, and neither is more specific`,
            remedy: 'narrow one of them by clients or extensions',
          };
    return undefined;
  }

  takeName(tenant: string, name: string, origin: string): void {
    this.originByName.set(`${tenant}\n${name}`, origin);
  }

  take(plan: Plan, origin: string): void {
    this.takeName(plan.tenant, plan.mapping, origin);
    for (const application of plan.applications) {
      const key = applicationKey(plan.tenant, application);
      this.byApplication.set(key, [...(this.byApplication.get(key) ?? []), { origin, plan }]);
    }
  }
}
