import type { LookupQuery, Outcome, ProbeResult, Source, UnavailableReason } from '#claims';
import { WrappedSource } from './wrapped-source.js';

/** One operation of a source, for metrics. Names and stable codes only. */
export interface SourceEvent {
  readonly source: string;
  readonly lookup: string;
  readonly outcome: Outcome['kind'];
  /** The outcome's reason, where it has one. */
  readonly reason?: string;
  /** From the call to its outcome, the wait for a turn included. */
  readonly ms: number;
}

export interface SourceHealth {
  /** By the last operation or probe that says something of the system; `unknown` before the first. */
  readonly state: 'up' | 'down' | 'unknown';
  /** Of the last operation or probe that the system answered. */
  readonly latencyMs?: number;
  readonly checkedAt?: Date;
  readonly lastError?: { readonly code: UnavailableReason; readonly at: Date };
}

/** These say that the system cannot be used; the other reasons concern one lookup, or ourselves. */
const meansDown: ReadonlySet<UnavailableReason> = new Set(['timeout', 'connection', 'credentials', 'malformed']);

/** Tells what becomes of every operation, and derives the source's health from operations and probes. */
export class ObservedSource extends WrappedSource {
  private current: SourceHealth = { state: 'unknown' };

  constructor(
    inner: Source,
    private readonly listener: (event: SourceEvent) => void,
  ) {
    super(inner);
  }

  health(): SourceHealth {
    return this.current;
  }

  override async fetch(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    const started = performance.now();
    let told: Pick<SourceEvent, 'outcome' | 'reason'> = { outcome: 'unavailable', reason: 'internal' };
    try {
      const outcome = await this.inner.fetch(query, signal);
      told = 'reason' in outcome ? { outcome: outcome.kind, reason: outcome.reason } : { outcome: outcome.kind };
      const impatient = outcome.kind === 'unavailable' && outcome.reason === 'timeout' && signal.aborted;
      if (!impatient) this.note(outcome.kind === 'unavailable' ? outcome.reason : undefined, started);
      return outcome;
    } finally {
      this.listener({ source: this.name, lookup: query.lookup, ...told, ms: performance.now() - started });
    }
  }

  override async probe(signal: AbortSignal): Promise<ProbeResult> {
    const started = performance.now();
    const result = await this.tried(signal);
    this.note(result.kind === 'down' ? result.reason : undefined, started);
    return result;
  }

  /** A probe that throws is a defect of its connector. Nobody waits for probes, so it would end the process. */
  private async tried(signal: AbortSignal): Promise<ProbeResult> {
    try {
      return await this.inner.probe(signal);
    } catch {
      return { kind: 'down', reason: 'internal' };
    }
  }

  private note(error: UnavailableReason | undefined, started: number): void {
    const now = new Date();
    if (error === undefined)
      this.current = {
        ...this.current,
        state: 'up',
        latencyMs: Math.round((performance.now() - started) * 10) / 10,
        checkedAt: now,
      };
    else if (meansDown.has(error))
      this.current = { ...this.current, state: 'down', checkedAt: now, lastError: { code: error, at: now } };
    else this.current = { ...this.current, lastError: { code: error, at: now } };
  }
}
