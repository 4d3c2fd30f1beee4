import type { Duplex } from 'node:stream';
import pg from 'pg';
import { Parser } from 'pg-protocol/dist/parser.js';
import { MessageFrames, ProtocolError } from './message-frames.js';

/** The driver's connection, of which no message that a server may send ends the process or keeps it from its work. */
export class PostgresConnection extends pg.Connection {
  /**
   * In place of the driver's method, which parses in the stream's listener: what is thrown there has nobody to catch it. Here it ends
   * the connection. The parser is handed one whole message at a time, since it reads on behind the end of one.
   */
  attachListeners(this: pg.Connection, stream: Duplex): void {
    const frames = new MessageFrames();
    const parser = new Parser();
    const tell = (message: { readonly name: string }): void =>
      void this.emit(message.name === 'error' ? 'errorMessage' : message.name, message);
    stream.on('data', (chunk: Buffer) => {
      try {
        for (const message of frames.push(chunk)) {
          if (stream.destroyed) return;
          parser.parse(message, tell);
        }
      } catch (error) {
        stream.destroy(error instanceof ProtocolError ? error : new ProtocolError(String(error), { cause: error }));
      }
    });
  }
}
