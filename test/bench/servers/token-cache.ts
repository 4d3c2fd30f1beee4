import { createRemoteJWKSet, jwtVerify } from 'jose';
import type { Settings } from './settings.js';

/** Verifies a bearer token by jose, and remembers it until it expires. Answers whether it is good. */
export function tokenCheck({
  keys,
  issuer,
  audience,
}: Settings): (authorization: string | undefined) => Promise<boolean> | boolean {
  const keySet = createRemoteJWKSet(new URL(keys));
  const until = new Map<string, number>();
  const verify = async (token: string): Promise<boolean> => {
    try {
      const { payload } = await jwtVerify(token, keySet, { issuer, audience, algorithms: ['RS256'], requiredClaims: ['exp'] });
      until.set(token, payload.exp! * 1_000);
      return true;
    } catch {
      return false;
    }
  };
  return (authorization) => {
    if (!authorization?.startsWith('Bearer ')) return false;
    const token = authorization.slice(7);
    return Date.now() < (until.get(token) ?? 0) || verify(token);
  };
}
