/** One window of load on one server. */
export interface Sample {
  readonly answers: number;
  readonly seconds: number;
  /** Time that the server was on a processor for these answers, in seconds. */
  readonly cpuSeconds: number;
  /** In ascending order, in milliseconds. */
  readonly latencies: readonly number[];
  /** The most that was resident meanwhile, in MB. */
  readonly residentMegabytes: number;
}

/** What a server came to over all rounds: medians of the rounds, and the most memory. */
export interface Figures {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
  readonly p50: number;
  readonly p99: number;
  readonly residentMegabytes: number;
}

export interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export const perSecond = ({ answers, seconds }: Sample): number => answers / seconds;
export const cpuMicroseconds = ({ answers, cpuSeconds }: Sample): number => (cpuSeconds * 1e6) / answers;

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('a median of nothing');
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The smallest value that at least this share of the values does not exceed (nearest rank). */
export function percentile(ascending: readonly number[], share: number): number {
  if (ascending.length === 0) throw new Error('a percentile of nothing');
  return ascending[Math.max(0, Math.ceil(share * ascending.length) - 1)]!;
}

export function figuresOf(samples: readonly Sample[]): Figures {
  const middle = (figure: (sample: Sample) => number): number => median(samples.map(figure));
  return {
    perSecond: middle(perSecond),
    cpuMicroseconds: middle(cpuMicroseconds),
    p50: middle(({ latencies }) => percentile(latencies, 0.5)),
    p99: middle(({ latencies }) => percentile(latencies, 0.99)),
    residentMegabytes: Math.max(...samples.map(({ residentMegabytes }) => residentMegabytes)),
  };
}

/**
 * How two servers compare, round by round: the two windows of a round are neighbours in time, so that what else the machine does
 * touches both.
 */
export function ratioOf(left: readonly Sample[], right: readonly Sample[], figure: (sample: Sample) => number): Ratio {
  if (left.length !== right.length) throw new Error('every server takes part in every round');
  const ratios = left.map((sample, round) => figure(sample) / figure(right[round]!));
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}
