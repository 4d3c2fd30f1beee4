import {
  AuthEventHandler,
  AuthEventsModule,
  ProblemFilter,
  authEventAdapter,
  takeBodiesAsBytes,
  type CalloutContext,
  type ProblemReport,
} from '#auth-events';
import { KeyManager, TokenVerifier, authenticationExtensionsAppId, callerOf, entraGuard } from '#entra-auth';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { startSimulator } from '../../../apps/entra-simulator/src/index.js';
import { tenantId } from './claims-service.js';
import { routes, type EventKind } from './wire-events.js';

const audience = '7b6a5948-3726-4514-8302-f1e0d9c8b7a6';

/** Answers every event with what a test gave it, well-formed or not, and keeps the last event. */
class GivenAnswer extends AuthEventHandler {
  give: (event: unknown) => unknown = () => undefined;
  readonly seen: unknown[] = [];
  readonly contexts: CalloutContext[] = [];

  override onTokenIssuanceStart(event: unknown, context: CalloutContext): never {
    return this.answer(event, context);
  }

  override onAttributeCollectionStart(event: unknown, context: CalloutContext): never {
    return this.answer(event, context);
  }

  override onAttributeCollectionSubmit(event: unknown, context: CalloutContext): never {
    return this.answer(event, context);
  }

  override onEmailOtpSend(event: unknown, context: CalloutContext): never {
    return this.answer(event, context);
  }

  override onPasswordSubmit(event: unknown, context: CalloutContext): never {
    return this.answer(event, context);
  }

  override onVerifiedIdClaimValidation(event: unknown, context: CalloutContext): never {
    return this.answer(event, context);
  }

  private answer(event: unknown, context: CalloutContext): never {
    this.seen.push(event);
    this.contexts.push(context);
    return this.give(event) as never;
  }
}

export interface HostAnswer {
  readonly status: number;
  readonly contentType: string | null;
  readonly text: string;
}

export type HandlerHost = Awaited<ReturnType<typeof startHandlerHost>>;

/**
 * The Nest application of another team, in this process: one handler for every event, composed with entra-auth, and the Entra
 * simulator as its issuer.
 */
export async function startHandlerHost({
  callers = [authenticationExtensionsAppId],
}: { readonly callers?: readonly string[] } = {}) {
  await using parts = new AsyncDisposableStack();
  const simulator = await startSimulator({
    config: { tenants: { fabrikam: { tenantId, api: { appId: audience, requestedAccessTokenVersion: 2 } } } },
  });
  parts.defer(() => simulator.stop());
  const issuer = `${simulator.url}/${tenantId}/v2.0`;
  const issuers = [{ issuer, metadata: `${issuer}/.well-known/openid-configuration` }];
  const keys = new KeyManager({ issuers, ca: simulator.ca });
  parts.defer(() => keys.close());
  const verifier = new TokenVerifier(
    { tenants: [{ alias: 'fabrikam', tenantId, audiences: [audience], issuers, callers }] },
    keys,
  );
  await keys.start();

  const handler = new GivenAnswer();
  const reports: ProblemReport[] = [];
  const app = await NestFactory.create<NestFastifyApplication>(
    AuthEventsModule.forHandler(handler, {
      guards: [entraGuard(verifier)],
      callerTenant: (request) => callerOf(request).tenantId,
    }),
    authEventAdapter(),
    { bodyParser: false, logger: false },
  );
  parts.defer(() => app.close());
  app.useGlobalFilters(new ProblemFilter((_request, problem) => reports.push(problem)));
  takeBodiesAsBytes(app);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const authorization = `Bearer ${await simulator.mintExtensionToken()}`;
  const running = parts.move();
  return {
    url,
    authorization,
    simulator,
    handler,
    /** What the filter told the log, oldest first. */
    reports,
    async post(kind: EventKind, body: string, headers: Readonly<Record<string, string>> = {}): Promise<HostAnswer> {
      const answer = await fetch(url + routes[kind], {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization, ...headers },
        body,
      });
      return { status: answer.status, contentType: answer.headers.get('content-type'), text: await answer.text() };
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
