import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

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
  /** From now on new connections are refused; the open ones go on. */
  refuse(): void;
  /** Works normally again; bytes that were held back are delivered. */
  restore(): Promise<void>;
  /** Resets (RST) every open connection; new ones are accepted as before. */
  cut(): void;
  /** Resets every open connection and stops listening. */
  stop(): Promise<void>;
}

/** A proxy on 127.0.0.1 that passes bytes on until a test tells it to fail in one of the ways a network fails. */
export async function startTcpProxy(target: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let holding = false;
  let accepted = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    accepted += 1;
    const pair = new Pair(client, target, () => pairs.delete(pair));
    pairs.add(pair);
    if (!holding) pair.flow();
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
    refuse() {
      if (server.listening) server.close();
    },
    async restore() {
      holding = false;
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
  #upstream: Socket | undefined;

  constructor(client: Socket, target: { readonly host: string; readonly port: number }, ended: () => void) {
    this.#client = client;
    this.#target = target;
    this.#ended = ended;
    this.#watch(client);
  }

  flow(): void {
    if (this.#upstream === undefined) {
      this.#upstream = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
      this.#watch(this.#upstream);
    }
    this.hold();
    this.#client.pipe(this.#upstream);
    this.#upstream.pipe(this.#client);
  }

  hold(): void {
    this.#client.unpipe();
    this.#upstream?.unpipe();
  }

  reset(): void {
    for (const socket of [this.#client, this.#upstream]) if (socket && !socket.destroyed) socket.resetAndDestroy();
  }

  #watch(socket: Socket): void {
    let failed = false;
    socket.on('error', () => (failed = true));
    socket.once('close', () => {
      this.#ended();
      if (failed) this.reset();
      else for (const other of [this.#client, this.#upstream]) other?.destroySoon();
    });
  }
}
