import { hostname } from 'node:os';
import type { Actor } from '#claims';
import type { z } from 'zod';
import type { ClaimMappingService } from '../../mapping/claim-mapping.service.js';
import type { Sources } from '../../sources.js';
import type { AuditTrail } from '../audit/audit-trail.js';
import type { CachesBody, ErasureBody, eraseRequest } from '../contract/source.js';

/** What this replica keeps of the sources' answers. */
export class SourceCaches {
  private readonly replica = hostname();

  constructor(
    private readonly sources: Sources,
    private readonly mappings: ClaimMappingService,
    private readonly trail: AuditTrail,
  ) {}

  state(): CachesBody {
    return { replica: this.replica, items: this.sources.cacheStates.map((state) => ({ ...state })) };
  }

  /**
   * Follows what the mappings in force follow: an answer that was found by an attribute of an erased answer is the same person's.
   * @throws AdminProblem `repository.unavailable` where the erasure cannot be recorded
   */
  async erase({ tenant, identifiers }: z.output<typeof eraseRequest>, actor: Actor): Promise<ErasureBody> {
    const { replica } = this;
    // Identifiers are values of a person: the audit says how many there were.
    await this.trail.record({ actor, action: 'cache.erase', tenant, details: { identifiers: identifiers.length, replica } });
    const plans = this.mappings.plansOf(tenant);
    const origins = plans.flatMap(({ lookups }) => lookups.flatMap(({ inputs }) => [...inputs.values()]));
    const follow = new Set(origins.flatMap((origin) => (origin.kind === 'lookup' ? [origin.attribute.toLowerCase()] : [])));
    const erased = this.sources.erase(tenant, identifiers, follow);
    const lastKnown = Math.max(0, ...plans.flatMap(({ lookups }) => lookups.map(({ keepLastKnown }) => keepLastKnown)));
    return { replica, erased, othersKeepAtMostMs: Math.max(lastKnown, this.sources.longestKept) };
  }
}
