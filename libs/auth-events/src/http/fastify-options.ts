import type { Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type ServerOptions } from 'node:http';
import type { SecureVersion } from 'node:tls';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problemBody, type ProblemReport } from './problem.js';

/** Entra's events have 1 to 3 KB; a body beyond this is answered 413. */
export const maximumBodyBytes = 64 * 1024;

/** Times in milliseconds. */
export interface AuthEventServerOptions {
  /** Serves https where it is set: a certificate with its chain and its key, as PEM. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly minVersion?: SecureVersion };
  /** Addresses or networks (CIDR) whose X-Forwarded-For is believed. Without them the peer is whoever is connected. */
  readonly trustedProxies?: readonly string[];
  /** How long the headers of a request, and with https the handshake, may take to arrive; 5 s by default. */
  readonly headersTimeout?: number;
  /** How long a whole request may take to arrive; 10 s by default. */
  readonly requestTimeout?: number;
  /** Told of what is refused before there is a request: filters and hooks see nothing of it. */
  readonly onUnreadable?: (problem: ProblemReport, peer: string) => void;
}

/** The HTTP adapter of an application that hosts auth events. Create the application with `bodyParser: false`. */
export function authEventAdapter(options: AuthEventServerOptions = {}): FastifyAdapter {
  const { tls, trustedProxies = [], headersTimeout = 5_000, requestTimeout = 10_000, onUnreadable = () => undefined } = options;
  // Node looks for requests that are overdue at this interval only; its default is 30 s.
  const server: ServerOptions = {
    connectionsCheckingInterval: 500,
    headersTimeout,
    requestTimeout,
    // Node's own answer to a request without one is no problem document, and nobody would hear of it.
    requireHostHeader: false,
  };
  const adapter = new FastifyAdapter({
    bodyLimit: maximumBodyBytes,
    return503OnClosing: false,
    requestTimeout,
    connectionTimeout: 0,
    keepAliveTimeout: 75_000,
    clientErrorHandler: (error, socket) => refuseUnreadable(error, socket, onUnreadable),
    frameworkErrors: (_error: unknown, request: FastifyRequest, reply: FastifyReply) =>
      refuseUndecodable(request, reply, onUnreadable),
    ...(trustedProxies.length > 0 && { trustProxy: [...trustedProxies] }),
    ...(tls ? { https: { ...server, ...tls, handshakeTimeout: headersTimeout } } : { http: server }),
  });
  refuseUnfulfillable(adapter.getInstance());
  return adapter;
}

/** What Node reads as HTTP, and what HTTP forbids or this service does not do all the same. */
function refuseUnfulfillable(fastify: FastifyInstance): void {
  // Without a listener Node answers by itself.
  fastify.server.on('checkExpectation', (request, response) => fastify.server.emit('request', request, response));
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { httpVersionMinor, rawHeaders } = request.raw;
    // RFC 9112 §3.2: exactly one.
    if (httpVersionMinor === 1 && hostsOf(rawHeaders) !== 1)
      return done(Object.assign(new Error('not exactly one Host'), { statusCode: 400 }));
    // RFC 9110 §10.1.1
    if (request.headers.expect !== undefined && !/^100-continue$/i.test(request.headers.expect))
      return done(Object.assign(new Error('an expectation that is not 100-continue'), { statusCode: 417 }));
    done();
  });
}

/** Names and values by turns. */
function hostsOf(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts;
}

/**
 * Hands every body on as bytes, whatever its content type says: nothing is decoded before the caller is known.
 * Call it before the application listens.
 */
export function takeBodiesAsBytes(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

/** An address that cannot be decoded reaches neither routes nor filters. */
function refuseUndecodable(
  request: FastifyRequest,
  reply: FastifyReply,
  report: NonNullable<AuthEventServerOptions['onUnreadable']>,
): void {
  const problem = { status: 400, code: 'request.malformed', title: 'The request is malformed.', correlationId: randomUUID() };
  report({ ...problem, detail: 'the address cannot be decoded' }, request.ip);
  void reply.status(400).header('content-type', 'application/problem+json').send(problemBody(problem));
}

/** What cannot be read as HTTP gets an answer too, where the peer still listens. */
function refuseUnreadable(
  error: Error & { code?: string },
  socket: Socket,
  report: NonNullable<AuthEventServerOptions['onUnreadable']>,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, code, title] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ([431, 'request.headersTooLarge', 'The request headers are too large.'] as const)
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ([408, 'request.timeout', 'The request took too long to arrive.'] as const)
        : ([400, 'request.malformed', 'The request is malformed.'] as const);
  const correlationId = randomUUID();
  report({ status, code, correlationId, detail: error.code ?? 'unknown' }, socket.remoteAddress ?? '');
  const body = problemBody({ status, code, title, correlationId });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
