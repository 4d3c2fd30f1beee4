import type { ProblemReport } from '#auth-events';
import type { ClaimDefect, ClaimDeviation, LookupAccount } from '#claims';
import type { Logger, Metrics } from '#observability';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RefusalLog } from '../doors/refusal-log.js';

/** What is known of a request by the time it is answered. Names, ids and times only: no person, no value. */
export interface EventAccount {
  readonly correlationId?: string;
  readonly tenant?: string;
  readonly application?: string;
  readonly mapping?: string;
  readonly revision?: string;
  /** The claim sets that the mapping includes, with their revisions. */
  readonly claimSets?: readonly { readonly name: string; readonly revision: string }[];
  readonly lookups?: readonly LookupAccount[];
  readonly deviations?: readonly ClaimDeviation[];
  readonly defects?: readonly ClaimDefect[];
  /** The claims that made the answer fail. */
  readonly failedClaims?: readonly string[];
  readonly problem?: ProblemReport;
}

/** Kept with the request: what is in a WeakMap outlives a collection of young objects. */
const accountOf = Symbol('account');
type NotedRequest = FastifyRequest & { [accountOf]?: EventAccount };

/** A log line and the metrics for each request of the public door, whatever became of it; strangers’ lines are bounded. */
export class EventLog {
  constructor(
    private readonly log: Logger,
    private readonly metrics: Metrics,
  ) {}

  note(request: NotedRequest, account: EventAccount): void {
    const noted = request[accountOf];
    if (noted) Object.assign(noted, account);
    else request[accountOf] = { ...account };
  }

  /** Writes on every response of this server but those of the health probes. */
  listen(server: FastifyInstance, refusals: RefusalLog): void {
    server.addHook('onResponse', (request: NotedRequest, reply, done) => {
      if (!request.routeOptions.url?.startsWith('/health/')) {
        const account = request[accountOf] ?? {};
        this.write(account, reply, account.problem === undefined || refusals.admits(account.problem.code, request.ip));
      }
      done();
    });
  }

  /** What was refused before there was a request. */
  unreadable({ status, code, correlationId, detail }: ProblemReport, logged: boolean): void {
    if (logged) this.log.warn({ correlationId, status, code, detail }, 'event');
    this.metrics.events.inc({ tenant: '', mapping: '', status, code });
  }

  private write({ problem, ...account }: EventAccount, reply: FastifyReply, logged: boolean): void {
    const status = reply.statusCode;
    const ms = Math.round(reply.elapsedTime * 10) / 10;
    const line = {
      correlationId: account.correlationId ?? problem?.correlationId,
      tenant: account.tenant,
      application: account.application,
      mapping: account.mapping,
      revision: account.revision,
      claimSets: account.claimSets?.length ? account.claimSets : undefined,
      status,
      ms,
      code: problem?.code,
      detail: problem?.detail,
      failedClaims: account.failedClaims,
      lookups: account.lookups,
      deviations: account.deviations?.length ? account.deviations : undefined,
      defects: account.defects?.length ? account.defects : undefined,
      err: problem?.error,
    };
    // One line for each would let a peer that is limited fill the log.
    if (status === 429 || !logged) this.log.debug(line, 'event');
    else if (status >= 500 || line.defects) this.log.error(line, 'event');
    else if (status >= 400) this.log.warn(line, 'event');
    else this.log.info(line, 'event');

    const { tenant = '', mapping = '' } = account;
    this.metrics.events.inc({ tenant, mapping, status, code: problem?.code ?? '' });
    this.metrics.eventSeconds.observe({ status }, reply.elapsedTime / 1_000);
    for (const { claim, why, treatment } of account.deviations ?? [])
      this.metrics.claimDeviations.inc({ tenant, mapping, claim, why, treatment });
  }
}
