import { applyDecorators, RequestMethod, type INestApplication } from '@nestjs/common';
import { METHOD_METADATA } from '@nestjs/common/constants.js';
import { ModulesContainer } from '@nestjs/core';
import {
  ApiBearerAuth,
  ApiBody,
  ApiConsumes,
  ApiExtension,
  ApiHeader,
  ApiOperation,
  ApiResponse,
  ApiTags,
  DocumentBuilder,
  SwaggerModule,
  type OpenAPIObject,
} from '@nestjs/swagger';
import { z } from 'zod';
import { problem } from './contract/problem.js';
import { always, refusals, type Refusal } from './http/refusals.js';
import { contentTypesOf, routeBodyOf } from './http/read-body.js';
import { adminRouteOf, adminTagOf, statusOf, type AdminRouteMark } from './http/route-marks.js';

/** Made from the routes that a module of an application has. */
export function adminApiDocument(app: INestApplication, module: NewableFunction): OpenAPIObject {
  for (const { metatype, controllers } of app.get(ModulesContainer).values())
    if (metatype === module) for (const controller of controllers.values()) describe(controller.metatype as NewableFunction);
  const document = SwaggerModule.createDocument(
    app,
    new DocumentBuilder()
      .setOpenAPIVersion('3.1.0')
      .setTitle('Claimbridge admin API')
      .setDescription(
        'On the management door. Every change names the state that it changes (If-Match), every error is a problem document (RFC 9457) with a stable code, the path of each defect and the remedy, and unknown keys and query parameters are refused. x-required-role is the app role that a token needs.',
      )
      .setVersion('1')
      .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, 'entra')
      .build(),
    {
      include: [module],
      operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}.${method}`,
      autoTagControllers: false,
      standardSchemaConverter: (schema, { schemaType }) =>
        schema instanceof z.ZodType ? schemaOf(schema, schemaType) : undefined,
    },
  );
  const { components } = schemaOf(problem, 'output');
  const named = JSON.parse(JSON.stringify(components).replaceAll('#/$defs/', '#/components/schemas/')) as object;
  document.components = { ...document.components, schemas: { ...document.components?.schemas, ...named } };
  return document;
}

const described = new WeakSet<NewableFunction>();

/** Puts on a controller what the document is made from; the service itself reads none of it. */
function describe(controller: NewableFunction): void {
  if (described.has(controller)) return;
  const tag = adminTagOf(controller);
  if (tag !== undefined) ApiTags(tag)(controller as never);
  const prototype = controller.prototype as object;
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (typeof descriptor.value !== 'function') continue;
    const handler = descriptor.value as object;
    const route = adminRouteOf(handler);
    if (route) descriptionOf(route, handler)(prototype, name, descriptor);
  }
  described.add(controller);
}

function descriptionOf({ role, operation }: AdminRouteMark, handler: object): MethodDecorator {
  const { summary, description, answer, etag, ifMatch, idempotent, refusalTexts } = operation;
  const body = routeBodyOf(handler);
  const isRead = Reflect.getMetadata(METHOD_METADATA, handler) === RequestMethod.GET;
  const codes = new Set<Refusal>([
    ...(operation.refusals ?? []),
    ...(ifMatch ? ([404, 409, 412, 428, 503] as const) : []),
    ...(idempotent ? ([409, 422] as const) : []),
  ]);
  const texts: Record<number, string> = {
    ...always,
    ...Object.fromEntries([...codes].map((code) => [code, refusalTexts?.[code] ?? refusals[code]])),
  };
  return applyDecorators(
    ApiBearerAuth('entra'),
    ApiExtension('x-required-role', role),
    ApiOperation({ summary, ...(description && { description }) }),
    ApiResponse({
      status: statusOf(operation),
      description: answer ? 'Done.' : 'Done; no body.',
      ...(answer && { standardSchema: answer }),
      ...(etag && { headers: etagHeader }),
    }),
    ...Object.entries(texts).map(([code, text]) =>
      ApiResponse({
        status: Number(code),
        description: text,
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      }),
    ),
    ...(body ? [ApiConsumes(...contentTypesOf(body.limit))] : []),
    ...(body?.optional ? [ApiBody({ required: false })] : []),
    ...(etag && isRead
      ? [
          ApiHeader({
            name: 'If-None-Match',
            required: false,
            description: 'The ETag of the state that the caller has already.',
            schema: { type: 'string' },
            example: '"7"',
          }),
          ApiResponse({ status: 304, description: 'The caller has it already; no body.', headers: etagHeader }),
        ]
      : []),
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

const etagHeader = { ETag: { description: 'The mapping’s version.', schema: { type: 'string' as const } } };

/** A schema with an id stands among the components under it. */
function schemaOf(
  schema: z.ZodType,
  io: 'input' | 'output',
): { readonly schema: object; readonly components: Record<string, object> } {
  const {
    $schema,
    $defs = {},
    ...own
  } = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    unrepresentable: 'any',
    // zod leaves out the examples of what transforms its input; ours are what a client sends.
    override: ({ zodSchema, jsonSchema }) => {
      const { examples } = z.globalRegistry.get(zodSchema) ?? {};
      if (examples !== undefined && jsonSchema.examples === undefined) jsonSchema.examples = examples as [];
    },
  });
  void $schema;
  return { schema: own, components: $defs as Record<string, object> };
}
