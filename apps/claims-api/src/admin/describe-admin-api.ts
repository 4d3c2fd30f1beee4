import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { adminApiDocument } from './openapi.js';
import { AdminApiModule, type AdminApiParts } from './admin-api.module.js';

/** The OpenAPI document without a service: the routes stand, and nothing is behind them. */
export async function describeAdminApi(): Promise<OpenAPIObject> {
  const nothing = new Proxy({}, { get: () => ({}) }) as AdminApiParts;
  const app = await NestFactory.create(AdminApiModule.of(nothing), new FastifyAdapter(), {
    logger: false,
    abortOnError: false,
  });
  try {
    return adminApiDocument(app, AdminApiModule);
  } finally {
    await app.close();
  }
}
