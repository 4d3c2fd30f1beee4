import { OpenRoute } from '#entra-auth';
import { Metrics } from '#observability';
import { Controller, Get, Injectable, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RequireClaimsRole } from '../roles.js';

/** For Prometheus. */
@Injectable()
abstract class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get()
  async scrape(@Res() reply: FastifyReply): Promise<void> {
    const { registry } = this.metrics;
    void reply.header('content-type', registry.contentType).send(await registry.metrics());
  }
}

/** Metrics hold names of configuration and codes only, so the network in front of the management door may be their protection. */
@OpenRoute()
@Controller('metrics')
export class OpenMetricsController extends MetricsController {}

@RequireClaimsRole('Claims.Read')
@Controller('metrics')
export class GuardedMetricsController extends MetricsController {}
