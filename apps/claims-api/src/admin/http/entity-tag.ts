import { createParamDecorator, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { AdminProblem, invalidRequest } from './admin-problem.js';

/** The body of an answer together with the version of the mapping that it shows. */
export class Tagged<Body extends object> {
  constructor(
    /** The mapping's version, or what else identifies the state that the body shows. */
    readonly version: number | string,
    readonly body: Body,
  ) {}
}

export const etagOf = (version: number | string): string => `"${version}"`;

/** Sends the ETag of a tagged answer, and 304 to whoever has it already (RFC 9110 §13.1.2). */
export class EntityTags implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    const http = context.switchToHttp();
    const { method, headers } = http.getRequest<FastifyRequest>();
    return next.handle().pipe(
      map((answer) => {
        if (!(answer instanceof Tagged)) return answer;
        const etag = etagOf(answer.version);
        const reply = http.getResponse<FastifyReply>().header('etag', etag);
        if (method !== 'GET' || !names(headers['if-none-match'], etag)) return answer.body as unknown;
        void reply.status(304);
        return undefined;
      }),
    );
  }
}

/** Weak comparison, as RFC 9110 §13.1.2 wants it here. */
function names(header: string | undefined, etag: string): boolean {
  return header !== undefined && header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}

/** The version of the mapping that the caller saw, by If-Match; 0 matches none. */
export const SeenVersion = createParamDecorator((_data: unknown, context: ExecutionContext): number => {
  const header = context.switchToHttp().getRequest<FastifyRequest>().headers['if-match'];
  if (header === undefined)
    throw new AdminProblem({
      code: 'precondition.missing',
      status: 428,
      title: 'The request does not say which state of the mapping it changes.',
      remedy: 'Read the mapping and send its ETag as If-Match.',
      errors: [{ path: ['If-Match'], reason: 'is missing' }],
    });
  const [, tag] = /^\s*"([^"]{1,64})"\s*$/.exec(header) ?? [];
  if (tag === undefined)
    throw invalidRequest('headers', [
      { path: ['If-Match'], reason: 'must be one ETag, such as "7"; * and lists would hide what others changed' },
    ]);
  return /^[1-9]\d{0,14}$/.test(tag) ? Number(tag) : 0;
});
