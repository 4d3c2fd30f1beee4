import { isIP, type Socket } from 'node:net';
import type { Secrets, UnavailableReason } from '#claims';
import { Agent, buildConnector, errors, request, type Dispatcher } from 'undici';
import { settleOn } from '../settle-on.js';
import { addressRefused, refusal, type AddressPolicy } from './address-policy.js';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export type HttpAnswer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly contentType: string | undefined;
      /** Empty unless the status is one that was wanted. */
      readonly body: Uint8Array;
    }
  | { readonly kind: 'aborted' }
  | HttpFailure;

export interface HttpFailure {
  readonly kind: 'failed';
  readonly reason: UnavailableReason;
  /** A code; never a text of the server. */
  readonly detail: string;
  /** Whether an open connection ended before the answer did; whether the server did the work is unknown. */
  readonly lost: boolean;
}

/** By which files TLS is done; all PEM, named by reference and read again for every connection. */
export interface TlsFiles {
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  readonly servername?: string | undefined;
}

export interface HttpClientOptions {
  /** Connections open at the same time. */
  readonly connections: number;
  /** For opening one, in milliseconds. */
  readonly connectTimeout: number;
  /** The longest answer, in bytes. */
  readonly maximumBytes: number;
  readonly tls: TlsFiles;
  readonly addresses: AddressPolicy;
  readonly secrets: Secrets;
}

/** Longer than the service's probes are apart, so that they keep connections alive; a server that says less is obeyed. */
const keepAlive = 60_000;

/** What is read of an answer that nobody wants, so that its connection serves again. */
const discardedBytes = 64 * 1024;

/** How long it is read, in milliseconds: what takes longer costs more than a new connection, and may never end. */
const discardTime = 250;

/** Every code by which the driver or the system say that an open connection ended. */
const lostCodes: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE', 'ECONNABORTED']);

const reasons: Readonly<Record<string, UnavailableReason>> = {
  UND_ERR_HEADERS_OVERFLOW: 'limit',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'malformed',
  UND_ERR_DESTROYED: 'internal',
  UND_ERR_CLOSED: 'internal',
  UND_ERR_INVALID_ARG: 'internal',
};

class TooLarge extends Error {}

/** A file of the TLS configuration that cannot be read. */
class UnusableFile extends Error {
  readonly code = 'TLS_FILE';
}

/** Connections to one system over HTTP/1.1: bounded in number, size and time, to allowed addresses only. Follows no redirect. */
export class HttpClient {
  private readonly agent: Agent;
  private connector: { readonly files: string; readonly connect: buildConnector.connector } | undefined;
  private closed = false;

