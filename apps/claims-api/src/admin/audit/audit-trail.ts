import type { z } from 'zod';
import type { AuditPageBody, auditFilter } from '../contract/audit.js';
export abstract class AuditTrail {
  abstract list(filter: z.output<typeof auditFilter>): Promise<AuditPageBody>;
}
