import net, { type LookupFunction } from 'node:net';
import tls from 'node:tls';
import type { LdapServer } from './connection-config.js';
import { readMessage } from './ldap-message.js';
import { MessageFrames } from './message-frames.js';

export interface TlsTrust {
  /** PEM; the authorities that Node trusts, where undefined. */
  readonly ca: string | undefined;
  /** The name that the certificate must carry; the host of the server's address, where undefined. */
  readonly servername: string | undefined;
  /** What the service shows of itself, where the server asks; PEM. */
  readonly own?: { readonly certificate: string; readonly key: string } | undefined;
}

export type OpenedSocket =
  | { readonly kind: 'open'; readonly socket: net.Socket }
  | { readonly kind: 'failed'; readonly detail: string };

/**
 * A connection to the server that is encrypted as the configuration says before anybody can write to it. StartTLS is done here and
 * not by the LDAP client, so that no connection that asked for it is ever used without it (RFC 4511 §4.14).
 */
export async function openSocket(
  server: LdapServer,
  trust: TlsTrust,
  signal: AbortSignal,
  lookup?: LookupFunction,
): Promise<OpenedSocket> {
  const opened: net.Socket[] = [];
  const abort = (): void => void opened.at(-1)?.destroy(new Error('connect limit'));
  // An error is met where it is waited for, and must not end the process where nobody waits.
  const open = <Kind extends net.Socket>(socket: Kind): Kind => (opened.push(socket), socket.on('error', () => undefined));
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    const { host, port, security } = server;
    const to = { host, port, ...(lookup && { lookup }) };
    const socket = open(security === 'tls' ? tls.connect({ ...to, ...verification(server, trust) }) : net.connect(to));
    socket.setNoDelay(true).setKeepAlive(true, 30_000);
    await event(socket, security === 'tls' ? 'secureConnect' : 'connect');
    if (security === 'startTls') {
      await startTls(socket);
      await event(open(tls.connect({ socket, ...verification(server, trust) })), 'secureConnect');
    }
    return { kind: 'open', socket: opened.at(-1)! };
  } catch (error) {
    for (const socket of opened) socket.destroy();
    return { kind: 'failed', detail: `${server.url}: ${signal.aborted ? 'connect limit' : codeOf(error)}` };
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function verification({ host }: LdapServer, { ca, servername, own }: TlsTrust): tls.ConnectionOptions {
  const name = servername ?? host;
  return {
    ...(ca !== undefined && { ca }),
    ...(own && { cert: own.certificate, key: own.key }),
    // A server name indication must not be an address (RFC 6066 §3); the certificate is checked for it all the same.
    ...(net.isIP(name) === 0 && { servername: name }),
    checkServerIdentity: (_, certificate) => tls.checkServerIdentity(name, certificate),
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
  };
}

/** ExtendedRequest 1.3.6.1.4.1.1466.20037 with message id 1 (RFC 4511 §4.14.1). */
const startTlsRequest = Buffer.concat([Buffer.from('301d02010177188016', 'hex'), Buffer.from('1.3.6.1.4.1.1466.20037')]);

async function startTls(socket: net.Socket): Promise<void> {
  socket.write(startTlsRequest);
  const frames = new MessageFrames();
  for (;;) {
    const [message, ...others] = frames.push(await chunk(socket));
    if (!message) continue;
    // Bytes behind the answer came in clear text, from anybody.
    if (others.length > 0 || frames.pending > 0) throw new Error('data behind the StartTLS response');
    const answer = readMessage(message);
    const response = answer?.messageId === 1 ? answer.response : undefined;
    const status = response?.kind === 'result' && response.operation === 'extended' ? response.code : undefined;
    if (status !== 0) throw new Error(`StartTLS refused (result ${status ?? 'unreadable'})`);
    return;
  }
}

function chunk(socket: net.Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settled = (): void => {
      socket.pause();
      socket.off('data', onData).off('error', reject).off('close', onClose);
    };
    const onData = (data: Buffer): void => (settled(), resolve(data));
    const onClose = (): void => reject(new Error('closed'));
    socket.once('data', onData).once('error', reject).once('close', onClose);
    socket.resume();
  });
}

function event(socket: net.Socket, name: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new Error('closed'));
    socket.once('error', reject).once('close', onClose);
    socket.once(name, () => {
      socket.off('error', reject).off('close', onClose);
      resolve();
    });
  });
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
