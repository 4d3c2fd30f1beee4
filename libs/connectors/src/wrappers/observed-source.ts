import type { LookupQuery, Outcome, ProbeResult, Source, Unavailable, UnavailableReason } from '#claims';
import { shed } from './bulkhead.js';
import { leftAlone } from './circuit-breaker.js';
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
  /** Of the system, when it was asked last and failed; `detail`: names and codes, and what helps; for operators. */
  readonly lastError?: { readonly code: UnavailableReason; readonly detail?: string; readonly at: Date };
  /** The system works, and soon will not; as of the last probe. */
  readonly warning?: { readonly code: UnavailableReason; readonly detail: string };
}

/** These say that the system cannot be used; the other reasons concern one lookup, or ourselves. */
const meansDown: ReadonlySet<UnavailableReason> = new Set(['timeout', 'connection', 'credentials', 'malformed']);

/** Why the system fails, or was failing, stands in what it answered before. */
const notAsked: ReadonlySet<Outcome> = new Set([shed, leftAlone]);

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
      if (!impatient && !notAsked.has(outcome)) this.note(outcome.kind === 'unavailable' ? outcome : undefined, started);
      return outcome;
    } finally {
      this.listener({ source: this.name, lookup: query.lookup, ...told, ms: performance.now() - started });
    }
  }

  override async probe(signal: AbortSignal): Promise<ProbeResult> {
    const started = performance.now();
    const result = await this.tried(signal);
    this.note(result.kind === 'down' ? result : undefined, started);
    const { warning: _, ...rest } = this.current;
    const warning = result.kind === 'up' && result.warning;
    this.current = warning ? { ...rest, warning: { code: warning.reason, detail: warning.detail } } : rest;
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

  private note(error: Pick<Unavailable, 'reason' | 'detail'> | undefined, started: number): void {
    const now = new Date();
    if (error === undefined) {
      this.current = {
        ...this.current,
        state: 'up',
        latencyMs: Math.round((performance.now() - started) * 10) / 10,
        checkedAt: now,
      };
      return;
    }
    const { reason: code, detail } = error;
    const lastError = { code, ...(detail !== undefined && { detail }), at: now };
    this.current = { ...this.current, lastError, ...(meansDown.has(code) && { state: 'down', checkedAt: now }) };
  }
}
