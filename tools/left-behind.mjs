import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const mark = 'CLAIMBRIDGE_TEST_RUN';
/** Time in which what was told to end may do so. */
const patienceMs = 5_000;

/** Marks the environment of this process, and so of whatever is started from now on. */
export function markRun() {
  process.env[mark] = randomUUID();
}

/**
 * Ends what the tests of this run left running: it would hold the output of the run open, and whoever waits for the end of that output
 * would wait for ever. Nothing is found where there is no /proc, nor a program with an environment of its own, which `GuardedProcess`
 * ends together with whoever started it.
 *
 * @returns the command lines
 */
export async function endLeftBehind() {
  const until = Date.now() + patienceMs;
  let left = await leftBehind();
  while (left.length > 0 && Date.now() < until) {
    await sleep(100);
    left = await leftBehind();
  }
  for (const { pid } of left) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it ended meanwhile
    }
  }
  return left.map(({ command }) => command);
}

/** The processes of this run, but for the workers that the runner itself started and ends. */
async function leftBehind() {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const read = (file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
      const environment = (await read('environ')).split('\0');
      if (!environment.includes(`${mark}=${process.env[mark]}`)) return [];
      const parent = /^PPid:\s*(\d+)/m.exec(await read('status'))?.[1];
      if (parent === undefined || Number(parent) === process.pid) return [];
      return [{ pid: Number(pid), command: (await read('cmdline')).replaceAll('\0', ' ').trim() }];
    }),
  );
  return found.flat();
}
