import type { Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type ServerOptions } from 'node:http';
import type { SecureVersion } from 'node:tls';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import { problemBody } from './problem.js';

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
}

/** The HTTP adapter of an application that hosts auth events. Create the application with `bodyParser: false`. */
export function authEventAdapter(options: AuthEventServerOptions = {}): FastifyAdapter {
  const { tls, trustedProxies = [], headersTimeout = 5_000, requestTimeout = 10_000 } = options;
  // Node looks for requests that are overdue at this interval only; its default is 30 s.
  const server: ServerOptions = { connectionsCheckingInterval: 500, headersTimeout, requestTimeout };
  return new FastifyAdapter({
    bodyLimit: maximumBodyBytes,
    return503OnClosing: false,
    requestTimeout,
    connectionTimeout: 0,
    keepAliveTimeout: 75_000,
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: refuseUndecodable,
    ...(trustedProxies.length > 0 && { trustProxy: [...trustedProxies] }),
    ...(tls ? { https: { ...server, ...tls, handshakeTimeout: headersTimeout } } : { http: server }),
  });
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
function refuseUndecodable(_error: unknown, _request: unknown, reply: FastifyReply): void {
  const problem = { status: 400, code: 'request.malformed', title: 'The request is malformed.', correlationId: randomUUID() };
  void reply.status(400).header('content-type', 'application/problem+json').send(problemBody(problem));
}

/** What cannot be read as HTTP gets an answer too, where the peer still listens. */
function refuseUnreadable(error: Error & { code?: string }, socket: Socket): void {
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
  const body = problemBody({ status, code, title, correlationId: randomUUID() });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
