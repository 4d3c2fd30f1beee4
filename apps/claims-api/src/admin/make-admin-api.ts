import { MappingRepository, MappingStore } from '#claims';
import { Metrics } from '#observability';
import type { INestApplicationContext } from '@nestjs/common';
import { Configuration } from '../config.js';
import { AdminHealth } from '../health/admin-health.js';
import { ClaimMappingService } from '../mapping/claim-mapping.service.js';
import { ServiceLog } from '../service-log.js';
import { Sources } from '../sources.js';
import { AdminApiDocument } from './admin-api-document.js';
import type { AdminApiParts } from './admin-api.module.js';
import { AuditTrail } from './audit/audit-trail.js';
import { SourceCaches } from './caches/source-caches.js';
import { Turns } from './http/turns.js';
import { InForceView } from './mappings/in-force-view.js';
import { MappingCheck } from './mappings/mapping-check.js';
import { MappingTransfer } from './mappings/mapping-transfer.js';
import { MappingWorkbench } from './mappings/mapping-workbench.js';
import { Previews } from './preview/previews.js';
import { Registrations } from './registration/registrations.js';
import { SourceCatalogue } from './sources/source-catalogue.js';

/** What operators may have worked out at the same time, in the process that answers sign-ins. */
const limits = {
  preview: { concurrency: 4, queue: 16 },
  validation: { concurrency: 1, queue: 8 },
  transfer: { concurrency: 1, queue: 2 },
};

/** The parts of the admin API, around those of the service. */
export function makeAdminApi(core: INestApplicationContext): AdminApiParts {
  const configuration = core.get(Configuration);
  const mappings = core.get(ClaimMappingService);
  const sources = core.get(Sources);
  const store = core.get<MappingStore>(MappingStore);
  const repository = store instanceof MappingRepository ? store : undefined;
  const audit = new AuditTrail(repository, core.get(ServiceLog).log);
  const view = new InForceView(mappings);
  const check = new MappingCheck(mappings, new Turns('validation', limits.validation));
  const workbench = new MappingWorkbench(repository, view, check);
  return {
    workbench,
    check,
    transfer: new MappingTransfer(repository, view, check, new Turns('import and export', limits.transfer)),
    sources: new SourceCatalogue(sources, audit, configuration.document.probes.timeout),
    caches: new SourceCaches(sources, mappings, audit),
    audit,
    previews: new Previews({
      configuration,
      mappings,
      sources,
      workbench,
      trail: audit,
      metrics: core.get(Metrics),
      turns: new Turns('preview', limits.preview),
    }),
    registrations: new Registrations(configuration.document, mappings),
    document: new AdminApiDocument(),
    health: core.get(AdminHealth),
  };
}
