import type { Difference } from '../api/contract.js';
import { printable, type Output } from '../output.js';

/** A line for each difference: what it concerns, and what it was and is. */
export function differenceLines(output: Output, differences: readonly Difference[]): readonly string[] {
  return differences.map(({ path, kind, before, after }) => {
    const where = printable(path.join('.'));
    if (kind === 'added') return output.good(`+ ${where}: ${valueText(after)}`);
    if (kind === 'removed') return output.bad(`- ${where}: ${valueText(before)}`);
    return `~ ${where}: ${valueText(before)} → ${valueText(after)}`;
  });
}

function valueText(value: unknown): string {
  return printable(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing'));
}
