import { Injectable, Module, UnauthorizedException, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { answer, type TokenIssuanceStartAnswer } from '../index.js';
import type { TokenIssuanceStartEvent } from '../index.js';
import { wireEvents } from '../../test/wire-events.js';
import { authEventKinds, authEvents, type AuthEvent } from '../auth-events.js';
import type { AcceptorDisagreement } from '../wire/event-reader.js';
import { AuthEventsModule } from './auth-events.module.js';
import { authEventAdapter, takeBodiesAsBytes } from './fastify-options.js';
import { ProblemFilter, type ProblemReport } from './problem.js';
import { AuthEventHandler } from './auth-event-handler.js';

const id = (digit: number): string => `${digit}`.repeat(8) + `-1111-4111-8111-${'1'.repeat(12)}`;

const wireEvent = {
  type: 'microsoft.graph.authenticationEvent.tokenIssuanceStart',
  source: '/tenants/x/applications/y',
  data: {
    '@odata.type': 'microsoft.graph.onTokenIssuanceStartCalloutData',
    tenantId: id(1),
    authenticationEventListenerId: id(2),
    customAuthenticationExtensionId: id(3),
    authenticationContext: { correlationId: id(4), clientServicePrincipal: { id: id(5), appId: id(6) }, user: { id: id(7) } },
  },
};

@Injectable()
class Greeting {
  readonly text = 'hello';
}

@Module({ providers: [Greeting], exports: [Greeting] })
class GreetingModule {}

/** A handler of another team, with a dependency of its own. */
@Injectable()
class GreetingHandler extends AuthEventHandler {
  constructor(private readonly greeting: Greeting) {
    super();
  }

  override async onTokenIssuanceStart({ user }: TokenIssuanceStartEvent): Promise<TokenIssuanceStartAnswer> {
    return answer.provideClaims({ greeting: `${this.greeting.text} ${user?.id}` });
  }
}

class FixedHandler extends AuthEventHandler {
  calls = 0;

  constructor(private readonly given: () => TokenIssuanceStartAnswer) {
    super();
  }

  override async onTokenIssuanceStart(): Promise<TokenIssuanceStartAnswer> {
    this.calls++;
    return this.given();
  }
}

const secretGuard: CanActivate = {
  canActivate(context: ExecutionContext): boolean {
    if (context.switchToHttp().getRequest<{ headers: Record<string, unknown> }>().headers['authorization'] === 'Bearer right')
      return true;
    throw new UnauthorizedException('secret detail');
  },
};

const apps: NestFastifyApplication[] = [];
const reports: ProblemReport[] = [];

afterEach(async () => {
  reports.length = 0;
  for (const app of apps.splice(0)) await app.close();
});

async function serve(module: ReturnType<typeof AuthEventsModule.forHandler>): Promise<NestFastifyApplication> {
  const testing = await Test.createTestingModule({ imports: [module] }).compile();
  const app = testing.createNestApplication<NestFastifyApplication>(authEventAdapter(), { bodyParser: false, logger: false });
  app.useGlobalFilters(new ProblemFilter((_request, problem) => reports.push(problem)));
  takeBodiesAsBytes(app);
  apps.push(app);
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return app;
}

const post = async (
  app: NestFastifyApplication,
  body: string = JSON.stringify(wireEvent),
  headers: Record<string, string> = {},
) =>
  app.inject({
    method: 'POST',
    url: '/api/onTokenIssuanceStart',
    headers: { authorization: 'Bearer right', 'content-type': 'application/json', ...headers },
    payload: body,
  });

describe('AuthEventsModule', () => {
  it('serves the handler class of another team, with what it depends on', async () => {
    const app = await serve(AuthEventsModule.forHandler(GreetingHandler, { guards: [secretGuard], imports: [GreetingModule] }));
    const response = await post(app);
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({ data: { actions: [{ claims: { greeting: `hello ${id(7)}` } }] } });
  });

  it('does not exist without a guard', () => {
    expect(() => AuthEventsModule.forHandler(GreetingHandler, { guards: [] })).toThrow('at least one guard');
  });

  it('asks the guard before it looks at anything of the body', async () => {
    const handler = new FixedHandler(() => answer.provideClaims({}));
    const app = await serve(AuthEventsModule.forHandler(handler, { guards: [secretGuard] }));
    const response = await post(app, '{not json', { authorization: 'Bearer wrong', 'content-type': 'text/plain' });
    expect([response.statusCode, handler.calls]).toEqual([401, 0]);
    expect(response.body).not.toContain('secret detail');
    expect(reports).toMatchObject([{ status: 401, detail: 'secret detail' }]);
  });

  it.each([
    ['application/json', 200],
    ['application/json; charset=utf-8', 200],
    ['APPLICATION/JSON;charset="UTF-8"', 200],
    ['application/json; charset=latin1', 415],
    ['text/json', 415],
    ['', 415],
  ])('content type "%s": %i', async (contentType, status) => {
    const app = await serve(
      AuthEventsModule.forHandler(new FixedHandler(() => answer.provideClaims({})), { guards: [secretGuard] }),
    );
    expect((await post(app, undefined, { 'content-type': contentType })).statusCode).toBe(status);
  });

  it('keeps the events of other tenants from the handler', async () => {
    const handler = new FixedHandler(() => answer.provideClaims({}));
    const app = await serve(AuthEventsModule.forHandler(handler, { guards: [secretGuard], callerTenant: () => id(9) }));
    const response = await post(app);
    expect([response.statusCode, handler.calls]).toEqual([403, 0]);
    expect(response.json()).toMatchObject({ code: 'tenant.mismatch', correlationId: id(4) });
  });

  it('sends the failure that the handler decided on', async () => {
    const handler = new FixedHandler(() => answer.fail('claims.unavailable', 'A source did not answer.'));
    const response = await post(await serve(AuthEventsModule.forHandler(handler, { guards: [secretGuard] })));
    expect(response.statusCode).toBe(503);
    expect(response.json()).toEqual({
      type: 'urn:claimbridge:problem:claims.unavailable',
      title: 'A source did not answer.',
      status: 503,
      code: 'claims.unavailable',
      correlationId: id(4),
    });
  });

  it('sends nothing that Entra would refuse, and reports why', async () => {
    const handler = new FixedHandler(() => answer.provideClaims({ big: 'x'.repeat(4_000) }));
    const response = await post(await serve(AuthEventsModule.forHandler(handler, { guards: [secretGuard] })));
    expect(response.statusCode).toBe(500);
    expect(response.json()).toMatchObject({ code: 'answer.malformed' });
    expect(response.body).not.toContain('xxx');
  });

  it('hides what a handler throws, and reports it as a defect', async () => {
    const handler = new FixedHandler(() => {
      throw new Error('password=hunter2');
    });
    const response = await post(await serve(AuthEventsModule.forHandler(handler, { guards: [secretGuard] })));
    expect(response.statusCode).toBe(500);
    expect(response.json()).toMatchObject({ code: 'service.defect', title: 'The service failed.' });
    expect(response.body).not.toContain('hunter2');
    expect(reports[0]?.error).toBeInstanceOf(Error);
  });
});

describe('AuthEventsModule with the other events', () => {
  const guards = [secretGuard];
  const url = (kind: string): string => `/api/on${kind[0]!.toUpperCase()}${kind.slice(1)}`;
  const send = (app: NestFastifyApplication, kind: keyof typeof wireEvents, body: object = wireEvents[kind]()) =>
    app.inject({
      method: 'POST',
      url: url(kind),
      headers: { authorization: 'Bearer right', 'content-type': 'application/json' },
      payload: JSON.stringify(body),
    });

  class FamilyHandler extends AuthEventHandler {
    seen: AuthEvent[] = [];

    override onTokenIssuanceStart(event: AuthEvent<'tokenIssuanceStart'>) {
      this.seen.push(event);
      return answer.provideClaims({ kind: event.kind });
    }

    override onAttributeCollectionStart(event: AuthEvent<'attributeCollectionStart'>) {
      this.seen.push(event);
      return answer.setPrefillValues({ city: event.userSignUpInfo.attributes.get('city')?.value ?? '' });
    }

    override async onAttributeCollectionSubmit(event: AuthEvent<'attributeCollectionSubmit'>) {
      this.seen.push(event);
      return answer.showValidationError({ message: 'Please correct.', attributeErrors: { city: 'Where is that?' } });
    }

    override onEmailOtpSend(event: AuthEvent<'emailOtpSend'>) {
      this.seen.push(event);
      return answer.continueWithDefaultBehavior();
    }

    override onPasswordSubmit(event: AuthEvent<'passwordSubmit'>) {
      this.seen.push(event);
      return answer.migratePassword('nonce');
    }

    override onVerifiedIdClaimValidation(event: AuthEvent<'verifiedIdClaimValidation'>) {
      this.seen.push(event);
      return answer.failVerification(['dateOfBirth']);
    }
  }

  it('serves every event that the handler has a method for', async () => {
    const handler = new FamilyHandler();
    const app = await serve(AuthEventsModule.forHandler(handler, { guards }));
    for (const kind of authEventKinds) {
      const response = await send(app, kind);
      expect([kind, response.statusCode, response.headers['content-type']]).toEqual([
        kind,
        200,
        'application/json; charset=utf-8',
      ]);
      expect(handler.seen.at(-1)?.kind).toBe(kind);
    }
    expect((await send(app, 'attributeCollectionStart')).json()).toMatchObject({
      data: { actions: [{ inputs: { city: 'Zürich' } }] },
    });
  });

  it('has no route for the other events', async () => {
    const app = await serve(AuthEventsModule.forHandler(GreetingHandler, { guards, imports: [GreetingModule] }));
    for (const kind of authEventKinds)
      expect([kind, (await send(app, kind)).statusCode]).toEqual([kind, kind === 'tokenIssuanceStart' ? 200 : 404]);
  });

  it('does not exist for a handler that handles nothing', () => {
    class Idle extends AuthEventHandler {}
    expect(() => AuthEventsModule.forHandler(Idle, { guards })).toThrow('a method for none of the events');
  });

  it('refuses an event of another kind, and names the kind that is due', async () => {
    const app = await serve(AuthEventsModule.forHandler(new FamilyHandler(), { guards }));
    const response = await send(app, 'emailOtpSend', wireEvents.passwordSubmit());
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ code: 'request.body', title: 'The body is not an emailOtpSend event.' });
    expect(response.body).not.toContain(wireEvents.passwordSubmit().data.tenantId);
  });

  it.each([undefined, null, 'text', [], answer.showBlockPage('x'), { ...answer.fail('a', 'b'), status: 200 }])(
    'answers 500 where the handler gives %j',
    async (given) => {
      const app = await serve(AuthEventsModule.forHandler(new FixedHandler(() => given as never), { guards }));
      const response = await send(app, 'tokenIssuanceStart');
      expect(response.statusCode).toBe(500);
      expect(response.json()).toMatchObject({ code: 'answer.malformed' });
    },
  );

  it('keeps one-time codes, passwords and people out of refusals and reports', async () => {
    const app = await serve(
      AuthEventsModule.forHandler(new FixedHandler(() => answer.provideClaims({})), {
        guards,
        recheck: 1,
        report: () => undefined,
      }),
    );
    const body = wireEvents.tokenIssuanceStart();
    const response = await send(app, 'tokenIssuanceStart', { ...body, source: 1 });
    expect(response.json()).toMatchObject({ errors: [{ path: 'source' }] });
    expect(response.body + JSON.stringify(reports)).not.toContain('adele');
  });

  it('asks class-validator about a share of the accepted events, and reports where it differs', async () => {
    const found: AcceptorDisagreement[] = [];
    const reader = authEvents.tokenIssuanceStart.reader as unknown as { acceptor: unknown };
    const right = reader.acceptor;
    const app = await serve(
      AuthEventsModule.forHandler(new FixedHandler(() => answer.provideClaims({})), {
        guards,
        recheck: 1,
        report: (each) => found.push(each),
      }),
    );
    expect((await send(app, 'tokenIssuanceStart')).statusCode).toBe(200);
    expect(found).toEqual([]);
    reader.acceptor = () => undefined;
    try {
      expect((await send(app, 'tokenIssuanceStart')).statusCode).toBe(200);
    } finally {
      reader.acceptor = right;
    }
    expect(found).toEqual([{ event: 'tokenIssuanceStart', difference: 'acceptedOnlyByValidator' }]);
  });
});
