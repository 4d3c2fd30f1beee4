import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import path from 'node:path';

const entry = path.resolve(import.meta.dirname, '../../dist/apps/claims-api/src/main.js');

/** As the start script and the image run it. */
export const serviceFlags = ['--max-semi-space-size=16'];

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The built service in a process of its own, as it runs in production. */
export class ServiceProcess {
  /** Every line that the service wrote on stdout, parsed. */
  readonly log: Readonly<Record<string, unknown>>[] = [];
  stderr = '';
  readonly exited: Promise<Exit>;
  private readonly child: ChildProcess;
  private readonly waiting = new Set<() => void>();

  constructor(configurationFile: string, environment: Readonly<Record<string, string>> = {}) {
    const child = spawn(process.execPath, [...serviceFlags, entry], {
      env: { ...process.env, CLAIMBRIDGE_CONFIG: configurationFile, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.log.push(JSON.parse(line) as Record<string, unknown>);
      for (const look of this.waiting) look();
    });
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        resolve({ code, signal });
        for (const look of this.waiting) look();
      });
    });
  }

  /** The first line after `from` for which `accept` holds; rejects when the service ends before it. */
  async line(accept: (line: Readonly<Record<string, unknown>>) => boolean, from = 0): Promise<Readonly<Record<string, unknown>>> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = this.log.slice(from).find((line) => accept(line));
        if (!found && this.child.exitCode === null && this.child.signalCode === null) return;
        this.waiting.delete(look);
        if (found) resolve(found);
        else reject(new Error(`The service ended: ${this.stderr}`));
      };
      this.waiting.add(look);
      look();
    });
  }

  /** The addresses of the doors, once they are open. */
  async listening(): Promise<{ readonly publicUrl: string; readonly managementUrl: string }> {
    const line = await this.line(({ msg }) => msg === 'listening');
    return { publicUrl: String(line['public']), managementUrl: String(line['management']) };
  }

  get pid(): number {
    return this.child.pid!;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async stop(): Promise<Exit> {
    this.child.kill('SIGTERM');
    return this.exited;
  }
}
