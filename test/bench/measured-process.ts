import { spawn, type ChildProcess } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** Ends the process when its parent is gone, whichever way: its stdin closes then. */
const endWithParent = 'data:text/javascript,process.stdin.on("close",()=>process.exit()).resume();';

export interface ProcessOptions {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The core it runs on; any without. */
  readonly core: number | undefined;
  /** Where its stdout goes; without, the first line is waited for by `firstLine`. */
  readonly stdout?: string;
}

/** A server in a process of its own whose cost can be read at any moment (Linux: proc(5)). */
export class MeasuredProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #stderr = '';

  constructor({ args, env, core, stdout }: ProcessOptions) {
    const node = [process.execPath, '--import', endWithParent, ...args];
    const [file, ...rest] = core === undefined ? node : ['taskset', '--cpu-list', String(core), ...node];
    this.#child = spawn(file!, rest, {
      env: { ...process.env, ...env },
      stdio: ['pipe', stdout === undefined ? 'pipe' : openSync(stdout, 'a'), 'pipe'],
    });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.#stderr = (this.#stderr + text).slice(-8_000)));
    this.#child.stdin!.on('error', () => undefined);
    this.#exited = new Promise((resolve) => this.#child.once('close', () => resolve()));
  }

  /** The first line on stdout, as JSON. Rejects where the process ends before it. */
  async firstLine(): Promise<Readonly<Record<string, unknown>>> {
    const line = new Promise<string>((resolve) => createInterface({ input: this.#child.stdout! }).once('line', resolve));
    return JSON.parse(await Promise.race([line, this.#failed()])) as Readonly<Record<string, unknown>>;
  }

  /** Answers when the URL answers 200. Rejects where the process ends before it. */
  async untilReady(url: string): Promise<void> {
    const ready = async (): Promise<void> => {
      const answers = (): Promise<boolean> =>
        fetch(url).then(
          ({ status }) => status === 200,
          () => false,
        );
      while (!(await answers())) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await Promise.race([ready(), this.#failed()]);
  }

  /** Time on a processor since the start, of all its threads, in seconds. */
  get cpuSeconds(): number {
    const [, fields] = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8').split(') ');
    const [user, system] = fields!.split(' ').slice(11, 13);
    return (Number(user) + Number(system)) / ticksPerSecond;
  }

  /** Memory that is resident now, in MB (2^20 bytes); 0 where it has ended. */
  get residentMegabytes(): number {
    try {
      const [, kilobytes = 0] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')) ?? [];
      return Number(kilobytes) / 1_024;
    } catch {
      return 0;
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Lets it end by itself, with what it writes at its end. */
  async stop(): Promise<void> {
    this.signal('SIGTERM');
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async #failed(): Promise<never> {
    await this.#exited;
    throw new Error(`A server ended: ${this.#stderr}`);
  }
}

/** USER_HZ, which is 100 on every architecture that Node runs on. */
const ticksPerSecond = 100;
