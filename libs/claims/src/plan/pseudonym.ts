import { createHmac } from 'node:crypto';

/** The HMAC of a text under a key, in hexadecimal (RFC 2104). */
export function keyedHash(algorithm: 'sha256' | 'sha512', key: Uint8Array, value: string): string {
  return createHmac(algorithm, key).update(value, 'utf8').digest('hex');
}

/**
 * A pseudonym of a value for one application of one tenant: HMAC-SHA-256 over tenant, application and value, each preceded by its
 * length so that no two triples make the same message. 43 characters of base64url.
 */
export function pseudonym(key: Uint8Array, tenant: string, application: string, value: string): string {
  const message = createHmac('sha256', key);
  for (const part of [tenant, application, value]) {
    const bytes = Buffer.from(part, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    message.update(length).update(bytes);
  }
  return message.digest('base64url');
}
