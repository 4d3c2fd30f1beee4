import type { Actor } from '#claims';
import { callerOf } from '#entra-auth';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { ClaimsRole } from '../../roles.js';

/** Whoever sent a request that passed the guard, for the audit. */
export function actorOf(request: FastifyRequest): Actor {
  const { objectId, appId, name } = callerOf(request);
  return { id: objectId ?? appId, ...(name !== undefined && { name }), address: request.ip };
}

export const By = createParamDecorator((_data: unknown, context: ExecutionContext): Actor =>
  actorOf(context.switchToHttp().getRequest<FastifyRequest>()),
);

/** Whether the caller has this role as well. */
export const Has = createParamDecorator((role: ClaimsRole, context: ExecutionContext): boolean =>
  callerOf(context.switchToHttp().getRequest<FastifyRequest>()).roles.includes(role),
);
