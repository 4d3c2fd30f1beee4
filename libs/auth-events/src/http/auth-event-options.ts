import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { AcceptorDisagreement } from '../wire/event-reader.js';

/** How `AuthEventsModule` is composed with the rest of an application. */
export abstract class AuthEventOptions {
  /** Decide whether the caller may send events at all, before anything of the body is looked at. At least one. */
  abstract readonly guards: readonly (Type<CanActivate> | CanActivate)[];
  /** Modules whose providers the handler and the guards need. */
  readonly imports?: ModuleMetadata['imports'];
  /** The tenant id that the guards verified, in lower case; an event of another tenant is answered 403. */
  readonly callerTenant?: (request: FastifyRequest) => string | undefined;
  /** The share of the accepted events that class-validator is asked about as well, 0 to 1; 0.001 by default. */
  readonly recheck?: number;
  /** Learns where the compiled acceptor and class-validator differ. */
  readonly report?: (disagreement: AcceptorDisagreement) => void;
}
