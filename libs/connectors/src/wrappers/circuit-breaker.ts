import { unavailable, type LookupQuery, type Outcome, type ProbeResult, type Source, type UnavailableReason } from '#claims';
import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhenResult, type CircuitBreakerPolicy } from 'cockatiel';
import { WrappedSource } from './wrapped-source.js';

export interface BreakerLimits {
  /** Failures in a row that open the circuit. */
  readonly failures: number;
  /** Milliseconds between the trials of an open one. */
  readonly retryAfter: number;
}

/**
 * These say that the system as a whole does not work; `overloaded`, here, that it gave nobody a session. Refused credentials have a
 * rule of their own in each adapter.
 */
const systemFailures: ReadonlySet<UnavailableReason> = new Set(['timeout', 'connection', 'malformed', 'overloaded']);

/**
 * Stops asking a system that fails: after a number of failures in a row every operation is `unavailable('circuitOpen')` at once, until
 * a probe succeeds. The trial of a half-open circuit is that probe, never somebody's sign-in.
 */
export class CircuitBreaker extends WrappedSource {
  private readonly circuit: CircuitBreakerPolicy;
  private readonly closing = new AbortController();
  private trial: NodeJS.Timeout | undefined;

  constructor(
    inner: Source,
    private readonly limits: BreakerLimits & { readonly operation: number },
    private readonly onChange: (state: 'open' | 'closed') => void,
  ) {
    super(inner);
    this.circuit = circuitBreaker(handleWhenResult(isFailure), {
      halfOpenAfter: limits.retryAfter,
      breaker: new ConsecutiveBreaker(limits.failures),
    });
    this.circuit.onBreak(() => this.scheduleTrial());
    this.circuit.onStateChange((state) => {
      if (state === CircuitState.Open || state === CircuitState.Closed)
        this.onChange(state === CircuitState.Open ? 'open' : 'closed');
    });
  }

  get state(): 'open' | 'closed' {
    return this.circuit.state === CircuitState.Closed ? 'closed' : 'open';
  }

  override async fetch(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    if (this.circuit.state !== CircuitState.Closed) return unavailable('circuitOpen');
    return this.circuit.execute(() => this.inner.fetch(query, signal));
  }

  override async close(): Promise<void> {
    this.closing.abort();
    clearTimeout(this.trial);
    await super.close();
  }

  private scheduleTrial(): void {
    if (this.closing.signal.aborted) return;
    clearTimeout(this.trial);
    // A moment later than the circuit wants it, so that the trial is not refused by its clock.
    this.trial = setTimeout(() => void this.try(), this.limits.retryAfter + 5).unref();
  }

  private async try(): Promise<void> {
    const signal = AbortSignal.any([this.closing.signal, AbortSignal.timeout(this.limits.operation)]);
    try {
      await this.circuit.execute(() => super.probe(signal));
    } catch {
      this.scheduleTrial();
    }
  }
}

function isFailure(result: unknown): boolean {
  const { kind, reason } = result as Outcome & ProbeResult & { readonly reason?: UnavailableReason };
  return kind === 'down' || (kind === 'unavailable' && reason !== undefined && systemFailures.has(reason));
}
