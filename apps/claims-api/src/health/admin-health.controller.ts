import { Controller, Get } from '@nestjs/common';
import { z } from 'zod';
import { AdminRoute } from '../admin/http/admin-route.js';
import { AdminTag } from '../admin/http/route-marks.js';
import { AdminHealth } from './admin-health.js';

const healthReport = z
  .looseObject({ status: z.enum(['ok', 'degraded', 'notReady', 'draining']) })
  .meta({ id: 'Health', description: 'A line for each source, key set, store and snapshot.' });

@AdminTag('health')
@Controller('admin/health')
export class AdminHealthController {
  constructor(private readonly health: AdminHealth) {}

  @Get()
  @AdminRoute('Claims.Read', { summary: 'The whole state of this replica.', answer: healthReport })
  report(): object {
    return this.health.report();
  }
}
