import { ProblemFilter } from '#auth-events';
import { adminGuard, assertRoutesDeclareRole, callerOf, entraGuard } from '#entra-auth';
import { Metrics } from '#observability';
import helmet from '@fastify/helmet';
import type { INestApplicationContext } from '@nestjs/common';
import { AdminApiModule } from '../admin/admin-api.module.js';
import { EntityTags } from '../admin/http/entity-tag.js';
import { IdempotencyKeys } from '../admin/http/idempotency.js';
import { KnownQueries } from '../admin/http/known-queries.js';
import { makeAdminApi } from '../admin/make-admin-api.js';
import { Configuration } from '../config.js';
import { ClaimsHandler } from '../events/claims.handler.js';
import { EventLog } from '../events/event-log.js';
import { EventLoopLag } from '../events/event-loop-lag.js';
import { Readiness } from '../health/readiness.js';
import { ClaimMappingService } from '../mapping/claim-mapping.service.js';
import { claimsRoles } from '../roles.js';
import { ServiceLog } from '../service-log.js';
import { AdminVerifier, EventVerifier } from '../trust.js';
import { DoorFrame, type Door } from './door.js';
import { ManagementDoorModule } from './management-door.module.js';
import { PublicDoorModule } from './public-door.module.js';

/** Opens the door that Entra and the platform's probes use. */
export async function openPublicDoor(core: INestApplicationContext): Promise<Door> {
  const { document, deadline } = core.get(Configuration);
  const events = core.get(EventLog);
  const readiness = core.get(Readiness);
  const { acceptorDisagreements: disagreements } = core.get(Metrics);
  const handler = new ClaimsHandler(core.get(ClaimMappingService), events, {
    deadline,
    lag: core.get(EventLoopLag),
    unmapped: (tenant) => document.tenants[tenant]?.unmappedApplications ?? 'fail',
  });
  const module = (guard: DoorFrame['guard']) =>
    PublicDoorModule.of({
      handler,
      readiness,
      events: {
        guards: [entraGuard(core.get(EventVerifier), { deadline, ...guard })],
        callerTenant: (request) => callerOf(request).tenantId,
        recheck: document.entra.recheck,
        report: ({ event, difference }) => disagreements.inc({ event, difference }),
      },
    });
  const frame = await DoorFrame.make(core, 'public', module, (problem, logged) => events.unreadable(problem, logged));
  frame.app.useGlobalFilters(new ProblemFilter((request, problem) => events.note(request, { problem })));
  const server = frame.app.getHttpAdapter().getInstance();
  events.listen(server, frame.refusals);
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (readiness.isDraining) reply.header('connection', 'close');
    done(null, payload);
  });
  return frame.open();
}

/** Opens the door for operators and monitoring. */
export async function openManagementDoor(core: INestApplicationContext): Promise<Door> {
  const { admin, listen } = core.get(Configuration).document;
  const { log } = core.get(ServiceLog);
  const api = admin && makeAdminApi(core);
  const module = () =>
    ManagementDoorModule.of({
      metrics: core.get(Metrics),
      admin: api,
      openMetrics: listen.management.metrics === 'open',
    });
  const frame = await DoorFrame.make(core, 'management', module, ({ code, status, correlationId, detail }, logged) => {
    if (logged) log.warn({ code, status, correlationId, detail }, 'management');
  });
  const { app, guard } = frame;
  api?.document.describes(app, AdminApiModule);
  const callers = admin && { callers: admin.callers };
  const scope = admin?.scope === undefined ? {} : { scope: admin.scope };
  app.useGlobalGuards(adminGuard(core.get(AdminVerifier), { ...callers, ...scope, ...guard }));
  app.useGlobalInterceptors(new KnownQueries(), new EntityTags(), new IdempotencyKeys());
  app.useGlobalFilters(
    new ProblemFilter((request, { code, status, correlationId, detail, error }) => {
      if (!frame.refusals.admits(code, request.ip)) return;
      if (status >= 500) log.error({ code, status, correlationId, detail, err: error }, 'management');
      else if (status !== 429) log.warn({ code, status, correlationId, detail }, 'management');
    }),
  );
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    strictTransportSecurity: listen.management.tls !== undefined && { maxAge: 31_536_000 },
  });
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onSend', async (_request, reply) => {
      reply.header('cache-control', 'no-store');
    });
  assertRoutesDeclareRole(app, claimsRoles);
  return frame.open();
}
