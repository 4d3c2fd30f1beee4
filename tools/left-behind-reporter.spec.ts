import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import LeftBehindReporter from './left-behind-reporter.mjs';

const run = promisify(execFile);
/** Whether a process runs; one that has ended but that nobody waits for does not. */
async function runs(pid: string): Promise<boolean> {
  const { stdout: state } = await run('ps', ['-o', 'stat=', '-p', pid]).catch(() => ({ stdout: 'Z' }));
  return !state.startsWith('Z');
}

describe.runIf(process.platform === 'linux')('LeftBehindReporter', () => {
  const mark = process.env['CLAIMBRIDGE_TEST_RUN'];
  beforeEach(() => vi.spyOn(process.stderr, 'write').mockReturnValue(true));
  afterEach(() => {
    process.env['CLAIMBRIDGE_TEST_RUN'] = mark;
    process.exitCode = undefined;
    vi.restoreAllMocks();
  });

  it('fails the run, and names and ends what is left of it', async () => {
    const reporter = new LeftBehindReporter();
    reporter.onInit();
    const { stdout: left } = await run('/bin/sh', ['-c', 'sleep 61 >/dev/null 2>&1 & echo $!']);
    await reporter.onTestRunEnd();
    expect(process.exitCode).toBe(1);
    expect(process.stderr.write).toHaveBeenCalledExactlyOnceWith('\nThe tests left this running: sleep 61\n');
    await expect.poll(() => runs(left.trim())).toBe(false);
  });

  it('leaves alone what does not belong to the run', async () => {
    const { stdout: other } = await run('/bin/sh', ['-c', 'sleep 62 >/dev/null 2>&1 & echo $!']);
    const reporter = new LeftBehindReporter();
    reporter.onInit();
    await reporter.onTestRunEnd();
    expect(process.exitCode).toBeUndefined();
    expect(await runs(other.trim())).toBe(true);
    process.kill(Number(other));
  });
});
