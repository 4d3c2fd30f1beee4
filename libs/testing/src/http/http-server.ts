import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import { selfSigned } from '../directory/self-signed.js';

export interface ReceivedRequest {
  readonly method: string;
  /** Path and query as they came, percent-encoded. */
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Whether the client has shown a certificate of `clientAuthority`. */
  readonly clientAuthorized: boolean;
}

export interface HttpAnswer {
  /** 200 by default. */
  readonly status?: number;
  /** `content-type: application/json` by default. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Text or bytes as they are, pieces one after the other, anything else as JSON. */
  readonly body?: unknown;
}

/** `cut`: the connection is reset instead of an answer. */
export type HttpResponder = (request: ReceivedRequest) => HttpAnswer | 'cut' | Promise<HttpAnswer | 'cut'>;

export interface HttpServerOptions {
  /** Serves https for 127.0.0.1 and localhost, with a certificate that is its own authority. */
  readonly tls?: boolean;
  /** PEM. With `tls`: clients without a certificate of this authority are not let in. */
  readonly clientAuthority?: string;
}

export interface RunningHttpServer {
  readonly host: string;
  readonly port: number;
  /** Without a slash at the end. */
  readonly url: string;
  /** The authority of an https server, PEM; '' without `tls`. */
  readonly certificate: string;
  /** Every request so far. */
  readonly requests: readonly ReceivedRequest[];
  /** From now on answers so. */
  respond(responder: HttpResponder): void;
  /** Ends every connection too. */
  stop(): Promise<void>;
}

/** A server on 127.0.0.1 that answers what a test says, and keeps what it was asked. */
export async function startHttpServer(responder: HttpResponder, options: HttpServerOptions = {}): Promise<RunningHttpServer> {
  let respond = responder;
  const requests: ReceivedRequest[] = [];
  const listener: RequestListener = (request, response) => {
    const answer = async (): Promise<void> => {
      const received = await receive(request);
      requests.push(received);
      await send(response, await respond(received));
    };
    void answer().catch(() => response.socket?.resetAndDestroy());
  };
  const pem = options.tls ? await selfSigned() : undefined;
  const { clientAuthority } = options;
  const server = pem
    ? createTlsServer(
        { ...pem, ...(clientAuthority && { ca: clientAuthority, requestCert: true, rejectUnauthorized: true }) },
        listener,
      )
    : createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    host: '127.0.0.1',
    port,
    url: `${pem ? 'https' : 'http'}://127.0.0.1:${port}`,
    certificate: pem?.cert ?? '',
    requests,
    respond: (next) => {
      respond = next;
    },
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function receive(request: IncomingMessage): Promise<ReceivedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return {
    method: request.method!,
    target: request.url!,
    headers: request.headers,
    body: Buffer.concat(chunks).toString('utf8'),
    clientAuthorized: (request.socket as Partial<TLSSocket>).authorized === true,
  };
}

async function send(response: ServerResponse, answer: HttpAnswer | 'cut'): Promise<void> {
  if (answer === 'cut') {
    response.socket?.resetAndDestroy();
    return;
  }
  const { status = 200, headers = {}, body } = answer;
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  // A client that goes away ends the pieces.
  if (isPieces(body)) await pipeline(body, response).catch(() => undefined);
  else response.end(typeof body === 'string' || body instanceof Uint8Array ? body : (JSON.stringify(body) ?? ''));
}

function isPieces(body: unknown): body is AsyncIterable<string | Uint8Array> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}
