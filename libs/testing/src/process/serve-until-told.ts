import { StartError } from './start-error.js';

export interface Served {
  /** Printed as one line of JSON, with `"ready":true` first. */
  readonly report: Readonly<Record<string, string | number>>;
  readonly stop: () => Promise<void>;
}

/**
 * The life of a server that runs as a child process: start, one line `{"ready":true,…}` on stdout, and an orderly end (exit code 0) on
 * SIGTERM, on SIGINT or when stdin closes, so that it never outlives its parent. A failure is told on stderr, exit code 1.
 */
export async function serveUntilTold(start: () => Promise<Served>): Promise<void> {
  const told = new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
    process.stdin.once('close', () => resolve()).once('end', () => resolve());
    process.stdin.on('error', () => resolve()).resume();
  });
  try {
    const { report, stop } = await start();
    process.stdout.on('error', () => undefined);
    process.stdout.write(`${JSON.stringify({ ready: true, ...report })}\n`);
    await told;
    await stop();
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(1);
  }
}

/** The value of a `--port` option: 0, as no option, means a free port. */
export function portOption(text = '0'): number {
  const port = Number(text);
  if (!/^[0-9]+$/.test(text) || port > 65_535) throw new StartError('start.input', '--port must be a number from 0 to 65535.');
  return port;
}

function messageOf(error: unknown): string {
  if (error instanceof StartError) return error.detail === '' ? error.message : `${error.message}\n${error.detail.trimEnd()}`;
  return error instanceof Error ? error.message : 'The server failed.';
}
