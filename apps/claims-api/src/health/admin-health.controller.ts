import { RequireRole } from '#entra-auth';
import { Controller, Get } from '@nestjs/common';
import { AdminHealth } from './admin-health.js';

@Controller('admin/health')
export class AdminHealthController {
  constructor(private readonly health: AdminHealth) {}

  @Get()
  @RequireRole('Claims.Read')
  report(): object {
    return this.health.report();
  }
}
