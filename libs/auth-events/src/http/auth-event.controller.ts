import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { parseTokenIssuanceStart } from '../token-issuance-start/parse-event.js';
import { writeClaims, type TokenIssuanceStartAnswer } from '../token-issuance-start/token-issuance-start-answer.js';
import type { TokenIssuanceStartEvent } from '../token-issuance-start/token-issuance-start-event.js';
import { AuthEventError } from './auth-event-error.js';
import { AuthEventOptions } from './auth-event-options.js';
import { TokenIssuanceStartHandler } from './token-issuance-start-handler.js';

/**
 * The endpoint that Entra calls. Its guards have established the caller before anything here runs; then, in this order:
 * content type (415), body (400), tenant (403), handler.
 */
@Controller('api')
export class AuthEventController {
  constructor(
    private readonly handler: TokenIssuanceStartHandler,
    @Inject(AuthEventOptions) private readonly options: AuthEventOptions,
  ) {}

  @Post('onTokenIssuanceStart')
  async onTokenIssuanceStart(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const receivedAt = performance.now() - reply.elapsedTime;
    const event = this.parse(request);
    const answer = await this.handler.onTokenIssuanceStart(event, { receivedAt, request });
    void reply.status(200).header('content-type', 'application/json').send(write(answer, event.correlationId));
  }

  private parse(request: FastifyRequest): TokenIssuanceStartEvent {
    if (!isJson(request.headers['content-type']))
      throw new AuthEventError('request.contentType', 415, 'The content type must be application/json.');
    const parsed = parseTokenIssuanceStart(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
    if (parsed.kind === 'refused')
      throw new AuthEventError('request.body', 400, 'The body is not a tokenIssuanceStart event.', { issues: parsed.issues });
    const { event } = parsed;
    const tenantId = this.options.callerTenant?.(request);
    if (tenantId !== undefined && tenantId !== event.tenantId)
      throw new AuthEventError('tenant.mismatch', 403, 'The event is of another tenant than the access token.', {
        correlationId: event.correlationId,
      });
    return event;
  }
}

function isJson(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(contentType.trim());
}

function write(answer: TokenIssuanceStartAnswer, correlationId: string): string {
  if (answer.kind === 'fail') throw new AuthEventError(answer.code, answer.status, answer.publicMessage, { correlationId });
  const written = writeClaims(answer.claims);
  if (written.kind === 'malformed')
    throw new AuthEventError('answer.malformed', 500, 'The claims cannot be sent.', { correlationId, detail: written.reason });
  return written.body;
}
