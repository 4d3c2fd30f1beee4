import {
  AuthEventHandler,
  answer,
  type CalloutContext,
  type TokenIssuanceStartAnswer,
  type TokenIssuanceStartEvent,
} from '#auth-events';
import { Deadline, type FailureCode } from '#claims';
import { callerOf } from '#entra-auth';
import type { ClaimMappingService } from '../mapping/claim-mapping.service.js';
import type { EventLog } from './event-log.js';
import type { EventLoopLag } from './event-loop-lag.js';
import { signInOf } from './sign-in.js';

const failures: Readonly<Record<FailureCode, string>> = {
  'claims.unavailable': 'A source of a required claim did not answer.',
  'claims.missing': 'A required claim has no value.',
  'claims.tooLarge': 'The claims exceed the size that Entra accepts.',
};

/** How often the event loop must come round for an event: to receive it, to ask the sources, to hear their answers. */
const turnsOfAnEvent = 3;

/** Answers Entra's events by the mappings: select, locate, fetch, map, limit. */
export class ClaimsHandler extends AuthEventHandler {
  constructor(
    private readonly mappings: ClaimMappingService,
    private readonly log: EventLog,
    private readonly options: {
      /** The time of a request from its receipt, in milliseconds. */
      readonly deadline: number;
      readonly lag: Pick<EventLoopLag, 'milliseconds'>;
      /** What an application without a mapping gets, by the tenant's alias. */
      readonly unmapped: (tenant: string) => 'empty' | 'fail';
    },
  ) {
    super();
  }

  override async onTokenIssuanceStart(
    event: TokenIssuanceStartEvent,
    context: CalloutContext,
  ): Promise<TokenIssuanceStartAnswer> {
    const { request, receivedAt } = context;
    const tenant = callerOf(request).tenant;
    const { call, subject } = signInOf(event);
    const note = this.log.note.bind(this.log, request);
    note({ correlationId: event.correlationId, tenant, ...(call && { application: call.application }) });

    const selection = this.mappings.select(tenant, call);
    switch (selection.kind) {
      case 'unloaded':
        return answer.fail('mapping.unloaded', 'No mappings are loaded yet.');
      case 'invalid':
        return answer.fail('mapping.invalid', 'The mapping of this application is invalid.');
      case 'none':
        return this.options.unmapped(tenant) === 'fail'
          ? answer.fail('mapping.none', 'This application has no mapping.')
          : answer.provideClaims({});
      case 'mapping': {
        const { mapping, revision, claimSets } = selection.plan;
        note({ mapping, revision, claimSets });
        const remaining = this.options.deadline - (performance.now() - receivedAt);
        if (this.options.lag.milliseconds * turnsOfAnEvent > remaining)
          return answer.fail('service.overloaded', 'The service is overloaded.');
        using deadline = new Deadline(remaining);
        const resolution = await this.mappings.resolve(selection, subject, deadline);
        note({ lookups: resolution.lookups, deviations: resolution.deviations, defects: resolution.defects });
        if (resolution.kind === 'resolved') return answer.provideClaims(resolution.claims);
        note({ failedClaims: resolution.claims });
        return answer.fail(resolution.code, failures[resolution.code]);
      }
    }
  }
}