  constructor(private readonly options: HttpClientOptions) {
    this.agent = new Agent({
      allowH2: false,
      pipelining: 1,
      connections: options.connections,
      keepAliveTimeout: keepAlive,
      keepAliveMaxTimeout: 10 * keepAlive,
      connect: (target, callback) => void this.connect(target, callback),
    });
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /** @param wanted the statuses whose body is read */
  async send(sent: HttpRequest, wanted: (status: number) => boolean, signal: AbortSignal): Promise<HttpAnswer> {
    if (this.closed) return { kind: 'failed', reason: 'internal', detail: 'the source is closed', lost: false };
    if (signal.aborted) return { kind: 'aborted' };
    try {
      // The driver does not heed the signal while a request waits for its connection.
      const answer = await settleOn(signal, this.exchange(sent, wanted, signal));
      return answer === 'aborted' ? { kind: 'aborted' } : answer;
    } catch (error) {
      return signal.aborted ? { kind: 'aborted' } : failure(error);
    }
  }

  /** Ends every connection, those in use too. */
  async close(): Promise<void> {
    this.closed = true;
    await this.agent.destroy();
  }

  private async exchange(
    { url, method, headers, body }: HttpRequest,
    wanted: (status: number) => boolean,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const response = await request(url, {
      dispatcher: this.agent,
      method,
      headers,
      body: body ?? null,
      signal,
      // The caller's signal bounds the work; the driver's own limits are coarse.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const { statusCode: status, headers: answered } = response;
    const type = answered['content-type'];
    const contentType = typeof type === 'string' ? type : undefined;
    if (!wanted(status)) {
      const enough = AbortSignal.timeout(discardTime);
      void response.body.dump({ limit: discardedBytes, signal: enough }).catch(() => undefined);
      return { kind: 'answer', status, contentType, body: new Uint8Array() };
    }
    return { kind: 'answer', status, contentType, body: await this.read(response) };
  }

  private async read({ headers, body }: Dispatcher.ResponseData): Promise<Uint8Array> {
    const { maximumBytes } = this.options;
    const chunks: Uint8Array[] = [];
    let size = Number(headers['content-length'] ?? 0) > maximumBytes ? Infinity : 0;
    if (size === 0)
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        size += chunk.byteLength;
        if (size > maximumBytes) break;
        chunks.push(chunk);
      }
    if (size <= maximumBytes) return Buffer.concat(chunks);
    body.on('error', () => undefined).destroy();
    throw new TooLarge();
  }

  private async connect(target: buildConnector.Options, callback: buildConnector.Callback): Promise<void> {
    try {
      const host = target.hostname.replace(/^\[(.*)\]$/, '$1');
      if (isIP(host) !== 0 && !this.options.addresses.allows(host)) throw refusal();
      const connect = target.protocol === 'https:' ? await this.withFiles() : this.build({});
      connect(target, callback);
    } catch (error) {
      callback(error as Error, null);
    }
  }

  /** Reads the files of TLS; a connector is made anew only where they changed, since it holds the sessions to resume. */
  private async withFiles(): Promise<buildConnector.connector> {
    const { tls, secrets } = this.options;
    const read = async (reference: string | undefined): Promise<string | undefined> => {
      if (reference === undefined) return undefined;
      try {
        return await secrets.read(reference);
      } catch (error) {
        throw new UnusableFile('cannot be read', { cause: error });
      }
    };
    const [ca, cert, key] = await Promise.all([tls.ca, tls.certificate, tls.key].map(read));
    const files = JSON.stringify([ca, cert, key]);
    if (this.connector?.files !== files)
      this.connector = {
        files,
        connect: this.build({
          ...(ca !== undefined && { ca }),
          ...(cert !== undefined && { cert, key }),
          ...(tls.servername !== undefined && { servername: tls.servername }),
        }),
      };
    return this.connector.connect;
  }

  private build(tls: { ca?: string; cert?: string; key?: string | undefined; servername?: string }): buildConnector.connector {
    const connect = buildConnector({
      ...tls,
      allowH2: false,
      timeout: 0,
      lookup: this.options.addresses.lookup,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
    } as buildConnector.BuildOptions);
    return within(this.options.connectTimeout, connect as Opening);
  }
}

/** The driver's connector gives the socket back, which its types do not say. */
type Opening = (...asked: Parameters<buildConnector.connector>) => Socket;

/** The driver's own limit counts in steps of half a second. */
function within(milliseconds: number, open: Opening): buildConnector.connector {
  return (target, callback) => {
    let pending = true;
    const socket = open(target, (...result: Parameters<buildConnector.Callback>) => {
      pending = false;
      clearTimeout(timer);
      callback(...result);
    });
    const giveUp = (): void => {
      if (pending) socket.destroy(new errors.ConnectTimeoutError());
    };
    // What has arrived by then is heard first, where the process was late itself.
    const timer = setTimeout(() => setImmediate(giveUp), milliseconds);
  };
}

function failure(error: unknown): HttpFailure {
  if (error instanceof TooLarge) return { kind: 'failed', reason: 'limit', detail: 'the answer is too large', lost: false };
  const code = codeOf(error);
  if (code === addressRefused)
    return {
      kind: 'failed',
      reason: 'connection',
      detail: 'the address is refused by privateAddresses and allowAddresses',
      lost: false,
    };
  if (code === 'TLS_FILE') return { kind: 'failed', reason: 'credentials', detail: 'a file of tls cannot be read', lost: false };
  const reason = reasons[code] ?? (code.startsWith('HPE_') ? 'malformed' : 'connection');
  return { kind: 'failed', reason, detail: code, lost: lostCodes.has(code) };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}
