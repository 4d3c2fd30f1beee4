import { KeyObject, createHmac, sign, webcrypto } from 'node:crypto';
import { exportJWK, type JWK } from 'jose';
import { createSigningCertificate } from './certificates.js';

/** A token signing key. Its `kid` is the thumbprint of its certificate, as with Entra. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  /** The public half, SPKI in PEM. */
  readonly publicPem: string;
  /** As the JWKS shows it (RFC 7517). */
  readonly jwk: JWK;
}

/**
 * What a token is signed with: the current key; a key that no JWKS shows; nothing (`alg` none); or HS256 with the text of the
 * public key as the secret, the classical confusion of algorithms (RFC 8725 §2.1).
 */
export const tokenKeys = ['current', 'foreign', 'none', 'hs256'] as const;
export type TokenKey = (typeof tokenKeys)[number];

/** How keys roll over: the old one stays published until the next time, or is gone at once as after a compromise. */
export const rollModes = ['overlap', 'emergency'] as const;
export type RollMode = (typeof rollModes)[number];

/** The keys of the simulator: one that signs, and those that are still published. */
export class KeyRing {
  #keys: readonly SigningKey[];
  #foreign: Promise<SigningKey> | undefined;

  private constructor(first: SigningKey) {
    this.#keys = [first];
  }

  static async create(): Promise<KeyRing> {
    return new KeyRing(await createSigningKey());
  }

  get current(): SigningKey {
    return this.#keys[0]!;
  }

  /** The keys of the JWKS, the current one first. */
  get published(): readonly JWK[] {
    return this.#keys.map(({ jwk }) => jwk);
  }

  /** Signs with a new key from now on. */
  async roll(mode: RollMode): Promise<void> {
    const next = await createSigningKey();
    this.#keys = mode === 'overlap' ? [next, this.current] : [next];
  }

  /**
   * A compact JWS (RFC 7515) over these claims. Header entries are added to `typ`, `alg` and `kid` and replace them; an undefined
   * one removes them. Nothing is checked: bad tokens are wanted too.
   */
  async signToken(
    claims: Readonly<Record<string, unknown>>,
    header: Readonly<Record<string, unknown>>,
    by: TokenKey,
  ): Promise<string> {
    const key = by === 'foreign' ? await (this.#foreign ??= createSigningKey()) : this.current;
    const algorithm = by === 'none' ? 'none' : by === 'hs256' ? 'HS256' : 'RS256';
    const input = `${encode({ typ: 'JWT', alg: algorithm, kid: key.kid, ...header })}.${encode(claims)}`;
    return `${input}.${signatureOf(input, key, by)}`;
  }
}

function signatureOf(input: string, key: SigningKey, by: TokenKey): string {
  if (by === 'none') return '';
  if (by === 'hs256') return createHmac('sha256', key.publicPem).update(input).digest('base64url');
  return sign('RSA-SHA256', Buffer.from(input), key.privateKey).toString('base64url');
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

async function createSigningKey(): Promise<SigningKey> {
  const keys = (await webcrypto.subtle.generateKey(
    { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
    true,
    ['sign', 'verify'],
  )) as webcrypto.CryptoKeyPair;
  const { der, sha1 } = await createSigningCertificate(keys);
  const kid = sha1.toString('base64url');
  const { kty, n, e } = await exportJWK(keys.publicKey);
  return {
    kid,
    privateKey: KeyObject.from(keys.privateKey),
    publicPem: KeyObject.from(keys.publicKey).export({ type: 'spki', format: 'pem' }).toString(),
    jwk: { kty, use: 'sig', alg: 'RS256', kid, x5t: kid, n, e, x5c: [der.toString('base64')] } as JWK,
  };
}
