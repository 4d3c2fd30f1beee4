import type { RefusalCode } from '#entra-auth';
import type { JWTPayload } from 'jose';
import { part, withRsa } from './forgery.js';
import { accountOf, type Account } from './refusal.js';
import { claimsOf, type IssuerName, type TrustStack } from './trust-stack.js';

export type Make = (stack: TrustStack) => string | Promise<string>;

/** Name of the attack, the rule by which it must fail, the token. Everything that is not named is as Entra has it. */
export type TokenAttack = readonly [name: string, refusal: RefusalCode, make: Make];

/** The id of nobody. */
export const other = '11111111-2222-4333-8444-555555555555';
export const kid = 'key-of-contoso-2';
export const header = { alg: 'RS256', typ: 'JWT', kid };

export const claims = (change: JWTPayload = {}): JWTPayload => claimsOf('contoso-2', change);

/** Signed by the issuer's own key: only what is changed is wrong. */
export const signed =
  (change: Readonly<Record<string, unknown>>, more: Record<string, unknown> = {}, name: IssuerName = 'contoso-2'): Make =>
  (stack) =>
    stack.mint(name, change as JWTPayload, more);

/** The attacker's own key under a header of the attacker's choice. */
export const forged =
  (more: Record<string, unknown>): Make =>
  (stack) =>
    stack.mint('contoso-2', {}, { kid, ...more }, stack.foreign);

/** The issuer's own signature over parts that no library would write. */
export const odd =
  (oddHeader: unknown, payload?: unknown): Make =>
  (stack) =>
    withRsa(stack.keys['contoso-2'], oddHeader, payload ?? claims());

/** The three parts of a token that is good. */
export async function pieces(stack: TrustStack): Promise<[header: string, payload: string, signature: string]> {
  return (await stack.mint('contoso-2')).split('.') as [string, string, string];
}

/** The text of a JSON object with one more member, of which there may be two then. */
export const withMember = (value: object, member: string): string => `${JSON.stringify(value).slice(0, -1)},${member}}`;

/** The part with one bit changed. */
export function flipped(text: string, at: number): string {
  const bytes = Buffer.from(text, 'base64url');
  bytes[at]! ^= 1;
  return part(bytes);
}

/** What becomes of a valid event under the token. */
export async function accountOfToken(stack: TrustStack, make: Make): Promise<Account> {
  const token = await make(stack);
  return accountOf(stack, token, () => stack.post(token));
}
