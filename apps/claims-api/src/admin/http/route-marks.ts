import 'reflect-metadata';

const marks = { admin: Symbol('admin:route'), idempotent: Symbol('admin:idempotent'), query: Symbol('admin:query') };

const mark =
  (key: symbol): MethodDecorator =>
  (_target, _key, descriptor) =>
    Reflect.defineMetadata(key, true, descriptor.value as object);

const has = (key: symbol, handler: object): boolean => Reflect.getMetadata(key, handler) === true;

/** Notes that a route is one of the admin API. */
export const MarkAdminRoute = (): MethodDecorator => mark(marks.admin);
export const isAdminRoute = (handler: object): boolean => has(marks.admin, handler);

/** Notes that an Idempotency-Key may come with a request. */
export const MarkIdempotent = (): MethodDecorator => mark(marks.idempotent);
export const isIdempotent = (handler: object): boolean => has(marks.idempotent, handler);

/** Notes that the route checks its own query. */
export const markQuery = (handler: object): void => Reflect.defineMetadata(marks.query, true, handler);
export const takesQuery = (handler: object): boolean => has(marks.query, handler);
