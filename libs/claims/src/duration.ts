import { z } from 'zod';

const milliseconds = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A duration of configuration, `250ms`, `2s`, `5m`, `24h` or `7d`, as milliseconds. */
export const duration = z
  .string()
  .regex(/^\d{1,9}(ms|s|m|h|d)$/, { error: 'must be a duration such as 250ms, 2s, 5m, 24h or 7d' })
  .transform((text) => Number.parseInt(text, 10) * milliseconds[/[a-z]+$/.exec(text)![0] as keyof typeof milliseconds]);

/** A duration as configuration writes it, in the largest unit that has no remainder. */
export function durationText(value: number): string {
  const [unit, size] = Object.entries(milliseconds).findLast(([, each]) => value % each === 0 && value >= each) ?? ['ms', 1];
  return `${value / size}${unit}`;
}
