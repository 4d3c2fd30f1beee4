import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { GuardedProcess } from './guarded-process.js';

const env = { PATH: '/usr/bin:/bin' };

async function start(script: string, stopSignal: 'INT' | 'TERM' = 'TERM') {
  const folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-guard-'));
  const options = { program: '/bin/sh', args: ['-c', script], cwd: '/', env, stopSignal, removeAfter: folder };
  return { folder, guarded: new GuardedProcess(options) };
}

it('ends the program by its signal and removes the folder', async () => {
  const { folder, guarded } = await start('trap "echo told; exit 7" TERM; echo on; while :; do sleep 0.01; done');
  await expect.poll(() => guarded.output).toContain('on');
  await guarded.stop();
  expect(await guarded.exited).toEqual({ code: 7, output: 'on\ntold\n' });
  expect(guarded.running).toBe(false);
  expect(existsSync(folder)).toBe(false);
});

it('reports a program that ends by itself, with the end of what it printed', async () => {
  const { folder, guarded } = await start('head -c 9000 /dev/zero | tr "\\0" x; echo reason >&2; exit 3');
  const { code, output } = await guarded.exited;
  expect(code).toBe(3);
  expect(output).toHaveLength(8_000);
  expect(output).toContain('reason\n');
  expect(existsSync(folder)).toBe(false);
  await guarded.stop();
});

it('reports a program that does not exist', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-guard-'));
  const options = { args: [], cwd: '/', env, stopSignal: 'TERM', removeAfter: folder } as const;
  const { code, output } = await new GuardedProcess({ program: '/does/not/exist', ...options }).exited;
  expect(code).toBe(127);
  expect(output).toContain('/does/not/exist');
  expect(existsSync(folder)).toBe(false);
});
