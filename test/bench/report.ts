import Table from 'cli-table3';
import { budgets, isWithin, ratioNames, type RatioName } from './budgets.js';
import { candidateNames, descriptions, mappings, type Candidate, type CandidateName } from './candidates.js';
import type { Figures, Ratio } from './figures.js';
import type { HangingSource } from './hanging-source.js';

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const made = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
    style: { head: [], border: [] },
  });
  for (const row of rows) made.push([...row]);
  return made.toString();
};

/** The servers, in the order of the rounds. */
export function reportServers(candidates: readonly Candidate[], figures: (name: CandidateName) => Figures): string {
  const head = ['server', 'requests/s', 'CPU µs/request', 'p50 ms', 'p99 ms', 'RSS MB', 'ready ms'];
  const rows = candidateNames.map((name) => {
    const { perSecond, cpuMicroseconds, p50, p99, residentMegabytes } = figures(name);
    const ready = candidates.find((candidate) => candidate.name === name)!.readyMilliseconds;
    return [
      `${name}: ${descriptions[name]}`,
      perSecond.toFixed(0),
      cpuMicroseconds.toFixed(0),
      p50.toFixed(1),
      p99.toFixed(1),
      residentMegabytes.toFixed(0),
      ready.toFixed(0),
    ];
  });
  return `${table(head, rows)}\nClaimbridge has ${mappings} mappings loaded. Medians of the rounds; RSS is the most that was seen.\n`;
}

export function reportRatios(ratios: Readonly<Record<RatioName, Ratio>>): string {
  const rows = ratioNames.map((name) => {
    const { median, least, most } = ratios[name];
    const { bound, text } = budgets[name];
    return [
      text,
      median.toFixed(2),
      `${least.toFixed(2)} to ${most.toFixed(2)}`,
      `${bound.kind === 'atMost' ? '≤' : '≥'} ${bound.value.toFixed(2)}`,
      isWithin(name, ratios[name]) ? 'met' : 'missed',
    ];
  });
  return table(['ratio, round by round', 'median', 'spread', 'budget', ''], rows);
}

export function reportHanging({ throughput, p99, slowest, deadline, answers }: HangingSource): string {
  return (
    `\nOne of two sources hangs: unaffected applications at ${throughput.toFixed(2)} × their throughput (budget ≥ 0.95);\n` +
    `${answers} answers that wait for it: p99 ${p99.toFixed(0)} ms, slowest ${slowest.toFixed(0)} ms, deadline ${deadline} ms (budget: 50 ms more).`
  );
}
