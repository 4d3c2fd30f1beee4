import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { endLeftBehind, markRun } from './left-behind.mjs';

/** Starts a process of nobody. @returns its id */
async function orphan(seconds: number): Promise<number> {
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', `sleep ${seconds} >/dev/null 2>&1 & echo $!`]);
  return Number(stdout);
}

/** Whether a process runs; one that has ended but that nobody waits for does not. */
async function runs(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return !stat.slice(stat.lastIndexOf(')')).startsWith(') Z');
}

describe.runIf(process.platform === 'linux')('endLeftBehind', () => {
  const mark = process.env['CLAIMBRIDGE_TEST_RUN'];
  afterEach(() => void (process.env['CLAIMBRIDGE_TEST_RUN'] = mark));

  it('names and ends what is left of the run', async () => {
    markRun();
    const left = await orphan(61);
    expect(await runs(left)).toBe(true);
    expect(await endLeftBehind()).toEqual(['sleep 61']);
    await expect.poll(() => runs(left)).toBe(false);
  });

  it('leaves alone what does not belong to the run', async () => {
    const other = await orphan(62);
    markRun();
    expect(await endLeftBehind()).toEqual([]);
    expect(await runs(other)).toBe(true);
    process.kill(other);
  });
});
