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
