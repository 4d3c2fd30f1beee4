import { createServer, type AddressInfo } from 'node:net';
import { StartError } from '../process/start-error.js';

/** A TCP port of 127.0.0.1 that was free a moment ago; another process may take it before the caller does. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

const attempts = 3;

/**
 * Starts a server on `port`, or without one on a free port, another one where it was lost to someone else meanwhile. `start` rejects
 * with a StartError `start.port` where the port is taken.
 */
export async function onPort<Running>(port: number | undefined, start: (port: number) => Promise<Running>): Promise<Running> {
  if (port !== undefined) return start(port);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (!(error instanceof StartError && error.code === 'start.port') || attempt === attempts) throw error;
    }
  }
}
