import type { ServerResponse } from 'node:http';
import { answerJson, type Behaviour, type IssuerServer, type SigningKey } from '../../../libs/entra-auth/test/issuer-server.js';

export interface Fault {
  readonly name: string;
  readonly document: 'metadata' | 'keys';
  /** How the issuer's server answers; `attacker` is the name of another issuer there, and a key of that one. */
  readonly behaviour: (at: {
    readonly server: IssuerServer;
    readonly issuer: string;
    readonly attacker: SigningKey;
  }) => Behaviour;
}

/** What the 100 MB have cost before the service hung up. */
export const largest = { bytes: 0 };

const send =
  (status: number, type: string, body: string): Behaviour =>
  (_request, response) =>
    void response.writeHead(status, { 'content-type': type }).end(body);

const endless: Behaviour = (_request, response) => {
  const piece = Buffer.alloc(64 * 1024, 0x20);
  response.writeHead(200, { 'content-type': 'application/json' });
  let sent = 0;
  const pump = (): void => {
    while (sent < 100 * 1024 * 1024 && !response.destroyed) {
      sent += piece.length;
      largest.bytes = Math.max(largest.bytes, sent);
      if (!response.write(piece)) return void response.once('drain', pump);
    }
    response.end();
  };
  pump();
};

const half: Behaviour = (_request, response: ServerResponse) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': 4_000 });
  response.write('{"issuer":"https://');
  setTimeout(() => response.destroy(), 20);
};

const either: readonly Omit<Fault, 'document'>[] = [
  { name: 'HTML', behaviour: () => send(200, 'text/html', '<!doctype html><title>Sign in to the proxy</title>') },
  { name: 'status 503', behaviour: () => answerJson({ error: 'down' }, 503) },
  { name: 'status 200 and an error', behaviour: () => answerJson({ error: 'down' }) },
  { name: 'an empty body', behaviour: () => send(200, 'application/json', '') },
  { name: 'a reset connection', behaviour: () => (request) => void request.socket.destroy() },
  { name: 'no answer', behaviour: () => () => undefined },
  { name: 'half a body', behaviour: () => half },
  { name: '100 MB', behaviour: () => endless },
];

const redirect =
  (document: 'metadata' | 'keys'): Fault['behaviour'] =>
  ({ server }) =>
  (_request, response) => {
    const location = document === 'keys' ? `${server.origin}/attacker/keys` : server.metadata('attacker');
    response.writeHead(302, { location }).end();
  };

/** Whatever an issuer, a proxy or somebody between can do to either document. */
export const faults: readonly Fault[] = [
  ...either.flatMap((fault) => (['metadata', 'keys'] as const).map((document) => ({ ...fault, document }))),
  { name: 'a redirect', document: 'metadata', behaviour: redirect('metadata') },
  { name: 'a redirect', document: 'keys', behaviour: redirect('keys') },
  {
    name: 'another issuer',
    document: 'metadata',
    behaviour: ({ server }) =>
      answerJson({ issuer: 'https://attacker.example/v2.0', jwks_uri: `${server.origin}/attacker/keys` }),
  },
  {
    name: 'keys over http',
    document: 'metadata',
    behaviour: ({ server, issuer }) =>
      answerJson({ issuer, jwks_uri: `${server.origin.replace('https:', 'http:')}/attacker/keys` }),
  },
  {
    name: 'keys in a file',
    document: 'metadata',
    behaviour: ({ issuer }) => answerJson({ issuer, jwks_uri: 'file:///etc/passwd' }),
  },
  { name: 'no keys', document: 'keys', behaviour: () => answerJson({ keys: [] }) },
  {
    name: 'keys for encryption and secrets only',
    document: 'keys',
    behaviour: ({ attacker }) =>
      answerJson({
        keys: [
          { ...attacker.publicJwk, use: 'enc' },
          { kty: 'oct', kid: attacker.kid, k: 'c2VjcmV0' },
        ],
      }),
  },
];
