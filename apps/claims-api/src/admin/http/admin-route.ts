import { Body, HttpCode, Param, Query, applyDecorators } from '@nestjs/common';
import { ApiBearerAuth, ApiExtension, ApiHeader, ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';
import { RequireClaimsRole, type ClaimsRole } from '../../roles.js';
import { problem } from '../contract/problem.js';
import { CheckInput } from './check-input.js';
import { ReadBody, documentBytes, noteBodyLimit } from './read-body.js';
import { MarkAdminRoute, MarkIdempotent, markQuery } from './route-marks.js';

/** What an operation may answer besides success, and what every one may answer (`always`). */
const refusals = {
  404: 'There is no such thing.',
  409: 'It cannot be done in the present state, or with this store.',
  412: 'It was changed meanwhile; etag is the present one.',
  413: 'The body is too large.',
  415: 'The body is neither JSON nor YAML.',
  422: 'The mapping is refused; errors names each path.',
  428: 'If-Match is missing.',
  503: 'The store of the mappings cannot be reached.',
} as const;

type Refusal = keyof typeof refusals;

const always = {
  400: 'The request is not as it must be; errors names each field.',
  401: 'The caller is not authenticated.',
  403: 'The caller lacks the role, or may not call.',
  429: 'Too many failed authentications, or too many requests of this kind under way.',
  500: 'A defect; the log has the correlation id.',
} as const;

interface Operation {
  readonly summary: string;
  readonly description?: string;
  /** The body of success; none where there is none. */
  readonly answer?: z.ZodType;
  /** 200 by default, 204 where there is no body. */
  readonly status?: 200 | 201 | 204;
  /** The answer carries the ETag of the mapping. */
  readonly etag?: true;
  /** Changes a mapping, so the caller says which state of it was seen. */
  readonly ifMatch?: true;
  /** May be sent again with the same Idempotency-Key without being done again. */
  readonly idempotent?: true;
  readonly refusals?: readonly Refusal[];
}

/**
 * Says of a route who may use it and what it does: the guard, the start of the service, the OpenAPI document and the tests of the
 * roles all read it from here.
 */
export function AdminRoute(role: ClaimsRole, operation: Operation): MethodDecorator {
  const { summary, description, answer, etag, ifMatch, idempotent } = operation;
  const status = operation.status ?? (answer ? 200 : 204);
  const codes = new Set<Refusal>([
    ...(operation.refusals ?? []),
    ...(ifMatch ? ([404, 409, 412, 428, 503] as const) : []),
    ...(idempotent ? ([409, 422] as const) : []),
  ]);
  const described: Record<number, string> = {
    ...always,
    ...Object.fromEntries([...codes].map((code) => [code, refusals[code]])),
  };
  return applyDecorators(
    RequireClaimsRole(role),
    MarkAdminRoute(),
    HttpCode(status),
    ApiBearerAuth('entra'),
    ApiExtension('x-required-role', role),
    ApiOperation({ summary, ...(description && { description }) }),
    ApiResponse({
      status,
      description: answer ? 'Done.' : 'Done; no body.',
      ...(answer && { standardSchema: answer }),
      ...(etag && { headers: { ETag: { description: 'The mapping’s version.', schema: { type: 'string' } } } }),
    }),
    ...Object.entries(described).map(([code, text]) =>
      ApiResponse({
        status: Number(code),
        description: text,
        content: { 'application/problem+json': { schema: problemReference } },
      }),
    ),
    ...(ifMatch
      ? [
          ApiHeader({
            name: 'If-Match',
            required: true,
            description: 'The ETag of the state that was seen.',
            schema: { type: 'string' },
            example: '"7"',
          }),
        ]
      : []),
    ...(idempotent
      ? [
          MarkIdempotent(),
          ApiHeader({
            name: 'Idempotency-Key',
            required: false,
            description:
              'A new text for each intention (1 to 128 characters). The same one again gets the first answer again, for 24 hours, at the same replica.',
            schema: { type: 'string' },
          }),
        ]
      : []),
  ) as MethodDecorator;
}

const problemReference = { $ref: '#/components/schemas/Problem' };

/** For the document: the schema that `problemReference` names. */
export const problemSchema = problem;

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
    noteBodyLimit(handlerOf(target, key), limit);
    Body({ schema, pipes: [new ReadBody(limit), new CheckInput('body')] })(target, key, index);
  };

function handlerOf(target: object, key: string | symbol | undefined): object {
  return (target as Record<string | symbol, object>)[key!]!;
}
