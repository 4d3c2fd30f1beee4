import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { AdminApiDocument } from './admin-api-document.js';
import { AdminHealth } from '../health/admin-health.js';
import { AdminHealthController } from '../health/admin-health.controller.js';
import { AuditController } from './audit/audit.controller.js';
import { AuditTrail } from './audit/audit-trail.js';
import { CachesController } from './caches/caches.controller.js';
import { SourceCaches } from './caches/source-caches.js';
import { DocumentsController } from './documents.controller.js';
import { MappingCheck } from './mappings/mapping-check.js';
import { MappingTransfer } from './mappings/mapping-transfer.js';
import { MappingWorkbench } from './mappings/mapping-workbench.js';
import { MappingController } from './mappings/mapping.controller.js';
import { MappingsController } from './mappings/mappings.controller.js';
import { PreviewController } from './preview/preview.controller.js';
import { Previews } from './preview/previews.js';
import { RegistrationController } from './registration/registration.controller.js';
import { Registrations } from './registration/registrations.js';
import { SourceCatalogue } from './sources/source-catalogue.js';
import { SourcesController } from './sources/sources.controller.js';

/** What the admin API works with. */
export interface AdminApiParts {
  readonly workbench: MappingWorkbench;
  readonly check: MappingCheck;
  readonly transfer: MappingTransfer;
  readonly sources: SourceCatalogue;
  readonly caches: SourceCaches;
  readonly audit: AuditTrail;
  readonly previews: Previews;
  readonly registrations: Registrations;
  readonly document: AdminApiDocument;
  readonly health: AdminHealth;
}

/** The routes of the admin API. */
@Module({})
export class AdminApiModule {
  static of(parts: AdminApiParts): DynamicModule {
    const providers: Provider[] = [
      { provide: MappingWorkbench, useValue: parts.workbench },
      { provide: MappingCheck, useValue: parts.check },
      { provide: MappingTransfer, useValue: parts.transfer },
      { provide: SourceCatalogue, useValue: parts.sources },
      { provide: SourceCaches, useValue: parts.caches },
      { provide: AuditTrail, useValue: parts.audit },
      { provide: Previews, useValue: parts.previews },
      { provide: Registrations, useValue: parts.registrations },
      { provide: AdminApiDocument, useValue: parts.document },
      { provide: AdminHealth, useValue: parts.health },
    ];
    return {
      module: AdminApiModule,
      controllers: [
        MappingsController,
        MappingController,
        SourcesController,
        CachesController,
        AuditController,
        PreviewController,
        RegistrationController,
        DocumentsController,
        AdminHealthController,
      ],
      providers,
    };
  }
}
