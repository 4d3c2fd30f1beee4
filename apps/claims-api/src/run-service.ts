import 'reflect-metadata';
import { readConfiguration } from './config.js';
import { ConfigurationError } from './configuration/configuration-error.js';
import { Service } from './service.js';

async function serve(): Promise<void> {
  const service = await Service.start(await readConfiguration());
  let asked = false;
  const stop = (): void => {
    if (asked) process.exit(1);
    asked = true;
    service.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', () => void service.reload());
}

/** The service as a process: it runs until a signal ends it, and exits with 1 where it cannot start. */
export async function runService(): Promise<void> {
  await serve().catch((error: unknown) => {
    process.stderr.write(
      `${error instanceof ConfigurationError ? error.message : error instanceof Error ? (error.stack ?? error.message) : 'unknown error'}\n`,
    );
    process.exit(1);
  });
}
