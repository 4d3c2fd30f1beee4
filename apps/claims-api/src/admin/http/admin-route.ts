import { Body, HttpCode, Param, Query, applyDecorators } from '@nestjs/common';
import type { z } from 'zod';
import { RequireClaimsRole, type ClaimsRole } from '../../roles.js';
import { CheckInput } from './check-input.js';
import { ReadBody, documentBytes, noteBody } from './read-body.js';
import { MarkAdminRoute, MarkIdempotent, markQuery, statusOf, type Operation } from './route-marks.js';

/**
 * Says of a route who may use it and what it does: the guard, the start of the service, the OpenAPI document and the tests of the
 * roles all read it from here.
 */
export function AdminRoute(role: ClaimsRole, operation: Operation): MethodDecorator {
  return applyDecorators(
    RequireClaimsRole(role),
    MarkAdminRoute({ role, operation }),
    HttpCode(statusOf(operation)),
    ...(operation.idempotent ? [MarkIdempotent()] : []),
  ) as MethodDecorator;
}

export const CheckedQuery =
  (schema: z.ZodType): ParameterDecorator =>
  (target, key, index) => {
    markQuery(handlerOf(target, key));
    Query({ schema, pipes: [new CheckInput('query')] })(target, key, index);
  };
export const CheckedPath = (schema: z.ZodType): ParameterDecorator => Param({ schema, pipes: [new CheckInput('path')] });
export const CheckedBody =
  (schema: z.ZodType, limit = documentBytes): ParameterDecorator =>
  (target, key, index) => {
    noteBody(handlerOf(target, key), { limit, optional: schema.safeParse(undefined).success });
    Body({ schema, pipes: [new ReadBody(limit), new CheckInput('body')] })(target, key, index);
  };

function handlerOf(target: object, key: string | symbol | undefined): object {
  return (target as Record<string | symbol, object>)[key!]!;
}
