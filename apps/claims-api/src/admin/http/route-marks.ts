import 'reflect-metadata';
import type { z } from 'zod';
import type { ClaimsRole } from '../../roles.js';
import type { Refusal } from './refusals.js';

/** What a route of the admin API does, for whoever describes it. */
export interface Operation {
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
  /** What a refusal means at this route, where it is not the usual. */
  readonly refusalTexts?: Readonly<Partial<Record<Refusal, string>>>;
}

/** The status of success. */
export const statusOf = ({ status, answer }: Operation): 200 | 201 | 204 => status ?? (answer ? 200 : 204);

export interface AdminRouteMark {
  readonly role: ClaimsRole;
  readonly operation: Operation;
}

const marks = {
  admin: Symbol('admin:route'),
  tag: Symbol('admin:tag'),
  idempotent: Symbol('admin:idempotent'),
  query: Symbol('admin:query'),
};

const mark =
  (key: symbol, value: unknown = true): MethodDecorator =>
  (_target, _key, descriptor) =>
    Reflect.defineMetadata(key, value, descriptor.value as object);

const has = (key: symbol, handler: object): boolean => Reflect.hasMetadata(key, handler);

/** Notes that a route is one of the admin API. */
export const MarkAdminRoute = (route: AdminRouteMark): MethodDecorator => mark(marks.admin, route);
export const isAdminRoute = (handler: object): boolean => has(marks.admin, handler);
export const adminRouteOf = (handler: object): AdminRouteMark | undefined =>
  Reflect.getMetadata(marks.admin, handler) as AdminRouteMark | undefined;

/** The heading under which the routes of a controller are described. */
export const AdminTag =
  (tag: string): ClassDecorator =>
  (controller) =>
    Reflect.defineMetadata(marks.tag, tag, controller);
export const adminTagOf = (controller: object): string | undefined =>
  Reflect.getMetadata(marks.tag, controller) as string | undefined;

/** Notes that an Idempotency-Key may come with a request. */
export const MarkIdempotent = (): MethodDecorator => mark(marks.idempotent);
export const isIdempotent = (handler: object): boolean => has(marks.idempotent, handler);

/** Notes that the route checks its own query. */
export const markQuery = (handler: object): void => Reflect.defineMetadata(marks.query, true, handler);
export const takesQuery = (handler: object): boolean => has(marks.query, handler);
