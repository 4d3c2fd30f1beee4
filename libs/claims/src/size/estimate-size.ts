import type { ConfigurationIssue } from '../mapping/mapping-document.js';
import type { Plan, PlannedClaim, Policy } from '../plan/plan.js';
import type { Bound } from '../plan/transform.js';
import { claimBytes, maximumClaimBytes } from '../resolve/limit.js';

export interface ClaimSize {
  readonly claim: string;
  /** Bytes of name and value where the claim is as small as it can be; 0 where it may be absent. */
  readonly least: number;
  /** Where it is as large as it can be; absent where nothing bounds it. */
  readonly most?: number;
  /** What is unbounded: how many values there are, or how long one is. */
  readonly unbounded?: 'values' | 'length';
}

/** Bytes as Entra counts them: names and values of all claims, as UTF-8. */
export interface SizeEstimate {
  readonly limit: number;
  readonly least: number;
  /** Absent where a claim is unbounded. */
  readonly most?: number;
  readonly claims: readonly ClaimSize[];
}

/** How large a mapping's answer can be, as far as the mapping itself says so. */
export function estimateSize(plan: Plan): SizeEstimate {
  const claims = plan.claims.map(sizeOf);
  const least = claims.reduce((sum, claim) => sum + claim.least, 0);
  const most = claims.reduce((sum, claim) => sum + (claim.most ?? Infinity), 0);
  return { limit: maximumClaimBytes, least, ...(most < Infinity && { most }), claims };
}

/** What the size of a mapping's answer gives reason to say: it can never fit, or a person with much of something gets no token. */
export function warnOfSize(plan: Plan): readonly ConfigurationIssue[] {
  const { least, most, limit, claims } = estimateSize(plan);
  const remedy = 'say overflow: { drop: [claim, …] }, or shorten it by Filter, Map, First or Substring';
  if (least > limit && plan.droppable.length === 0)
    return [{ path: ['claims'], reason: `the answer never has less than ${least} bytes, and Entra takes ${limit}`, remedy }];
  const droppable = new Set(plan.droppable);
  const lists = claims.filter(({ claim, unbounded }) => unbounded === 'values' && !droppable.has(claim));
  if (lists.length > 0)
    return lists.map(({ claim }) => ({
      path: ['claims', claim],
      reason: `can have any number of values; a person for whom the answer exceeds ${limit} bytes gets no token`,
      remedy,
    }));
  return most !== undefined && most > limit && plan.droppable.length === 0
    ? [{ path: ['claims'], reason: `the answer can have up to ${most} bytes, and Entra takes ${limit}`, remedy }]
    : [];
}

function sizeOf(claim: PlannedClaim): ClaimSize {
  const { name, from, list, when, transforms, whenMissing, whenUnavailable } = claim;
  const { values, bytes } = transforms.reduce((bound, transform) => transform.bound(bound), boundOf(from));
  const largest = Buffer.byteLength(name) + (list ? values : Math.min(1, values)) * bytes;
  const most = Math.max(
    Number.isNaN(largest) ? Buffer.byteLength(name) : largest,
    ...[whenMissing, whenUnavailable].map((policy) => (typeof policy === 'string' ? 0 : claimBytes(name, policy.default))),
  );
  const isFixed = from.kind === 'constant' && transforms.length === 0;
  const least = when
    ? 0
    : isFixed
      ? claimBytes(name, from.values)
      : Math.min(leastOf(name, whenMissing), leastOf(name, whenUnavailable));
  if (isFixed) return { claim: name, least, most: claimBytes(name, from.values) };
  if (most < Infinity) return { claim: name, least, most };
  return { claim: name, least, unbounded: list && values === Infinity ? 'values' : 'length' };
}

/** A GUID is as long as it is; whatever else the event or a source says may be as long as it likes. */
function boundOf(from: PlannedClaim['from']): Bound {
  if (from.kind === 'constant')
    return { values: from.values.length, bytes: Math.max(...from.values.map((value) => Buffer.byteLength(value))) };
  if (from.kind === 'subject') return { values: 1, bytes: from.property === 'id' ? 36 : Infinity };
  return { values: Infinity, bytes: Infinity };
}

/** A policy that fails gives no answer at all, so it makes no claim small. */
function leastOf(name: string, policy: Policy): number {
  if (policy === 'omit') return 0;
  return policy === 'fail' ? Buffer.byteLength(name) + 1 : claimBytes(name, policy.default);
}
