import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

export interface ScriptedPostgres {
  readonly port: number;
  /** Open connections. */
  readonly connections: number;
  /** Connections accepted since the start. */
  readonly accepted: number;
  stop(): Promise<void>;
}

/**
 * What it says after the client's first piece, its second and so on, all in one piece; `end` closes the connection after that. Undefined:
 * nothing.
 */
export type PostgresScript = (piece: number, connection: number) => { readonly say: Buffer; readonly end?: true } | undefined;

/** A server on 127.0.0.1 that says to a PostgreSQL client what a spec gives it, whatever it is asked, and without TLS. */
export async function startScriptedPostgres(script: PostgresScript): Promise<ScriptedPostgres> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    const connection = (accepted += 1);
    let piece = 0;
    sockets.add(socket);
    socket
      .on('error', () => undefined)
      .on('close', () => sockets.delete(socket))
      .on('data', () => {
        const answer = script((piece += 1), connection);
        if (answer?.end) socket.end(answer.say);
        else if (answer) socket.write(answer.say);
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return sockets.size;
    },
    get accepted() {
      return accepted;
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** A message as a server frames it (PostgreSQL manual §54.1.1). */
export function serverMessage(type: string, body: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(5);
  header.write(type, 'latin1');
  header.writeUInt32BE(4 + body.length, 1);
  return Buffer.concat([header, body]);
}

/** AuthenticationOk, BackendKeyData and ReadyForQuery: the client is let in without a password. */
export const letIn = Buffer.concat([
  serverMessage('R', Buffer.alloc(4)),
  serverMessage('K', Buffer.alloc(8, 1)),
  serverMessage('Z', Buffer.from('I')),
]);

/** An error that ends the session. */
export function fatal(sqlState: string): Buffer {
  return serverMessage('E', Buffer.from(`SFATAL\0VFATAL\0C${sqlState}\0Mended\0\0`));
}
