import { AuthEventsModule, type AuthEventOptions, type AuthEventHandler } from '#auth-events';
import { Module, type DynamicModule } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { PublicHealthController } from '../health/public-health.controller.js';
import { Readiness } from '../health/readiness.js';

/** What the world can reach: the event endpoint and the platform's health probes. */
@Module({})
export class PublicDoorModule {
  static of(parts: {
    readonly handler: AuthEventHandler;
    readonly events: AuthEventOptions;
    readonly readiness: Readiness;
  }): DynamicModule {
    return {
      module: PublicDoorModule,
      imports: [AuthEventsModule.forHandler(parts.handler, parts.events), TerminusModule.forRoot({ logger: false })],
      controllers: [PublicHealthController],
      providers: [{ provide: Readiness, useValue: parts.readiness }],
    };
  }
}
