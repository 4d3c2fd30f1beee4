import { restrictionsOf } from '#claims';
import type { ServiceDocument } from '#configuration';
import type { ClaimMappingService } from '../../mapping/claim-mapping.service.js';
import type { RegistrationBody } from '../contract/registration.js';
import { AdminProblem } from '../http/admin-problem.js';

/** What Entra must know of an application's claims, as the configuration and the mapping in force have it. */
export class Registrations {
  constructor(
    private readonly document: ServiceDocument,
    private readonly mappings: ClaimMappingService,
  ) {}

  /** @throws AdminProblem `tenant.unknown`, `mapping.none` */
  of(tenant: string, application: string): RegistrationBody {
    const configured = Object.hasOwn(this.document.tenants, tenant) ? this.document.tenants[tenant] : undefined;
    if (!configured)
      throw new AdminProblem({
        code: 'tenant.unknown',
        status: 404,
        title: 'There is no such tenant.',
        remedy: `The configuration has ${Object.keys(this.document.tenants).join(', ')}.`,
      });
    const selection = this.mappings.select({ tenant, application, client: application });
    if (selection.kind !== 'mapping')
      throw new AdminProblem({
        code: 'mapping.none',
        status: 404,
        title: 'No mapping in force serves this application.',
        remedy: 'Publish a mapping that names it, then register its claims.',
      });
    const { mapping, revision, claims } = selection.plan;
    return {
      tenantId: configured.tenantId,
      audience: [...configured.audience],
      timeoutMs: this.document.entra.timeout,
      eventPath: '/api/onTokenIssuanceStart',
      mapping: { name: mapping, revision },
      claims: claims.map(({ name, list }) => ({ name, list, restricted: [...restrictionsOf(name)] })),
    };
  }
}
