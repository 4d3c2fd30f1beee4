import { Controller, Get } from '@nestjs/common';
import { RequireClaimsRole } from '../roles.js';
import { AdminHealth } from './admin-health.js';

@Controller('admin/health')
export class AdminHealthController {
  constructor(private readonly health: AdminHealth) {}

  @Get()
  @RequireClaimsRole('Claims.Read')
  report(): object {
    return this.health.report();
  }
}
