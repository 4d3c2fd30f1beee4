import { createHash } from 'node:crypto';
import { callerOf } from '#entra-auth';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { from, type Observable } from 'rxjs';
import { AdminProblem, invalidRequest } from './admin-problem.js';
import { bodyBytes, routeBodyOf } from './read-body.js';
import { isIdempotent } from './route-marks.js';

interface Done {
  readonly fingerprint: string;
  /** Undefined while it is under way. */
  readonly answer?: { readonly status: number; readonly body: unknown };
}

const kept = { keys: 1_000, bytes: 16 * 1024 * 1024, milliseconds: 24 * 3_600_000 };
/** What a key weighs besides the answer, about. */
const overhead = 512;

/**
 * Carries out a POST with an Idempotency-Key once: the same key of the same caller for the same request gets the first answer again
 * (draft-ietf-httpapi-idempotency-key-header). What failed is forgotten: where it happened all the same, as where
 * it did at another replica, the If-Match of the same request no longer holds. A dry run changes nothing, so nothing of it is kept.
 */
export class IdempotencyKeys implements NestInterceptor {
  private readonly done = new LRUCache<string, Done>({ max: kept.keys, maxSize: kept.bytes, ttl: kept.milliseconds });

  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> | Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const key = request.headers['idempotency-key'];
    const { dryRun } = request.query as { readonly dryRun?: unknown };
    if (key === undefined || dryRun === 'true' || !isIdempotent(context.getHandler())) return next.handle();
    return this.once(key, request, http.getResponse<FastifyReply>(), context, next);
  }

  private async once(
    key: string | string[],
    request: FastifyRequest,
    reply: FastifyReply,
    context: ExecutionContext,
    next: CallHandler<unknown>,
  ): Promise<Observable<unknown>> {
    if (typeof key !== 'string' || !/^[\x21-\x7e]{1,128}$/.test(key))
      throw invalidRequest('headers', [{ path: ['Idempotency-Key'], reason: 'must be 1 to 128 visible characters of ASCII' }]);
    const { appId, objectId = '' } = callerOf(request);
    const body = await bodyBytes(request.body, routeBodyOf(context.getHandler())?.limit ?? 0);
    const place = JSON.stringify([appId, objectId, key]);
    const fingerprint = createHash('sha256')
      .update(JSON.stringify([request.method, request.url, request.headers['if-match'] ?? '']))
      .update(body)
      .digest('hex');
    const earlier = this.done.get(place);
    if (earlier && earlier.fingerprint !== fingerprint)
      throw new AdminProblem({
        code: 'idempotency.reused',
        status: 422,
        title: 'This Idempotency-Key was used for another request.',
        remedy: 'Use a new key for each intention.',
        errors: [{ path: ['Idempotency-Key'], reason: 'belongs to a request with another address, If-Match or body' }],
      });
    if (earlier && !earlier.answer)
      throw new AdminProblem({
        code: 'idempotency.underWay',
        status: 409,
        title: 'The first request with this Idempotency-Key is still under way.',
        remedy: 'Send it again in a moment; it gets the first one’s answer.',
        headers: { 'retry-after': '1' },
      });
    if (earlier?.answer) {
      void reply.status(earlier.answer.status).header('idempotency-replayed', 'true');
      return from([earlier.answer.body]);
    }
    const entry: Done = { fingerprint };
    this.done.set(place, entry, { size: overhead });
    return from(this.carryOut(place, entry, reply, next));
  }

  private async carryOut(place: string, entry: Done, reply: FastifyReply, next: CallHandler<unknown>): Promise<unknown> {
    try {
      const body = await new Promise<unknown>((resolve, reject) => {
        next.handle().subscribe({ next: resolve, error: reject });
      });
      const answered = { ...entry, answer: { status: reply.statusCode, body } };
      this.done.set(place, answered, { size: overhead + JSON.stringify(body ?? null).length * 2 });
      return body;
    } catch (error) {
      this.done.delete(place);
      throw error;
    }
  }
}
