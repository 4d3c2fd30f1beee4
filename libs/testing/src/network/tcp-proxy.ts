import { randomBytes } from 'node:crypto';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Transform, type TransformCallback } from 'node:stream';

/** What becomes of the bytes that the target sends. */
export type Spoiling =
  | { readonly kind: 'delay'; readonly milliseconds: number }
  | { readonly kind: 'throttle'; readonly bytesPerSecond: number }
  /** Half of the next piece arrives, then the connection is reset. */
  | { readonly kind: 'cutMidMessage' }
  /** As many bytes arrive, and none of them is right. */
  | { readonly kind: 'garbage' };

export interface TcpProxy {
  readonly host: string;
  /** Stays the same until `stop`, also through `refuse` and `restore`. */
  readonly port: number;
  /** Open connections of clients. */
  readonly connections: number;
  /** Connections accepted since the start. */
  readonly accepted: number;
  /** From now on accepts connections and holds back every byte, of the open connections too: the peer seems to hang. */
  blackHole(): void;
  /**
   * From now on accepts connections and loses every byte, of the open connections too, as a network that has forgotten them: these never
   * carry anything again, whatever follows.
   */
  loseBytes(): void;
  /** From now on new connections are refused; the open ones go on. */
  refuse(): void;
  /** From now on spoils what the target sends, on the open connections too. */
  spoil(how: Spoiling): void;
  /** Works normally again; bytes that were held back are delivered. */
  restore(): Promise<void>;
  /** Resets (RST) every open connection; new ones are accepted as before. */
  cut(): void;
  /** Resets every open connection and stops listening. */
  stop(): Promise<void>;
}

/**
 * A proxy on 127.0.0.1 that passes bytes on until a test tells it to fail in one of the ways a network fails.
 *
 * @param watch sees what clients send, as it is on the wire; connections are numbered from 1
 */
export async function startTcpProxy(
  target: { readonly host: string; readonly port: number },
  watch: (sent: Buffer, connection: number) => void = () => undefined,
): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let holding = false;
  let losing = false;
  let spoiling: Spoiling | undefined;
  let accepted = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const number = (accepted += 1);
    const pair = new Pair(
      client,
      target,
      () => spoiling,
      () => pairs.delete(pair),
      (sent) => watch(sent, number),
    );
    pairs.add(pair);
    if (losing) pair.lose();
    else if (!holding) pair.flow();
  });
  const port = await listen(server, 0);
  const cut = (): void => pairs.forEach((pair) => pair.reset());
  return {
    host: '127.0.0.1',
    port,
    get connections() {
      return pairs.size;
    },
    get accepted() {
      return accepted;
    },
    blackHole() {
      holding = true;
      for (const pair of pairs) pair.hold();
    },
    loseBytes() {
      losing = true;
      for (const pair of pairs) pair.lose();
    },
    refuse() {
      if (server.listening) server.close();
    },
    spoil(how) {
      spoiling = how;
    },
    async restore() {
      holding = false;
      losing = false;
      spoiling = undefined;
      for (const pair of pairs) pair.flow();
      if (!server.listening) await listen(server, port);
    },
    cut,
    async stop() {
      cut();
      if (!server.listening) return;
      const closed = new Promise((resolve) => server.once('close', resolve));
      server.close();
      await closed;
    },
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** A client's connection and the one to the target that belongs to it, opened at the first flow. */
class Pair {
  readonly #client: Socket;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #ended: () => void;
  readonly #spoiler: Transform;
  readonly #watch: (sent: Buffer) => void;
  #upstream: Socket | undefined;
  #isLost = false;

  constructor(
    client: Socket,
    target: { readonly host: string; readonly port: number },
    spoiling: () => Spoiling | undefined,
    ended: () => void,
    watch: (sent: Buffer) => void,
  ) {
    this.#client = client;
    this.#watch = watch;
    this.#target = target;
    this.#ended = ended;
    this.#spoiler = new Transform({
      transform: (chunk: Buffer, _encoding, done) => this.#spoil(chunk, spoiling(), done),
    });
    this.#guard(client);
  }

  flow(): void {
    if (this.#isLost) return;
    if (this.#upstream === undefined) {
      this.#upstream = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
      this.#guard(this.#upstream);
    }
    this.hold();
    this.#client.on('data', this.#watch).pipe(this.#upstream);
    this.#upstream.pipe(this.#spoiler).pipe(this.#client);
  }

  hold(): void {
    this.#client.off('data', this.#watch).unpipe();
    this.#upstream?.unpipe();
    this.#spoiler.unpipe();
  }

  lose(): void {
    this.#isLost = true;
    this.hold();
    for (const socket of [this.#client, this.#upstream]) socket?.resume();
  }

  reset(): void {
    for (const socket of [this.#client, this.#upstream]) if (socket && !socket.destroyed) socket.resetAndDestroy();
  }

  #spoil(chunk: Buffer, how: Spoiling | undefined, done: TransformCallback): void {
    switch (how?.kind) {
      case undefined:
        done(null, chunk);
        return;
      case 'delay':
        setTimeout(done, how.milliseconds, null, chunk);
        return;
      case 'throttle':
        this.#drip(chunk, how.bytesPerSecond, done);
        return;
      case 'garbage':
        done(null, randomBytes(chunk.length));
        return;
      case 'cutMidMessage':
        this.#client.write(chunk.subarray(0, Math.ceil(chunk.length / 2)), () => this.reset());
    }
  }

  /** A hundred pieces a second at most. */
  #drip(chunk: Buffer, bytesPerSecond: number, done: TransformCallback): void {
    const size = Math.max(1, Math.ceil(bytesPerSecond / 100));
    const piece = chunk.subarray(0, size);
    setTimeout(
      () => {
        this.#spoiler.push(piece);
        if (chunk.length > size) this.#drip(chunk.subarray(size), bytesPerSecond, done);
        else done();
      },
      (piece.length / bytesPerSecond) * 1_000,
    );
  }

  /** When what is still on its way has arrived. */
  #endClient(): void {
    if (this.#spoiler.readableEnded) this.#client.destroySoon();
    else this.#spoiler.once('end', () => this.#client.destroySoon()).end();
  }

  #guard(socket: Socket): void {
    let failed = false;
    socket.on('error', () => (failed = true));
    socket.once('close', () => {
      this.#ended();
      if (failed) this.reset();
      else if (socket === this.#client) this.#upstream?.destroySoon();
      else this.#endClient();
    });
  }
}
