import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { authEventKinds, authEvents } from '../auth-events.js';
import { authEventController } from './auth-event.controller.js';
import { AuthEventHandler, handlerMethodOf } from './auth-event-handler.js';
import { AuthEventOptions } from './auth-event-options.js';

/** Validated, authenticated endpoints for Entra's authentication events in any Nest application on Fastify. */
@Module({})
export class AuthEventsModule {
  /**
   * Serves POST /api/onTokenIssuanceStart and the like, for each event that the handler has a method for.
   * @param handler a class to be instantiated by Nest, or a handler that exists already
   * @param options without a guard the endpoints would be open to everybody, so at least one is asked for
   * @throws Error where nothing would be served, or a request DTO cannot be compiled
   */
  static forHandler(handler: Type<AuthEventHandler> | AuthEventHandler, options: AuthEventOptions): DynamicModule {
    if (options.guards.length === 0) throw new Error('AuthEventsModule: at least one guard is needed');
    const methods = (typeof handler === 'function' ? handler.prototype : handler) as AuthEventHandler;
    const kinds = authEventKinds.filter((kind) => typeof methods[handlerMethodOf(kind)] === 'function');
    if (kinds.length === 0) throw new Error('AuthEventsModule: the handler has a method for none of the events');
    for (const kind of kinds) authEvents[kind].reader.prepare();
    return {
      module: AuthEventsModule,
      imports: options.imports ?? [],
      controllers: [authEventController(kinds, options.guards)],
      providers: [
        typeof handler === 'function'
          ? { provide: AuthEventHandler, useClass: handler }
          : { provide: AuthEventHandler, useValue: handler },
        { provide: AuthEventOptions, useValue: options },
      ],
    };
  }
}
