import { ProblemFilter, authEventAdapter, takeBodiesAsBytes } from '#auth-events';
import { adminGuard, assertRoutesDeclareRole, callerOf, entraGuard } from '#entra-auth';
import { Metrics } from '#observability';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Configuration } from '../config.js';
import { ServiceLog } from '../core.module.js';
import { ClaimsHandler } from '../events/claims.handler.js';
import { EventLog } from '../events/event-log.js';
import { AdminHealth } from '../health/admin-health.js';
import { Readiness } from '../health/readiness.js';
import { ClaimMappingService } from '../mapping/claim-mapping.service.js';
import { NestLog } from '../nest-log.js';
import { AdminVerifier, EventVerifier } from '../trust.js';
import { ManagementDoorModule } from './management-door.module.js';
import { PublicDoorModule } from './public-door.module.js';

/** An HTTP server of its own with routes of its own. */
export interface Door {
  readonly url: string;
  /** Refuses new connections, waits for the requests in flight, and cuts those that are still there after `limit` milliseconds. */
  close(limit: number): Promise<void>;
}

/** Opens the door that Entra and the platform's probes use. */
export async function openPublicDoor(core: INestApplicationContext): Promise<Door> {
  const { document, deadline } = core.get(Configuration);
  const events = core.get(EventLog);
  const readiness = core.get(Readiness);
  const handler = new ClaimsHandler(core.get(ClaimMappingService), events, {
    deadline,
    unmapped: (tenant) => document.tenants[tenant]?.unmappedApplications ?? 'fail',
  });
  const app = await create(
    core,
    PublicDoorModule.of({
      handler,
      readiness,
      events: {
        guards: [entraGuard(core.get(EventVerifier), { deadline })],
        callerTenant: (request) => callerOf(request).tenantId,
      },
    }),
  );
  app.useGlobalFilters(new ProblemFilter((request, problem) => events.note(request, { problem })));
  takeBodiesAsBytes(app);
  const server = app.getHttpAdapter().getInstance();
  events.listen(server);
  server.addHook('onSend', async (_request, reply) => {
    if (readiness.isDraining) reply.header('connection', 'close');
  });
  return listen(app, document.listen.public);
}

/** Opens the door for operators and monitoring. */
export async function openManagementDoor(core: INestApplicationContext): Promise<Door> {
  const { document } = core.get(Configuration);
  const { log } = core.get(ServiceLog);
  const app = await create(
    core,
    ManagementDoorModule.of({
      metrics: core.get(Metrics),
      adminHealth: core.get(AdminHealth),
      withAdmin: document.admin !== undefined,
    }),
  );
  app.useGlobalGuards(adminGuard(core.get(AdminVerifier)));
  app.useGlobalFilters(
    new ProblemFilter((_request, { code, status, correlationId, detail, error }) => {
      if (status >= 500) log.error({ code, status, correlationId, detail, err: error }, 'management');
      else log.warn({ code, status, correlationId, detail }, 'management');
    }),
  );
  takeBodiesAsBytes(app);
  assertRoutesDeclareRole(app);
  return listen(app, document.listen.management);
}

function create(
  core: INestApplicationContext,
  module: Parameters<typeof NestFactory.create>[0],
): Promise<NestFastifyApplication> {
  return NestFactory.create<NestFastifyApplication>(module, authEventAdapter(), {
    bodyParser: false,
    abortOnError: false,
    logger: new NestLog(core.get(ServiceLog).log),
  });
}

async function listen(
  app: NestFastifyApplication,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Door> {
  try {
    await app.listen(port, host);
  } catch (error) {
    await app.close();
    throw error;
  }
  return {
    url: await app.getUrl(),
    close: async (limit) => {
      const server = app.getHttpServer();
      const cut = setTimeout(() => server.closeAllConnections(), limit);
      await app.close();
      clearTimeout(cut);
    },
  };
}
