import { setTimeout as wait } from 'node:timers/promises';
import { KeyManager } from '#entra-auth';
import { Metrics } from '#observability';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Configuration } from './config.js';
import { CoreModule } from './core.module.js';
import type { Door } from './doors/door.js';
import { openManagementDoor, openPublicDoor } from './doors/doors.js';
import { AdminHealth } from './health/admin-health.js';
import { registerCertificateGauge } from './health/gauges.js';
import { Readiness } from './health/readiness.js';
import { ClaimMappingService } from './mapping/claim-mapping.service.js';
import { ServiceLog } from './service-log.js';
import { Sources } from './sources.js';

/** The service, running: the core, and two doors that share it. */
export class Service {
  private stopping: Promise<void> | undefined;

  private constructor(
    private readonly core: INestApplicationContext,
    private readonly publicDoor: Door,
    private readonly managementDoor: Door,
  ) {}

  /**
   * Mappings are loaded when this resolves; signing keys may still be on their way, and readiness says so.
   * @throws ConfigurationError where the operator's file is not as it must be; an Error where a port cannot be had
   */
  static async start(configuration: Configuration): Promise<Service> {
    const core = await NestFactory.createApplicationContext(CoreModule.of(configuration), { logger: false, abortOnError: false });
    const { log } = core.get(ServiceLog);
    core.get(AdminHealth);
    try {
      core.get(KeyManager).start();
      await core.get(ClaimMappingService).start();
      core.get(Sources).startProbes();
      const managementDoor = await openManagementDoor(core);
      try {
        const publicDoor = await openPublicDoor(core);
        registerCertificateGauge(core.get(Metrics), { public: publicDoor, management: managementDoor });
        log.info({ public: publicDoor.url, management: managementDoor.url }, 'listening');
        return new Service(core, publicDoor, managementDoor);
      } catch (error) {
        await managementDoor.close(0);
        throw error;
      }
    } catch (error) {
      await core.close();
      throw error;
    }
  }

  /** Reads mappings and certificates again. What cannot be used leaves in force what is. */
  async reload(): Promise<void> {
    await Promise.all([
      this.core.get(ClaimMappingService).load(),
      ...[this.publicDoor, this.managementDoor].map(({ certificate }) => certificate?.reload()),
    ]);
  }

  /**
   * Leaves without hurting a sign-in: readiness goes false, requests are still taken for `shutdown.delay` so that the load balancer
   * can notice, those in flight finish within `shutdown.limit`, then the pools close, which a source that hangs may delay by as much once more.
   */
  stop(): Promise<void> {
    return (this.stopping ??= this.drain());
  }

  private async drain(): Promise<void> {
    const { log } = this.core.get(ServiceLog);
    const { delay, limit } = this.core.get(Configuration).document.shutdown;
    this.core.get(Readiness).drain();
    log.info({ delay, limit }, 'draining');
    await wait(delay);
    await this.publicDoor.close(limit);
    await this.managementDoor.close(limit);
    const closed = await Promise.race([this.core.close().then(() => true), wait(limit, false, { ref: false })]);
    if (closed) log.info('stopped');
    else log.warn({ limit }, 'stopped while connections to sources were still being closed');
  }
}
