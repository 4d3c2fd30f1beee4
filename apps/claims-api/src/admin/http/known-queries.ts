import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { invalidRequest } from './admin-problem.js';
import { isAdminRoute, takesQuery } from './route-marks.js';

/** Refuses query parameters at routes that have none: a filter that is misspelt must not be taken for no filter. */
export class KnownQueries implements NestInterceptor {
  /** @throws AdminProblem `request.query` */
  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    const handler = context.getHandler();
    if (isAdminRoute(handler) && !takesQuery(handler)) {
      const { query } = context.switchToHttp().getRequest<FastifyRequest>();
      const unknown = Object.keys(query as object);
      if (unknown.length > 0)
        throw invalidRequest(
          'query',
          unknown.slice(0, 20).map((name) => ({ path: [name.slice(0, 64)], reason: 'is not a known key' })),
        );
    }
    return next.handle();
  }
}
