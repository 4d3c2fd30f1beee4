// Generated inputs against the parsers, in this process, and against the service, over HTTP. CONTRIBUTING.md says how to run it.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startClaimsService } from '../conformance/events/claims-service.js';
import { collectable, fuzzHttp } from './http.js';
import { fuzzParse } from './parse.js';
import { growth, Violation, type Memory, type Progress } from './report.js';
import { parseTargets, serviceEvents } from './targets.js';

const { values } = parseArgs({
  options: {
    parse: { type: 'string', default: '1000000' },
    differential: { type: 'string', default: '100000' },
    http: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});
const counts = { parse: Number(values.parse), differential: Number(values.differential), http: Number(values.http) };
const seed = Number(values.seed);
if (![...Object.values(counts), seed].every((number) => Number.isSafeInteger(number) && number >= 0))
  throw new TypeError('--parse, --differential, --http and --seed are whole numbers');

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

/** The library's own comparison of its compiled acceptor with class-validator, with as many bodies. */
function compare(runs: number): void {
  const root = path.resolve(import.meta.dirname, '../..');
  const { status } = spawnSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', 'libs/auth-events/src/wire/event-reader.spec.ts'],
    {
      cwd: root,
      env: { ...process.env, CLAIMBRIDGE_DIFFERENTIAL_RUNS: String(runs), CLAIMBRIDGE_DIFFERENTIAL_SEED: String(seed) },
      stdio: 'inherit',
    },
  );
  if (status !== 0) throw new Violation(`the compiled acceptor and class-validator differ (seed ${seed})`);
}

try {
  say(`seed ${seed}`);
  if (counts.parse > 0)
    for (const target of parseTargets)
      await run(target.name, (progress) => fuzzParse(target, Math.ceil(counts.parse * target.share), seed, progress));
  if (counts.differential > 0) compare(counts.differential);
  if (counts.http > 0) {
    await using service = await startClaimsService({ environment: collectable });
    await run('the service', (progress) => fuzzHttp(service, serviceEvents, counts.http, seed, progress));
  }
} catch (error) {
  process.stderr.write(`${error instanceof Violation ? error.message : String((error as Error).stack)}\n`);
  process.exitCode = 1;
}
