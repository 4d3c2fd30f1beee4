import type { Entry } from './entry.js';

/** What Active Directory says behind `data` of a refused bind: a Windows error code in hexadecimal ([MS-ERREF] §2.2). */
export type Refusal =
  /** no such account */
  | '525'
  /** wrong password */
  | '52e'
  /** password expired */
  | '532'
  /** account disabled */
  | '533'
  /** account expired */
  | '701'
  /** password must be changed first */
  | '773'
  /** account locked */
  | '775';

/** Bits of `userAccountControl` ([MS-ADTS] §2.2.16). */
const disabled = 0x2n;
const passwordExpired = 0x800000n;

/** `accountExpires` of an account that never does. */
const never: ReadonlySet<bigint> = new Set([0n, 0x7fffffffffffffffn]);
const epochInFileTime = 116_444_736_000_000_000n;

/**
 * Why this account is not let in; undefined where it is. A locked account is told so whatever the password, everything else only to
 * those who know it.
 */
export function refusalOf(account: Entry, passwordMatches: boolean): Refusal | undefined {
  if ((integerOf(account, 'lockouttime') ?? 0n) !== 0n) return '775';
  if (!passwordMatches) return '52e';
  const control = integerOf(account, 'useraccountcontrol') ?? 0n;
  if ((control & disabled) !== 0n) return '533';
  const expires = integerOf(account, 'accountexpires') ?? 0n;
  if (!never.has(expires) && expires <= BigInt(Date.now()) * 10_000n + epochInFileTime) return '701';
  if ((control & passwordExpired) !== 0n) return '532';
  return integerOf(account, 'pwdlastset') === 0n ? '773' : undefined;
}

function integerOf(entry: Entry, attribute: string): bigint | undefined {
  const [key] = entry.attributes.get(attribute)?.keys ?? [];
  return key === undefined ? undefined : BigInt(key);
}
