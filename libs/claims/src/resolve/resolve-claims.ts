import type { Plan } from '../plan/plan.js';
import type { Subject } from '../subject.js';
import type { Deadline } from './deadline.js';
import { LookupRun } from './lookup-run.js';
import { projectClaims } from './project-claims.js';
import type { Resolution, ResolveOptions } from './resolution.js';

/**
 * Runs a plan for one sign-in: independent lookups in parallel, dependent ones as soon as their inputs are there, all of it within
 * the deadline; then transforms, policies and the size limit. Never throws for what sources do.
 *
 * Unavailability is contagious: a lookup or claim with an input that is unavailable or ambiguous is itself unavailable. Last known and
 * degraded values reach a claim only where the claim says so (docs/reference/outcomes.md).
 *
 * @param subject undefined where the event has no user
 */
export async function resolveClaims(
  plan: Plan,
  subject: Subject | undefined,
  deadline: Deadline,
  options: ResolveOptions = {},
): Promise<Resolution> {
  const settled = await new LookupRun(plan, subject, deadline, options).settle();
  const lookups = [...settled.values()].map(({ account }) => account);
  const { explanations, ...projection } = projectClaims(plan, subject, settled, options);
  if (!options.explain) return { lookups, ...projection };
  const explained = [...settled.values()].map(({ account, asked }) => (asked ? { ...account, asked } : account));
  return { lookups, ...projection, explanation: { lookups: explained, claims: explanations } };
}
