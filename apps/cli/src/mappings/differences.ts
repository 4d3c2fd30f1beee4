import type { Difference } from '../api/contract.js';
import { printable, type Output } from '../output.js';

/** A line for each thing that differs, and one for each of its parts: what it was and is. */
export function differenceLines(output: Output, differences: readonly Difference[]): readonly string[] {
  return differences.flatMap(({ kind, name, change, parts }) => {
    const what = printable(`${kind} ${name}`);
    if (change === 'added')
      return [output.good(`+ ${what}`), ...parts.map(({ part, after }) => `    ${part}: ${valueText(after)}`)];
    if (change === 'removed') return [output.bad(`- ${what}`)];
    return [`~ ${what}`, ...parts.map(({ part, before, after }) => `    ${part}: ${valueText(before)} → ${valueText(after)}`)];
  });
}

function valueText(value: unknown): string {
  return printable(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing'));
}
