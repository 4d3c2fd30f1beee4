/** Messages of RFC 4511 byte by byte, for what a client library does not send. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Server } from './servers.js';

export function tlv(tag: number, ...parts: readonly (Uint8Array | string)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const length = content.length < 0x80 ? [content.length] : [0x82, content.length >> 8, content.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const integer = (value: number, tag = 0x02): Buffer => tlv(tag, Buffer.from([value]));

export const message = (id: number, operation: Uint8Array): Buffer => tlv(0x30, integer(id), operation);

export const bindRequest = (dn: string, password: Uint8Array | string): Buffer =>
  tlv(0x60, integer(3), tlv(0x04, dn), tlv(0x80, password));

export const unbindRequest = tlv(0x42);

export const abandonRequest = (id: number): Buffer => integer(id, 0x50);

/** Of a subtree, for the attribute `cn`. `value` is compared as it is, whatever bytes it has. */
export const searchRequest = (base: string, attribute: string, value: Uint8Array | string): Buffer => {
  const filter = tlv(0xa3, tlv(0x04, attribute), tlv(0x04, value));
  const limits = [integer(2, 0x0a), integer(0, 0x0a), integer(0), integer(0), tlv(0x01, Buffer.from([0]))];
  return tlv(0x63, tlv(0x04, base), ...limits, filter, tlv(0x30, tlv(0x04, 'cn')));
};

export interface Received {
  readonly id: number;
  /** 0x61 bind, 0x64 entry, 0x65 done, 0x73 reference, 0x78 extended */
  readonly tag: number;
  readonly body: Buffer;
}

/** A connection in clear text that keeps what it received. */
export class RawConnection implements AsyncDisposable {
  readonly received: Received[] = [];
  closed = false;
  readonly #socket: Socket;
  #pending: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => (this.closed = true));
  }

  static async open(server: Server): Promise<RawConnection> {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port || 389), hostname);
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  send(...messages: readonly Uint8Array[]): void {
    this.#socket.write(Buffer.concat(messages));
  }

  /** The result code of the response to this message; undefined while there is none. */
  codeOf(id: number): number | undefined {
    return this.received.find((each) => each.id === id && each.tag !== 0x64 && each.tag !== 0x73)?.body[2];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.closed) return;
    this.#socket.destroy();
    await once(this.#socket, 'close');
  }

  #take(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (let whole = element(this.#pending); whole; whole = element(this.#pending)) {
      const id = element(whole.content)!;
      const operation = element(id.rest)!;
      this.received.push({ id: id.content.readUIntBE(0, id.content.length), tag: operation.tag, body: operation.content });
      this.#pending = whole.rest;
    }
  }
}

function element(bytes: Buffer): { readonly tag: number; readonly content: Buffer; readonly rest: Buffer } | undefined {
  if (bytes.length < 2) return undefined;
  const [tag = 0, first = 0] = bytes;
  const more = first < 0x80 ? 0 : first & 0x7f;
  if (bytes.length < 2 + more) return undefined;
  const length = more === 0 ? first : bytes.readUIntBE(2, more);
  const end = 2 + more + length;
  return bytes.length < end ? undefined : { tag, content: bytes.subarray(2 + more, end), rest: bytes.subarray(end) };
}
