import { Module, UseGuards, type DynamicModule, type Type } from '@nestjs/common';
import { AuthEventController } from './auth-event.controller.js';
import { AuthEventOptions } from './auth-event-options.js';
import { TokenIssuanceStartHandler } from './token-issuance-start-handler.js';

/** A validated, authenticated endpoint for Entra's authentication events in any Nest application on Fastify. */
@Module({})
export class AuthEventsModule {
  /**
   * @param handler a class to be instantiated by Nest, or a handler that exists already
   * @param options without a guard the endpoint would be open to everybody, so at least one is asked for
   */
  static forHandler(
    handler: Type<TokenIssuanceStartHandler> | TokenIssuanceStartHandler,
    options: AuthEventOptions,
  ): DynamicModule {
    if (options.guards.length === 0) throw new Error('AuthEventsModule: at least one guard is needed');
    @UseGuards(...options.guards)
    class GuardedAuthEventController extends AuthEventController {}
    return {
      module: AuthEventsModule,
      imports: options.imports ?? [],
      controllers: [GuardedAuthEventController],
      providers: [
        typeof handler === 'function'
          ? { provide: TokenIssuanceStartHandler, useClass: handler }
          : { provide: TokenIssuanceStartHandler, useValue: handler },
        { provide: AuthEventOptions, useValue: options },
      ],
    };
  }
}
