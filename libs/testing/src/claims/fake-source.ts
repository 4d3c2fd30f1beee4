import { Source, unavailable, type LookupDescription, type LookupQuery, type Outcome, type ProbeResult } from '#claims';

export type FakeLookup = Partial<LookupDescription> & {
  /** The answer to each query; without it the lookup is `unavailable('connection')`. */
  readonly answer?: (query: LookupQuery, signal: AbortSignal) => Outcome | Promise<Outcome>;
};

/** A source in memory that answers what a spec says, and keeps what it was asked. */
export class FakeSource extends Source {
  readonly queries: LookupQuery[] = [];
  private closed = false;
  override readonly lookups: ReadonlyMap<string, LookupDescription>;

  constructor(
    override readonly name: string,
    private readonly answers: Readonly<Record<string, FakeLookup>>,
  ) {
    super();
    this.lookups = new Map(
      Object.entries(answers).map(([lookup, { parameters = [], locate = [], refuses }]) => [
        lookup,
        { parameters, locate, ...(refuses && { refuses }) },
      ]),
    );
  }

  override async fetch(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    const lookup = this.answers[query.lookup];
    if (lookup === undefined) throw new Error(`${this.name} has no lookup ${query.lookup}`);
    for (const parameter of lookup.parameters ?? [])
      if (!query.parameters.has(parameter)) throw new Error(`${this.name}.${query.lookup} needs the parameter ${parameter}`);
    if (this.closed) return unavailable('internal');
    if (signal.aborted) return unavailable('timeout');
    this.queries.push(query);
    return lookup.answer?.(query, signal) ?? unavailable('connection');
  }

  override probe(): Promise<ProbeResult> {
    return Promise.resolve(this.closed ? { kind: 'down', reason: 'internal' } : { kind: 'up' });
  }

  override close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}
