import { Controller, Get } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { Readiness } from './readiness.js';

/** For the platform's probes. They are answered without detail: the public door tells strangers nothing. */
@Controller('health')
export class PublicHealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicator: HealthIndicatorService,
    private readonly readiness: Readiness,
  ) {}

  /** The process runs. */
  @Get('live')
  async live(): Promise<{ readonly status: string }> {
    const { status } = await this.health.check([]);
    return { status };
  }

  /** 200 where this replica takes sign-ins, 503 where not. */
  @Get('ready')
  async ready(): Promise<{ readonly status: string }> {
    const service = this.indicator.check('service');
    const { status } = await this.health.check([() => (this.readiness.isReady ? service.up() : service.down())]);
    return { status };
  }
}
