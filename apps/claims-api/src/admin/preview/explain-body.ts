import type { Explanation, Resolution } from '#claims';
import type { PreviewBody } from '../contract/preview.js';

type Explain = PreviewBody['explain'];

/** The account of a resolution as it goes out. The private details of outcomes stay here: they are for the log alone. */
export function explainBody({ lookups, explanation }: Resolution): Explain {
  return {
    lookups: (explanation?.lookups ?? lookups).map(lookupBody),
    claims: (explanation?.claims ?? []).map(({ claim, from, steps, result, why, when }) => ({
      claim,
      from,
      steps: steps.map(({ step, count, values }) => ({ step, count, ...(values && { values: [...values] }) })),
      result,
      ...(why && { why }),
      ...(when && { when }),
    })),
  };
}

function lookupBody(account: Explanation['lookups'][number]): Explain['lookups'][number] {
  const { alias, source, lookup, outcome, reason, ms, key, asked, age, lastKnownAge, fallback, degraded } = account;
  return {
    alias,
    use: `${source}.${lookup}`,
    outcome,
    ...(reason !== undefined && { reason }),
    ms: tenths(ms),
    ...(key && { key }),
    ...(asked && { asked: { ...asked } }),
    ...(age !== undefined && { ageMs: tenths(age) }),
    ...(lastKnownAge !== undefined && { lastKnownAgeMs: tenths(lastKnownAge) }),
    ...(fallback && { fallback: { use: `${fallback.source}.${fallback.lookup}`, outcome: fallback.outcome } }),
    degraded: degraded === true,
  };
}

const tenths = (ms: number): number => Math.round(ms * 10) / 10;
