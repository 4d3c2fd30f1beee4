import 'reflect-metadata';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  cryptoProvider,
} from '@peculiar/x509';
import { SignJWT, exportJWK, exportSPKI, generateKeyPair, type CryptoKey, type JWK, type JWTPayload } from 'jose';

export type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
  readonly publicPem: string;
}

export async function signingKey(kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  return { kid, privateKey, publicPem: await exportSPKI(publicKey), publicJwk: { ...jwk, kid, use: 'sig', x5t: kid } };
}

/** A token signed by the key, with the header that Entra writes unless told otherwise. */
export async function signToken(key: SigningKey, claims: JWTPayload, header: Record<string, unknown> = {}): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: key.kid, ...header }).sign(key.privateKey);
}

export const answerJson =
  (body: unknown, status = 200): Behaviour =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

/** Metadata and keys of several issuers over https, each under a path of its own. What is answered, and how, can be changed. */
export class IssuerServer implements AsyncDisposable {
  /** How often each path was asked for. */
  readonly requests = new Map<string, number>();
  private readonly behaviours = new Map<string, Behaviour>();

  private constructor(
    private readonly server: Server,
    readonly ca: string,
  ) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const path = request.url ?? '';
      this.requests.set(path, (this.requests.get(path) ?? 0) + 1);
      const behaviour = this.behaviours.get(path) ?? answerJson({ error: 'no such issuer' }, 404);
      behaviour(request, response);
    });
  }

  static async start(): Promise<IssuerServer> {
    const { cert, key } = await localhostCertificate();
    const server = createServer({ cert, key });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new IssuerServer(server, cert);
  }

  get origin(): string {
    return `https://localhost:${(this.server.address() as AddressInfo).port}`;
  }

  metadata(name: string): string {
    return `${this.origin}/${name}/.well-known/openid-configuration`;
  }

  /** Publishes an issuer; `change` replaces members of its metadata. */
  publish(name: string, issuer: string, keys: readonly JWK[], change: Record<string, unknown> = {}): void {
    this.behave(name, 'metadata', answerJson({ issuer, jwks_uri: `${this.origin}/${name}/keys`, ...change }));
    this.behave(name, 'keys', answerJson({ keys }));
  }

  behave(name: string, document: 'metadata' | 'keys', behaviour: Behaviour): void {
    this.behaviours.set(pathOf(name, document), behaviour);
  }

  asked(name: string, document: 'metadata' | 'keys'): number {
    return this.requests.get(pathOf(name, document)) ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

function pathOf(name: string, document: 'metadata' | 'keys'): string {
  return document === 'keys' ? `/${name}/keys` : `/${name}/.well-known/openid-configuration`;
}

async function localhostCertificate(): Promise<{ cert: string; key: string }> {
  cryptoProvider.set(crypto);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=localhost',
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 86_400_000),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new BasicConstraintsExtension(true),
      new SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
      ]),
    ],
  });
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return { cert: certificate.toString('pem'), key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n` };
}
