import { spawn, type ChildProcess } from 'node:child_process';
import { nodeArgsFor } from './source-runner.js';

export interface ChildServer {
  readonly process: ChildProcess;
  /** The first line on stdout, as JSON; rejects with what was on stderr where the process ends without one. */
  readonly ready: Promise<Readonly<Record<string, unknown>>>;
  readonly exited: Promise<{ readonly code: number | null; readonly stderr: string }>;
}

/** Runs a `main.ts` of this library the way the demo runs the built one: a child with an open stdin. */
export function startChildServer(
  file: string,
  args: readonly string[],
  options: { readonly uid?: number; readonly gid?: number; readonly env?: NodeJS.ProcessEnv } = {},
): ChildServer {
  const child = spawn(process.execPath, [...nodeArgsFor(file), ...args], { stdio: 'pipe', env: process.env, ...options });
  let stdout = '';
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const exited = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, stderr }));
  });
  const ready = new Promise<Readonly<Record<string, unknown>>>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const [line, rest] = stdout.split('\n');
      if (rest !== undefined) resolve(JSON.parse(line!) as Readonly<Record<string, unknown>>);
    });
    void exited.then((exit) => reject(new Error(`ended with ${exit.code}: ${exit.stderr}`)));
  });
  ready.catch(() => undefined);
  return { process: child, ready, exited };
}
