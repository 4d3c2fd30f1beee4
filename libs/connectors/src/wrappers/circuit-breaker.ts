import { unavailable, type LookupQuery, type Outcome, type Source, type UnavailableReason } from '#claims';
import { settleOn } from '../settle-on.js';
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

/** What an open circuit answers: the system was not asked. */
export const leftAlone = unavailable('circuitOpen');

/**
 * Stops asking a system that fails: after a number of failures in a row every operation is `unavailable('circuitOpen')` at once, until
 * a probe succeeds, tried on a timer. A probe is not a lookup: one operation alone is then let in, and the others when it has not
 * failed. If it fails, the circuit is open again. So a system that takes probes and hangs on lookups costs one sign-in a cycle its time.
 * No wall clock has a say: setting it must neither keep a circuit open nor close one.
 */
export class CircuitBreaker extends WrappedSource {
  private readonly closing = new AbortController();
  private failures = 0;
  private isOpen = false;
  /** Since the circuit closed, no operation has shown that the system works; one at a time may. */
  private unproven = false;
  private proving = false;
  /** Counts the openings: what began before one is no evidence after it. */
  private openings = 0;
  private trial: NodeJS.Timeout | undefined;

  constructor(
    inner: Source,
    private readonly limits: BreakerLimits & { readonly operation: number },
    private readonly onChange: (state: 'open' | 'closed') => void,
  ) {
    super(inner);
  }

  get state(): 'open' | 'closed' {
    return this.isOpen ? 'open' : 'closed';
  }

  override async fetch(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    if (this.isOpen || this.proving) return leftAlone;
    if (!this.unproven) return this.ask(query, signal);
    this.proving = true;
    try {
      return await this.ask(query, signal);
    } finally {
      this.proving = false;
    }
  }

  override async close(): Promise<void> {
    this.closing.abort();
    clearTimeout(this.trial);
    await super.close();
  }

  private async ask(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    const { openings } = this;
    const outcome = await this.inner.fetch(query, signal);
    const givenUp = signal.aborted && outcome.kind === 'unavailable' && outcome.reason === 'timeout';
    if (!givenUp && openings === this.openings) this.count(outcome);
    return outcome;
  }

  private count(outcome: Outcome): void {
    const failed = outcome.kind === 'unavailable' && systemFailures.has(outcome.reason);
    this.failures = failed ? this.failures + 1 : 0;
    const opens = this.failures >= (this.unproven ? 1 : this.limits.failures);
    this.unproven = false;
    if (!opens) return;
    this.isOpen = true;
    this.openings += 1;
    this.onChange('open');
    this.scheduleTrial();
  }

  private scheduleTrial(): void {
    if (!this.closing.signal.aborted) this.trial = setTimeout(() => void this.try(), this.limits.retryAfter).unref();
  }

  /** A probe that fails, throws or never ends is followed by the next one. */
  private async try(): Promise<void> {
    const signal = AbortSignal.any([this.closing.signal, AbortSignal.timeout(this.limits.operation)]);
    const result = await settleOn(signal, super.probe(signal)).catch(() => 'threw' as const);
    if (typeof result === 'string' || result.kind === 'down') {
      this.scheduleTrial();
      return;
    }
    this.failures = 0;
    this.unproven = true;
    this.isOpen = false;
    this.onChange('closed');
  }
}
