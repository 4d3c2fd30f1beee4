import { spawn, type ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';

export interface GuardedProcessOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** What asks the program to end; it must then end by itself. */
  readonly stopSignal: 'INT' | 'TERM';
  /** Deleted with everything in it when the program has ended, however it ended. */
  readonly removeAfter: string;
  readonly user?: { readonly uid: number; readonly gid: number };
}

export interface ExitReport {
  readonly code: number | null;
  /** The end of what the program printed, at most 8,000 characters. */
  readonly output: string;
}

/**
 * The shell waits for the program; a second process reads our end of a pipe, which the kernel closes when we die, by whatever signal.
 * A background job's stdin would be /dev/null, so the pipe travels as descriptor 3, which the program itself does not inherit.
 */
const guard = `
signal=$1 folder=$2; shift 2
exec 3<&0 </dev/null
"$@" 3<&- & program=$!
( read -r _ <&3; kill -s "$signal" "$program" ) >/dev/null 2>&1 & watcher=$!
exec 3<&-
wait "$program"; status=$?
kill "$watcher" 2>/dev/null
rm -rf -- "$folder"
exit "$status"`;

const outputLimit = 8_000;
const killAfterMs = 10_000;

/**
 * A child process that never outlives this one: it is told to end when `stop` is called and also when this process dies, SIGKILL
 * included. It runs in a session of its own, so that a Ctrl-C in the terminal reaches only us. On Windows there is no such guard: the
 * program is a plain child, ended by `stop` and on an orderly exit.
 */
export class GuardedProcess {
  readonly exited: Promise<ExitReport>;
  readonly #child: ChildProcess;
  #output = '';
  #running = true;

  constructor(options: GuardedProcessOptions) {
    const { program, args, cwd, env, stopSignal, removeAfter, user } = options;
    const windows = process.platform === 'win32';
    const [file, ...rest] = windows
      ? [program, ...args]
      : ['/bin/sh', '-c', guard, 'guard', stopSignal, removeAfter, program, ...args];
    this.#child = spawn(file!, rest, { cwd, env, stdio: 'pipe', detached: !windows, ...user });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output = (this.#output + text).slice(-outputLimit)));
    }
    this.#child.stdin?.on('error', () => undefined);
    this.exited = new Promise((resolve) => {
      const ended = (code: number | null): void => {
        this.#running = false;
        this.#child.stdin?.destroy();
        void rm(removeAfter, { recursive: true, force: true, maxRetries: 3 })
          .catch(() => undefined)
          .then(() => resolve({ code, output: this.#output }));
      };
      this.#child.once('close', ended);
      this.#child.once('error', (error) => {
        this.#output += error.message;
        ended(null);
      });
    });
  }

  /** What it printed so far, at most the last 8,000 characters. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.#running;
  }

  /** Resolves when the program has ended and its folder is gone. A program that ignores its signal is killed after ten seconds. */
  async stop(): Promise<void> {
    if (this.#running) {
      this.#child.stdin?.destroy();
      if (process.platform === 'win32') this.#child.kill();
      const timer = setTimeout(() => this.#kill(), killAfterMs);
      await this.exited;
      clearTimeout(timer);
    }
    await this.exited;
  }

  #kill(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
    } catch {
      // it ended meanwhile
    }
  }
}
