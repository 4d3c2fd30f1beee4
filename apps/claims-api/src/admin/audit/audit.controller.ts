import { Controller, Get } from '@nestjs/common';
import type { z } from 'zod';
import { auditFilter, auditPage, type AuditPageBody } from '../contract/audit.js';
import { AdminRoute, CheckedQuery } from '../http/admin-route.js';
import { AdminTag } from '../http/route-marks.js';
import { AuditTrail } from './audit-trail.js';

@AdminTag('audit')
@Controller('admin/v1/audit')
export class AuditController {
  constructor(private readonly trail: AuditTrail) {}

  @Get()
  @AdminRoute('Claims.Read', {
    summary: 'Who did what, when, from where.',
    description: 'Every change, every preview, every test of a connection and every erasure; never a value of a person.',
    answer: auditPage,
    refusals: [409, 503],
  })
  list(@CheckedQuery(auditFilter) filter: z.output<typeof auditFilter>): Promise<AuditPageBody> {
    return this.trail.list(filter);
  }
}
