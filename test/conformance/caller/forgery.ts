import { createHmac, createPublicKey, createSign, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { exportPKCS8 } from 'jose';
import type { SigningKey } from '../../../libs/entra-auth/test/issuer-server.js';

/** One part of a token: text or bytes as they are, everything else as JSON. */
export const part = (value: unknown): string =>
  Buffer.from(typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value)).toString('base64url');

/** A token of these very parts that nobody signed. */
export const unsigned = (header: unknown, claims: unknown): string => `${part(header)}.${part(claims)}.`;

/** A token whose signature is an HMAC with a secret that everybody can know. */
export function withHmac(header: { readonly alg: string }, claims: unknown, secret: string | Buffer, hash = 'sha256'): string {
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
}

/** A token that the RSA key signed by another algorithm of its own, or over parts that no library would write. */
export async function withRsa(
  key: SigningKey,
  header: unknown,
  claims: unknown,
  algorithm: { readonly hash: string; readonly padding?: number; readonly saltLength?: number } = { hash: 'sha256' },
): Promise<string> {
  const signed = `${part(header)}.${part(claims)}`;
  const { hash, ...options } = algorithm;
  const signature = createSign(hash)
    .update(signed)
    .sign({ key: await exportPKCS8(key.privateKey), ...options });
  return `${signed}.${signature.toString('base64url')}`;
}

/** A token that a key of an attacker signed on an elliptic curve. */
export function withCurve(header: unknown, claims: unknown, curve: 'P-256' | 'ed25519'): string {
  const { privateKey } = curve === 'P-256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  const signed = `${part(header)}.${part(claims)}`;
  const options = curve === 'P-256' ? { key: privateKey, dsaEncoding: 'ieee-p1363' as const } : privateKey;
  return `${signed}.${sign(curve === 'P-256' ? 'sha256' : null, Buffer.from(signed), options).toString('base64url')}`;
}

/** The published key in every form that a careless verifier could take for a shared secret. */
export function publicForms({ publicPem, publicJwk }: SigningKey): Readonly<Record<string, string | Buffer>> {
  const key: KeyObject = createPublicKey(publicPem);
  return {
    PEM: publicPem,
    'PEM without the last line break': publicPem.trimEnd(),
    DER: key.export({ type: 'spki', format: 'der' }),
    'PKCS #1': key.export({ type: 'pkcs1', format: 'pem' }),
    JWK: JSON.stringify(publicJwk),
    modulus: Buffer.from(publicJwk.n ?? '', 'base64url'),
    nothing: '',
  };
}
