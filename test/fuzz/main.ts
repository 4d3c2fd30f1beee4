// Generated inputs against the parsers, in this process, and against the service, over HTTP. CONTRIBUTING.md says how to run it.
import { parseArgs } from 'node:util';
import { startClaimsService } from '../conformance/events/claims-service.js';
import { collectable, fuzzHttp } from './http.js';
import { fuzzParse } from './parse.js';
import { growth, Violation, type Memory, type Progress } from './report.js';
import { parseTargets, serviceEvents } from './targets.js';

const { values } = parseArgs({
  options: {
    parse: { type: 'string', default: '1000000' },
    http: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});
const counts = { parse: Number(values.parse), http: Number(values.http) };
const seed = Number(values.seed);
if (![counts.parse, counts.http, seed].every((number) => Number.isSafeInteger(number) && number >= 0))
  throw new TypeError('--parse, --http and --seed are whole numbers');

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(0)} MB`;

/** Runs one part, prints what it did, and sees to its memory. */
async function run(name: string, part: (progress: Progress) => object | Promise<object>): Promise<void> {
  const tenths: Memory[] = [];
  const begun = performance.now();
  const figures = await part((done, memory) => {
    tenths.push(memory);
    say(`  ${done}: resident ${mebibytes(memory.resident)}, heap ${mebibytes(memory.heap)}`);
  });
  say(`${name}: ${JSON.stringify(figures)} in ${((performance.now() - begun) / 1_000).toFixed(1)} s`);
  const grown = growth(tenths);
  if (grown !== undefined) throw new Violation(`${name}: ${grown} (seed ${seed})`);
}

try {
  say(`seed ${seed}`);
  if (counts.parse > 0)
    for (const target of parseTargets)
      await run(target.name, (progress) => fuzzParse(target, Math.ceil(counts.parse * target.share), seed, progress));
  if (counts.http > 0) {
    await using service = await startClaimsService({ environment: collectable });
    await run('the service', (progress) => fuzzHttp(service, serviceEvents, counts.http, seed, progress));
  }
} catch (error) {
  process.stderr.write(`${error instanceof Violation ? error.message : String((error as Error).stack)}\n`);
  process.exitCode = 1;
}
