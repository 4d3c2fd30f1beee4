import { Metrics } from '#observability';
import { Module, type DynamicModule } from '@nestjs/common';
import { AdminApiModule, type AdminApiParts } from '../admin/admin-api.module.js';
import { GuardedMetricsController, OpenMetricsController } from '../health/metrics.controller.js';

/** What only operators and their monitoring reach. Without an admin tenant in the configuration it has the metrics alone. */
@Module({})
export class ManagementDoorModule {
  static of(parts: {
    readonly metrics: Metrics;
    readonly admin: AdminApiParts | undefined;
    readonly openMetrics: boolean;
  }): DynamicModule {
    return {
      module: ManagementDoorModule,
      imports: parts.admin ? [AdminApiModule.of(parts.admin)] : [],
      controllers: [parts.openMetrics ? OpenMetricsController : GuardedMetricsController],
      providers: [{ provide: Metrics, useValue: parts.metrics }],
    };
  }
}
