import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { problemSchema } from './http/admin-route.js';

/** The OpenAPI document of the admin API, made from the decorators of its routes when it is first asked for. */
export class AdminApiDocument {
  private made: OpenAPIObject | undefined;
  private make: (() => OpenAPIObject) | undefined;

  /** To be called once, by whoever made the application that has the routes of this module. */
  describes(app: INestApplication, module: NewableFunction): void {
    this.make = () => adminApiDocument(app, module);
  }

  get content(): OpenAPIObject {
    if (!this.make) throw new Error('AdminApiDocument: nobody said which application it describes');
    return (this.made ??= this.make());
  }
}

/** Made from the routes that a module of an application has. */
export function adminApiDocument(app: INestApplication, module: NewableFunction): OpenAPIObject {
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
  const { components } = schemaOf(problemSchema, 'output');
  const named = JSON.parse(JSON.stringify(components).replaceAll('#/$defs/', '#/components/schemas/')) as object;
  document.components = { ...document.components, schemas: { ...document.components?.schemas, ...named } };
  return document;
}

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
