import type { ClaimValue } from '../plan/plan.js';

/**
 * Entra refuses answers whose claim names and values exceed 3 KB (error 1003025). Microsoft does not say whether that is 3,000 or
 * 3,072, bytes or characters: the stricter reading is used.
 */
export const maximumClaimBytes = 3_000;

/** The size that Entra limits: UTF-8 bytes of the name and of every value. */
export function claimBytes(name: string, value: ClaimValue): number {
  let bytes = Buffer.byteLength(name, 'utf8');
  if (typeof value === 'string') return bytes + Buffer.byteLength(value, 'utf8');
  for (const text of value) bytes += Buffer.byteLength(text, 'utf8');
  return bytes;
}

export type LimitResult =
  | { readonly kind: 'fits'; readonly claims: ReadonlyMap<string, ClaimValue>; readonly dropped: readonly string[] }
  | { readonly kind: 'tooLarge'; readonly bytes: number };

/** Drops the named claims, in their order, until the answer fits; nothing else is ever left out or shortened. */
export function limitClaims(claims: ReadonlyMap<string, ClaimValue>, droppable: readonly string[]): LimitResult {
  let bytes = 0;
  for (const [name, value] of claims) bytes += claimBytes(name, value);
  if (bytes <= maximumClaimBytes) return { kind: 'fits', claims, dropped: [] };
  const kept = new Map(claims);
  const dropped: string[] = [];
  for (const name of droppable) {
    if (bytes <= maximumClaimBytes) break;
    const value = kept.get(name);
    if (value === undefined) continue;
    bytes -= claimBytes(name, value);
    kept.delete(name);
    dropped.push(name);
  }
  return bytes <= maximumClaimBytes ? { kind: 'fits', claims: kept, dropped } : { kind: 'tooLarge', bytes };
}
