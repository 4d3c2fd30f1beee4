import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const mark = 'CLAIMBRIDGE_TEST_RUN';
/** Time in which what was told to end may do so. */
const patienceMs = 5_000;

/**
 * Fails a run whose tests leave a process running, and kills it: it would hold the output of the run open, and whoever waits for the
 * end of that output would wait for ever. It knows them by a mark in their environment, and finds nothing where there is no /proc.
 */
export default class LeftBehindReporter {
  onInit() {
    process.env[mark] = randomUUID();
  }

  async onTestRunEnd() {
    const until = Date.now() + patienceMs;
    let left = await leftBehind();
    while (left.length > 0 && Date.now() < until) {
      await sleep(100);
      left = await leftBehind();
    }
    if (left.length > 0) process.exitCode = 1;
    for (const { pid, command } of left) {
      process.stderr.write(`\nThe tests left this running: ${command}\n`);
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // it ended meanwhile
      }
    }
  }
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
