import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1, 1.5, 2];

/**
 * The service's metrics in Prometheus' format; docs/reference/metrics.md describes each. Labels are names of configuration and
 * stable codes only: never a person, a value, or an id that a caller chose.
 */
export class Metrics {
  readonly registry = new Registry();

  readonly events = new Counter({
    name: 'claimbridge_events_total',
    help: 'Requests to the event endpoint, by how they were answered; code is empty where claims were provided.',
    labelNames: ['tenant', 'mapping', 'status', 'code'] as const,
    registers: [this.registry],
  });

  readonly eventSeconds = new Histogram({
    name: 'claimbridge_event_duration_seconds',
    help: 'From receiving an event to its answer.',
    labelNames: ['status'] as const,
    buckets: seconds,
    registers: [this.registry],
  });

  readonly authentications = new Counter({
    name: 'claimbridge_authentications_total',
    help: 'Authentications of callers, by door and verdict; a refusal by its code.',
    labelNames: ['door', 'verdict'] as const,
    registers: [this.registry],
  });

  readonly previews = new Counter({
    name: 'claimbridge_previews_total',
    help: 'Previews by operators, by what a sign-in would have got.',
    labelNames: ['tenant', 'answer'] as const,
    registers: [this.registry],
  });

  readonly acceptorDisagreements = new Counter({
    name: 'claimbridge_acceptor_disagreements_total',
    help: 'Events on which the compiled acceptor and class-validator differed; class-validator had the last word.',
    labelNames: ['event', 'difference'] as const,
    registers: [this.registry],
  });

  readonly lookups = new Counter({
    name: 'claimbridge_lookups_total',
    help: 'Lookups that a source was asked for, by outcome.',
    labelNames: ['source', 'lookup', 'outcome', 'reason'] as const,
    registers: [this.registry],
  });

  readonly answers = new Counter({
    name: 'claimbridge_lookup_answers_total',
    help: 'Answers to lookups, by how they were come by.',
    labelNames: ['source', 'lookup', 'use'] as const,
    registers: [this.registry],
  });

  readonly lookupSeconds = new Histogram({
    name: 'claimbridge_lookup_duration_seconds',
    help: 'Time that a source took to answer a lookup.',
    labelNames: ['source', 'lookup'] as const,
    buckets: seconds,
    registers: [this.registry],
  });

  readonly claimDeviations = new Counter({
    name: 'claimbridge_claim_deviations_total',
    help: 'Claims that an answer lacked or had by default, and why.',
    labelNames: ['tenant', 'mapping', 'claim', 'why', 'treatment'] as const,
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** A value that is read when the metrics are. Each entry of `read` is one time series. */
  gauge<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    read: () => Iterable<readonly [labels: Readonly<Record<Label, string>>, value: number]>,
  ): void {
    const gauge = new Gauge<Label>({
      name,
      help,
      labelNames,
      registers: [],
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.set(labels, value);
      },
    });
    this.registry.registerMetric(gauge);
  }
}
