import type { Sample } from './figures.js';
import type { LoadGenerator } from './load-generator.js';
import type { Job } from './load.js';
import type { MeasuredProcess } from './measured-process.js';

/** How often memory is looked at, in milliseconds. */
const memoryInterval = 100;

/** Loads one server for a while, and reads what it cost. */
export async function sampleOf(load: Pick<LoadGenerator, 'run'>, process: MeasuredProcess, job: Job): Promise<Sample> {
  let residentMegabytes = 0;
  const look = setInterval(() => (residentMegabytes = Math.max(residentMegabytes, process.residentMegabytes)), memoryInterval);
  try {
    const before = process.cpuSeconds;
    const { answers, seconds, latencies } = await load.run(job);
    return { answers, seconds, latencies, cpuSeconds: process.cpuSeconds - before, residentMegabytes };
  } finally {
    clearInterval(look);
  }
}

/** A B C A B C …: the samples of each, in the order of the rounds. */
export async function interleave<Item>(
  items: readonly Item[],
  rounds: number,
  sample: (item: Item, round: number) => Promise<Sample>,
): Promise<ReadonlyMap<Item, readonly Sample[]>> {
  const samples = new Map<Item, Sample[]>(items.map((item) => [item, []]));
  for (let round = 0; round < rounds; round++) for (const item of items) samples.get(item)!.push(await sample(item, round));
  return samples;
}
