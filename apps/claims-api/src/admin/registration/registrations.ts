import { restrictionsOf, type Plan } from '#claims';
import type { ServiceDocument } from '#configuration';
import type { ClaimMappingService } from '../../mapping/claim-mapping.service.js';
import type { RegistrationBody } from '../contract/registration.js';
import { AdminProblem } from '../http/admin-problem.js';

/** What Entra must know of an application's claims, as the configuration and the mappings in force have it. */
export class Registrations {
  constructor(
    private readonly document: ServiceDocument,
    private readonly mappings: ClaimMappingService,
  ) {}

  /**
   * The claims of every mapping that some call for the application gets.
   * @throws AdminProblem `tenant.unknown`, `mapping.none`, `mapping.invalid`, `mapping.unloaded`
   */
  of(tenant: string, application: string): RegistrationBody {
    const configured = Object.hasOwn(this.document.tenants, tenant) ? this.document.tenants[tenant] : undefined;
    if (!configured)
      throw new AdminProblem({
        code: 'tenant.unknown',
        status: 404,
        title: 'There is no such tenant.',
        remedy: `The configuration has ${Object.keys(this.document.tenants).join(', ')}.`,
      });
    const plans = this.serving(tenant, application);
    const claims = new Map<string, boolean>();
    for (const plan of plans) for (const { name, list } of plan.claims) claims.set(name, list || claims.get(name) === true);
    return {
      tenantId: configured.tenantId,
      audience: [...configured.audience],
      timeoutMs: this.document.entra.timeout,
      eventPath: '/api/onTokenIssuanceStart',
      mappings: plans.map(({ mapping, revision }) => ({ name: mapping, revision })),
      claims: [...claims].map(([name, list]) => ({ name, list, restricted: [...restrictionsOf(name)] })),
    };
  }

  private serving(tenant: string, application: string): readonly Plan[] {
    const { kind } = this.mappings.select(tenant, { application, client: application });
    if (kind === 'unloaded') throw unloaded();
    if (kind === 'invalid') throw invalid();
    const plans = this.mappings.plansOf(tenant);
    const own = plans.filter(({ applications }) => applications.includes(application));
    // Calls that no mapping of the application admits get the fallback.
    const all = own.some(isForEveryCall) ? own : [...own, ...plans.filter(({ applications }) => applications.includes('*'))];
    if (all.length === 0) throw none();
    return all;
  }
}

function isForEveryCall({ clients, extensions }: Plan): boolean {
  return clients === undefined && extensions === undefined;
}

const none = (): AdminProblem =>
  new AdminProblem({
    code: 'mapping.none',
    status: 404,
    title: 'No mapping in force serves this application.',
    remedy: 'Publish a mapping that names it, then register its claims.',
  });

const invalid = (): AdminProblem =>
  new AdminProblem({
    code: 'mapping.invalid',
    status: 409,
    title: 'A mapping of this application is refused as it is stored, so what it gives cannot be told.',
    remedy: 'GET /admin/health names it and what is wrong (snapshot.problems). Publish a corrected one.',
  });

const unloaded = (): AdminProblem =>
  new AdminProblem({
    code: 'mapping.unloaded',
    status: 503,
    title: 'This replica has no mappings yet.',
    remedy: 'Look at store in GET /admin/health, and try again when it is up.',
    headers: { 'retry-after': '5' },
  });
