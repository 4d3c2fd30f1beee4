import 'reflect-metadata';
import type { INestApplicationContext } from '@nestjs/common';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';

/** Who may use a route. */
export type RouteAccess =
  | { readonly kind: 'open' }
  | { readonly kind: 'role'; readonly roles: readonly string[] }
  | { readonly kind: 'undeclared' };

type RouteDecorator = ClassDecorator & MethodDecorator;

const accessKey = Symbol('entra-auth:route-access');

/** The key under which Nest keeps the path of a route. */
const nestPathKey = 'path';

function declare(access: RouteAccess): RouteDecorator {
  return (target: object, _key?: string | symbol, descriptor?: PropertyDescriptor) => {
    Reflect.defineMetadata(accessKey, access, (descriptor?.value as object | undefined) ?? target);
  };
}

/** A caller with one of these app roles may use the route, or every route of the controller that says nothing else. */
export function RequireRole(...roles: [string, ...string[]]): RouteDecorator {
  return declare({ kind: 'role', roles });
}

/** Everybody who can reach the route may use it. Say why where you use it. */
export function OpenRoute(): RouteDecorator {
  return declare({ kind: 'open' });
}

/** What the handler declares, or else its controller. */
export function routeAccess(handler: object, controller: object): RouteAccess {
  const declared = (target: object): RouteAccess | undefined => Reflect.getMetadata(accessKey, target) as RouteAccess | undefined;
  return declared(handler) ?? declared(controller) ?? { kind: 'undeclared' };
}

/**
 * To be called at the start of an application that uses `adminGuard`: every route of its controllers must say who may use it.
 * Routes that are registered at Fastify itself are not seen.
 * @param roles those that exist; a route with another one could be used by nobody
 * @throws Error that names the routes which declare nothing, or a role that does not exist
 */
export function assertRoutesDeclareRole(app: INestApplicationContext, roles: readonly string[]): void {
  const scanner = new MetadataScanner();
  const undeclared = new Set<string>();
  const unknown = new Set<string>();
  for (const module of app.get(ModulesContainer).values())
    for (const { metatype } of module.controllers.values()) {
      if (typeof metatype !== 'function') continue;
      const prototype = metatype.prototype as Record<string, object>;
      for (const method of scanner.getAllMethodNames(prototype)) {
        const handler = prototype[method];
        if (!handler || !Reflect.hasMetadata(nestPathKey, handler)) continue;
        const access = routeAccess(handler, metatype);
        if (access.kind === 'undeclared') undeclared.add(`${metatype.name}.${method}`);
        if (access.kind === 'role' && !access.roles.every((role) => roles.includes(role)))
          unknown.add(`${metatype.name}.${method}`);
      }
    }
  if (undeclared.size > 0)
    throw new Error(`routes that declare neither RequireRole nor OpenRoute: ${[...undeclared].join(', ')}`);
  if (unknown.size > 0) throw new Error(`routes that require a role that does not exist: ${[...unknown].join(', ')}`);
}
