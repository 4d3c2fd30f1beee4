import { Source, type LookupDescription, type LookupQuery, type Outcome, type ProbeResult } from '#claims';

/** A source around another one: it is the other in everything that it does not change. */
export abstract class WrappedSource extends Source {
  constructor(protected readonly inner: Source) {
    super();
  }

  override get name(): string {
    return this.inner.name;
  }

  override get lookups(): ReadonlyMap<string, LookupDescription> {
    return this.inner.lookups;
  }

  override fetch(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    return this.inner.fetch(query, signal);
  }

  override probe(signal: AbortSignal): Promise<ProbeResult> {
    return this.inner.probe(signal);
  }

  override close(): Promise<void> {
    return this.inner.close();
  }
}

/** Settles a moment after the abort: whoever obeys the signal answers first, and says more. */
export function settleOnAbort<Result>(signal: AbortSignal, late: Result): { readonly settled: Promise<Result>; release(): void } {
  let onAbort!: () => void;
  const settled = new Promise<Result>((resolve) => {
    onAbort = () => setImmediate(resolve, late);
  });
  signal.addEventListener('abort', onAbort, { once: true });
  return { settled, release: () => signal.removeEventListener('abort', onAbort) };
}
