import { Metrics } from '#observability';
import { Module, type DynamicModule } from '@nestjs/common';
import { AdminHealth } from '../health/admin-health.js';
import { AdminHealthController } from '../health/admin-health.controller.js';
import { GuardedMetricsController, OpenMetricsController } from '../health/metrics.controller.js';

/** What only operators and their monitoring reach. Without an admin tenant in the configuration it has the metrics alone. */
@Module({})
export class ManagementDoorModule {
  static of(parts: {
    readonly metrics: Metrics;
    readonly adminHealth: AdminHealth;
    readonly withAdmin: boolean;
    readonly openMetrics: boolean;
  }): DynamicModule {
    const metricsController = parts.openMetrics ? OpenMetricsController : GuardedMetricsController;
    return {
      module: ManagementDoorModule,
      controllers: parts.withAdmin ? [metricsController, AdminHealthController] : [metricsController],
      providers: [
        { provide: Metrics, useValue: parts.metrics },
        { provide: AdminHealth, useValue: parts.adminHealth },
      ],
    };
  }
}
