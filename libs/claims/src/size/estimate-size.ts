import type { Plan, PlannedClaim, Policy } from '../plan/plan.js';
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
  const most = claims.reduce<number | undefined>(
    (sum, claim) => (sum === undefined || claim.most === undefined ? undefined : sum + claim.most),
    0,
  );
  return { limit: maximumClaimBytes, least, ...(most !== undefined && { most }), claims };
}

function sizeOf(claim: PlannedClaim): ClaimSize {
  const { name, from, list, transforms, whenMissing, whenUnavailable } = claim;
  if (from.kind === 'constant' && transforms.length === 0) {
    const bytes = claimBytes(name, from.values);
    return { claim: name, least: bytes, most: bytes };
  }
  const least = Math.min(leastOf(name, whenMissing), leastOf(name, whenUnavailable));
  return { claim: name, least, unbounded: list ? 'values' : 'length' };
}

/** A policy that fails gives no answer at all, so it makes no claim small. */
function leastOf(name: string, policy: Policy): number {
  if (policy === 'omit') return 0;
  return policy === 'fail' ? Buffer.byteLength(name) + 1 : claimBytes(name, policy.default);
}
