import { Source, unavailable, type LookupDescription, type LookupQuery, type Outcome, type ProbeResult } from '#claims';

export type FakeLookup = Partial<LookupDescription> & {
  /** The answer to each query; without it the lookup is `unavailable('connection')`. */
  readonly answer?: (query: LookupQuery, signal: AbortSignal) => Outcome | Promise<Outcome>;
};

/** A source in memory that answers what a spec says, and keeps what it was asked. */
export class FakeSource extends Source {
  readonly queries: LookupQuery[] = [];
  override readonly lookups: ReadonlyMap<string, LookupDescription>;

  constructor(
    override readonly name: string,
    private readonly answers: Readonly<Record<string, FakeLookup>>,
  ) {
    super();
    this.lookups = new Map(
      Object.entries(answers).map(([lookup, { parameters = [], locate = [] }]) => [lookup, { parameters, locate }]),
    );
  }

  override async fetch(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    this.queries.push(query);
    return this.answers[query.lookup]?.answer?.(query, signal) ?? unavailable('connection');
  }

  override probe(): Promise<ProbeResult> {
    return Promise.resolve({ kind: 'up' });
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }
}
