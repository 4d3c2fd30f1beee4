import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The root of the build: this file is dist/apps/demo/src/part.js. */
const build = new URL('../../../', import.meta.url);

export interface PartOptions {
  readonly name: string;
  /** The entry, below the root of the build. */
  readonly entry: string;
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Everything the part prints is kept here. */
  readonly log: string;
}

/** One process of the demonstration, started by its public entry. */
export class Part {
  private readonly ended: Promise<string>;

  private constructor(
    private readonly name: string,
    private readonly child: ChildProcess,
    private readonly log: WriteStream,
    private readonly lines: AsyncIterableIterator<string>,
  ) {
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
  }

  static start({ name, entry, args = [], environment = {}, log }: PartOptions): Part {
    const child = spawn(process.execPath, ['--enable-source-maps', fileURLToPath(new URL(entry, build)), ...args], {
      env: { ...process.env, ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
      // Ctrl-C reaches this process alone, which stops the parts in their order.
      detached: true,
    });
    const file = createWriteStream(log, { mode: 0o600 });
    child.stderr.pipe(file, { end: false });
    child.stdout.pipe(file, { end: false });
    child.stdin.on('error', () => undefined);
    return new Part(name, child, file, createInterface({ input: child.stdout })[Symbol.asyncIterator]());
  }

  /** The first line of JSON that the part prints for which `accept` answers something. Rejects where the part ends first. */
  async announced<Announcement>(
    accept: (line: Readonly<Record<string, unknown>>) => Announcement | undefined,
  ): Promise<Announcement> {
    const search = async (): Promise<Announcement> => {
      for (;;) {
        const { value, done } = await this.lines.next();
        if (done) return this.failed(await this.ended);
        const announcement = accept(parseLine(value));
        if (announcement !== undefined) {
          void this.drain();
          return announcement;
        }
      }
    };
    return Promise.race([search(), this.ended.then((how) => this.failed(how))]);
  }

  /** Resolves when the part has ended well. */
  async finished(): Promise<void> {
    void this.drain();
    const how = await this.ended;
    this.log.end();
    if (how !== 'exit code 0') this.failed(how);
  }

  /** Rejects when the part ends; until `stop` it should not. */
  async watch(): Promise<never> {
    return this.failed(await this.ended);
  }

  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    this.child.stdin?.end();
    await this.ended;
    this.log.end();
  }

  private async drain(): Promise<void> {
    while (!(await this.lines.next()).done);
  }

  private failed(how: string): never {
    throw new Error(`${this.name} ended: ${how}; what it printed is in ${String(this.log.path)}`);
  }
}

function parseLine(line: string): Readonly<Record<string, unknown>> {
  try {
    const content: unknown = JSON.parse(line);
    return typeof content === 'object' && content !== null ? (content as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
