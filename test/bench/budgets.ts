import { cpuMicroseconds, perSecond, ratioOf, type Ratio, type Sample } from './figures.js';
import type { CandidateName } from './candidates.js';

export type RatioName = 'coldCpuVsBare' | 'throughputVsDefaults' | 'warmCpuVsFloor';

/** What is promised: a ratio of two servers in the same rounds, and its bound. */
export const budgets: Readonly<
  Record<
    RatioName,
    {
      readonly of: readonly [CandidateName, CandidateName];
      readonly figure: (sample: Sample) => number;
      readonly bound: { readonly kind: 'atMost' | 'atLeast'; readonly value: number };
      readonly text: string;
    }
  >
> = {
  coldCpuVsBare: {
    of: ['cold', 'bare'],
    figure: cpuMicroseconds,
    bound: { kind: 'atMost', value: 1.5 },
    text: 'CPU per request, nothing cached, against bare',
  },
  throughputVsDefaults: {
    of: ['cold', 'defaults'],
    figure: perSecond,
    bound: { kind: 'atLeast', value: 3 },
    text: 'requests a second, nothing cached, against the defaults',
  },
  warmCpuVsFloor: {
    of: ['warm', 'floor'],
    figure: cpuMicroseconds,
    bound: { kind: 'atMost', value: 2 },
    text: 'CPU per request, all cached, against the floor',
  },
};

export const ratioNames = Object.keys(budgets) as readonly RatioName[];

export function ratiosOf(samples: (name: CandidateName) => readonly Sample[]): Readonly<Record<RatioName, Ratio>> {
  return Object.fromEntries(
    ratioNames.map((name) => {
      const { of, figure } = budgets[name];
      return [name, ratioOf(samples(of[0]), samples(of[1]), figure)];
    }),
  ) as Record<RatioName, Ratio>;
}

export function isWithin(name: RatioName, { median }: Ratio): boolean {
  const { kind, value } = budgets[name].bound;
  return kind === 'atMost' ? median <= value : median >= value;
}
