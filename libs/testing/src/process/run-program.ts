import { spawn } from 'node:child_process';

export interface ProgramRun {
  /** Undefined where the program could not be run or was ended by a signal. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, with `input` on its stdin. It never rejects. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>>; readonly input?: string },
): Promise<ProgramRun> {
  const { input = '', cwd, env } = options;
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, env, stdio: 'pipe' });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    child.once('error', (error) => resolve({ code: undefined, stdout: '', stderr: error.message }));
    child.once('close', (code) => resolve({ code: code ?? undefined, ...output }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
