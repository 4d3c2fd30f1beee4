import { Controller, Inject, Post, Req, Res, UseGuards, type Type } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Fail } from '../actions.js';
import { parseAuthEvent, writeAnswer, type AuthEvent, type AuthEventKind } from '../auth-events.js';
import { AuthEventError } from './auth-event-error.js';
import { AuthEventHandler, handlerMethodOf, type AuthEventAnswer, type CalloutContext } from './auth-event-handler.js';
import { AuthEventOptions } from './auth-event-options.js';

/** Answers one request. */
type Answer = (this: AuthEventController, request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/**
 * The endpoints that Entra calls. Their guards have established the caller before anything here runs; then, in this order: content type
 * (415), body (400), tenant (403), handler.
 */
class AuthEventController {
  constructor(
    private readonly handler: AuthEventHandler,
    private readonly options: AuthEventOptions,
  ) {}

  async answer<Kind extends AuthEventKind>(kind: Kind, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const receivedAt = performance.now() - reply.elapsedTime;
    const event = this.read(kind, request);
    const decide = this.handler[handlerMethodOf(kind)] as (
      event: AuthEvent<Kind>,
      context: CalloutContext,
    ) => Promise<AuthEventAnswer<Kind>>;
    const given = await decide.call(this.handler, event, { receivedAt, request });
    void reply
      .status(200)
      .header('content-type', 'application/json')
      .send(bodyOf(kind, given, event.correlationId));
  }

  private read<Kind extends AuthEventKind>(kind: Kind, request: FastifyRequest): AuthEvent<Kind> {
    if (!isJson(request.headers['content-type']))
      throw new AuthEventError('request.contentType', 415, 'The content type must be application/json.');
    const { recheck = 0.001, report, callerTenant } = this.options;
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const parsed = parseAuthEvent(kind, body, { recheck, ...(report && { report }) });
    if (parsed.kind === 'refused')
      throw new AuthEventError('request.body', 400, `The body is not ${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind} event.`, {
        issues: parsed.issues,
      });
    const { event } = parsed;
    const tenantId = callerTenant?.(request);
    if (tenantId !== undefined && tenantId !== event.tenantId)
      throw new AuthEventError('tenant.mismatch', 403, 'The event is of another tenant than the access token.', {
        correlationId: event.correlationId,
      });
    return event;
  }
}

/** The controller of these events: a guarded route for each, and no other. */
export function authEventController(
  kinds: readonly AuthEventKind[],
  guards: AuthEventOptions['guards'],
): Type<AuthEventController> {
  @Controller('api')
  @UseGuards(...guards)
  class GuardedAuthEventController extends AuthEventController {
    constructor(@Inject(AuthEventHandler) handler: AuthEventHandler, @Inject(AuthEventOptions) options: AuthEventOptions) {
      super(handler, options);
    }
  }
  for (const kind of kinds) {
    const method = handlerMethodOf(kind);
    route(GuardedAuthEventController, method, Post(method), function answer(request, reply) {
      return this.answer(kind, request, reply);
    });
  }
  return GuardedAuthEventController;
}

/** What the decorators of a written-out method would do. */
function route(controller: Type<AuthEventController>, name: string, decorate: MethodDecorator, answer: Answer): void {
  const prototype = controller.prototype as object;
  Object.defineProperty(prototype, name, { value: answer, writable: true, configurable: true });
  Req()(prototype, name, 0);
  Res()(prototype, name, 1);
  decorate(prototype, name, Object.getOwnPropertyDescriptor(prototype, name)!);
}

function isJson(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(contentType.trim());
}

/** A handler without types can give anything. */
const isFailure = ({ status, code, publicMessage }: Fail): boolean =>
  (status === 500 || status === 503) && typeof code === 'string' && typeof publicMessage === 'string';

function bodyOf<Kind extends AuthEventKind>(kind: Kind, given: AuthEventAnswer<Kind>, correlationId: string): string {
  if (given?.kind === 'fail' && isFailure(given))
    throw new AuthEventError(given.code, given.status, given.publicMessage, { correlationId });
  const written = writeAnswer(kind, given);
  if (written.kind === 'malformed')
    throw new AuthEventError('answer.malformed', 500, 'The answer cannot be sent.', { correlationId, detail: written.reason });
  return written.body;
}
