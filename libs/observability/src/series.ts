import type { Metric, Registry } from 'prom-client';

export type Labels<Name extends string> = Readonly<Record<Name, string | number>>;

interface Description<Name extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly Name[];
  readonly registry: Registry;
}

interface Value {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

/**
 * A metric that is observed at every request and read every few seconds: its time series are found by one text. prom-client's own check
 * and sort the labels at every observation, which a sign-in does up to nine times.
 */
abstract class Series<Name extends string, State> {
  readonly name: string;
  readonly help: string;
  readonly aggregator = 'sum';
  protected readonly series = new Map<string, { readonly labels: Labels<Name>; readonly state: State }>();
  private readonly labelNames: readonly Name[];

  constructor({ name, help, labelNames, registry }: Description<Name>) {
    this.name = name;
    this.help = help;
    this.labelNames = labelNames;
    registry.registerMetric(this as unknown as Metric);
  }

  reset(): void {
    this.series.clear();
  }

  async get(): Promise<object> {
    return { name: this.name, help: this.help, type: this.type, aggregator: this.aggregator, values: this.values() };
  }

  protected of(labels: Labels<Name>, fresh: () => State): State {
    let key = '';
    for (const name of this.labelNames) key += `${labels[name]}\0`;
    let found = this.series.get(key);
    if (!found) this.series.set(key, (found = { labels, state: fresh() }));
    return found.state;
  }

  abstract readonly type: 'counter' | 'histogram';
  protected abstract values(): readonly Value[];
}

/** A counter. */
export class Tally<Name extends string> extends Series<Name, { count: number }> {
  readonly type = 'counter';

  inc(labels: Labels<Name>): void {
    this.of(labels, () => ({ count: 0 })).count += 1;
  }

  protected override values(): readonly Value[] {
    return [...this.series.values()].map(({ labels, state }) => ({ labels, value: state.count }));
  }
}

/** A histogram. */
export class Distribution<Name extends string> extends Series<Name, { readonly counts: number[]; sum: number }> {
  readonly type = 'histogram';
  private readonly bounds: readonly number[];

  /** @param buckets the upper bounds, in ascending order; beyond the last is one more */
  constructor({ buckets, ...description }: Description<Name> & { readonly buckets: readonly number[] }) {
    super(description);
    this.bounds = [...buckets, Infinity];
  }

  observe(labels: Labels<Name>, value: number): void {
    const { bounds } = this;
    const state = this.of(labels, () => ({ counts: bounds.map(() => 0), sum: 0 }));
    let bucket = 0;
    while (value > bounds[bucket]!) bucket += 1;
    state.counts[bucket]! += 1;
    state.sum += value;
  }

  protected override values(): readonly Value[] {
    return [...this.series.values()].flatMap(({ labels, state: { counts, sum } }) => {
      let count = 0;
      const buckets = this.bounds.map((bound, index) => ({
        metricName: `${this.name}_bucket`,
        labels: { ...labels, le: bound === Infinity ? '+Inf' : bound },
        value: (count += counts[index]!),
      }));
      return [
        ...buckets,
        { metricName: `${this.name}_sum`, labels, value: sum },
        { metricName: `${this.name}_count`, labels, value: count },
      ];
    });
  }
}
