// Compares the service with a bare server, with the usual choices and with the least that is possible, all in one run.
// docs/reference/performance.md says how it measures and how to read it.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { startBackEnds, type BackEnds } from './back-ends.js';
import { ratiosOf } from './budgets.js';
import { isService, startCandidates, type Candidate } from './candidates.js';
import { figuresOf, type Sample } from './figures.js';
import { measureHangingSource } from './hanging-source.js';
import { LoadGenerator, WrongAnswer } from './load-generator.js';
import { profileService } from './profile.js';
import { reportHanging, reportRatios, reportServers } from './report.js';
import { interleave, sampleOf } from './rounds.js';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    connections: { type: 'string', default: '32' },
    seconds: { type: 'string' },
    profile: { type: 'boolean', default: false },
  },
});
const whole = (name: string, text: string): number => {
  if (!/^[1-9][0-9]{0,3}$/.test(text)) throw new TypeError(`--${name} must be a whole number from 1 to 9999`);
  return Number(text);
};
const rounds = whole('rounds', values.rounds ?? (values.quick ? '3' : '9'));
const seconds = values.seconds === undefined ? (values.quick ? 1.5 : 3) : whole('seconds', values.seconds);
/** V8 compiles for a long time what is as large as the service, and longer on a machine that does other things too. */
const warmUp = values.quick ? { service: 5, server: 2 } : { service: 20, server: 5 };
const connections = whole('connections', values.connections);
const people = 5_000;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** The core of the servers, and those of everything else. One core is shared by all, and said so. */
function pin(): number | undefined {
  const [, list = ''] = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  const cores = list.split(',').flatMap((range) => {
    const [from, to = from] = range.split('-').map(Number);
    return Array.from({ length: to! - from! + 1 }, (_, index) => from! + index);
  });
  const [first, ...others] = cores;
  try {
    if (others.length === 0) throw new Error('one core');
    execFileSync('taskset', ['--all-tasks', '--pid', '--cpu-list', others.join(','), String(process.pid)], { stdio: 'ignore' });
    say(
      `Servers on core ${first}; directory, database and load on ${others.length === 1 ? `core ${others[0]}` : `cores ${others.join(', ')}`}.`,
    );
    return first;
  } catch {
    say('There is no taskset, or only one core: servers and load share what there is, and throughput says little.');
    return undefined;
  }
}

async function measure(stack: AsyncDisposableStack): Promise<void> {
  const core = pin();
  const backEnds: BackEnds = stack.use(await startBackEnds(people));
  if (backEnds.engine !== 'slapd')
    say(`slapd is not installed (apt-get install slapd): ${backEnds.engine} answers instead, and is slower.`);
  const load = stack.use(new LoadGenerator());
  if (values.profile) return profileService({ backEnds, load, core, connections, seconds, say });
  const candidates = await startCandidates(backEnds, core, stack);
  const { authorization, exchangesFile: exchanges } = backEnds;
  say(
    `${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}; ${people} people, ${backEnds.engine}, PostgreSQL; ` +
      `${connections} connections, ${rounds} rounds of ${seconds} s each; load average ${loadavg()[0]!.toFixed(1)}.\n`,
  );
  const run = ({ process: server, url }: Candidate, time: number): Promise<Sample> =>
    sampleOf(load, server, { url, authorization, seconds: time, connections, exchanges });
  for (const candidate of candidates) await run(candidate, isService(candidate.name) ? warmUp.service : warmUp.server);
  const samples = await interleave(candidates, rounds, (candidate) => run(candidate, seconds));
  const of = (name: Candidate['name']): readonly Sample[] => samples.get(candidates.find((each) => each.name === name)!)!;
  const ratios = ratiosOf(of);
  say(reportServers(candidates, (name) => figuresOf(of(name))));
  say(reportRatios(ratios));
  const hanging = await measureHangingSource({ backEnds, load, core, connections, rounds: values.quick ? 1 : 3, seconds });
  say(reportHanging(hanging));
  if (values.json)
    say(
      JSON.stringify({ ratios: Object.fromEntries(Object.entries(ratios).map(([name, { median }]) => [name, round(median)])) }),
    );
}

const round = (value: number): number => Math.round(value * 1_000) / 1_000;

if (process.platform !== 'linux') throw new Error('The bench reads what a process costs from /proc: Linux only.');
const stack = new AsyncDisposableStack();
const interrupted = new Promise<never>((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => reject(new Interrupted()));
});
class Interrupted extends Error {}
try {
  await Promise.race([measure(stack), interrupted]);
} catch (error) {
  process.exitCode = error instanceof Interrupted ? 130 : 1;
  if (error instanceof WrongAnswer) process.stderr.write(`${error.message}\n`);
  else if (!(error instanceof Interrupted)) process.stderr.write(`${String((error as Error).stack)}\n`);
} finally {
  await stack.disposeAsync();
  // What was being started when a signal came is not in the stack; it ends with this process.
  process.exit();
}
