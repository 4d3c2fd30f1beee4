import type { AttributeValue } from '#claims';

/** What a lookup can say of an account of Active Directory. */
export const accountConditions = ['disabled', 'locked', 'expired', 'passwordExpired'] as const;
export type AccountCondition = (typeof accountConditions)[number];

/** The attributes from which `account.…` is worked out. All are of the property set User-Account-Restrictions, but lockoutTime. */
export const accountAttributes = [
  'userAccountControl',
  'msDS-User-Account-Control-Computed',
  'accountExpires',
  'lockoutTime',
] as const;

/** The bits of userAccountControl and msDS-User-Account-Control-Computed under Microsoft's names (MS-ADTS §2.2.16, MS-SAMR §2.2.1.13). */
const flags: Readonly<Record<string, number>> = {
  ACCOUNTDISABLE: 0x2,
  HOMEDIR_REQUIRED: 0x8,
  LOCKOUT: 0x10,
  PASSWD_NOTREQD: 0x20,
  PASSWD_CANT_CHANGE: 0x40,
  ENCRYPTED_TEXT_PWD_ALLOWED: 0x80,
  TEMP_DUPLICATE_ACCOUNT: 0x100,
  NORMAL_ACCOUNT: 0x200,
  INTERDOMAIN_TRUST_ACCOUNT: 0x800,
  WORKSTATION_TRUST_ACCOUNT: 0x1000,
  SERVER_TRUST_ACCOUNT: 0x2000,
  DONT_EXPIRE_PASSWORD: 0x10000,
  MNS_LOGON_ACCOUNT: 0x20000,
  SMARTCARD_REQUIRED: 0x40000,
  TRUSTED_FOR_DELEGATION: 0x80000,
  NOT_DELEGATED: 0x100000,
  USE_DES_KEY_ONLY: 0x200000,
  DONT_REQ_PREAUTH: 0x400000,
  PASSWORD_EXPIRED: 0x800000,
  TRUSTED_TO_AUTH_FOR_DELEGATION: 0x1000000,
  PARTIAL_SECRETS_ACCOUNT: 0x4000000,
  USE_AES_KEYS: 0x8000000,
};

export interface AccountState {
  /** Whether it is so; undefined where the directory does not say. */
  is(condition: AccountCondition): boolean | undefined;
  /** The names of the bits that are set; undefined where the directory does not say. */
  readonly flags: readonly string[] | undefined;
}

export interface AccountRules {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How long a lock lasts, in milliseconds, where the directory does not compute it; undefined: nobody knows. */
  readonly lockoutDuration: number | undefined;
  /** What it means that an account has no lockoutTime: nobody knows, or it was never locked. */
  readonly withoutLockoutTime: 'unknown' | 'notLocked';
}

/**
 * The state of an account, from the values of `accountAttributes`.
 *
 * - disabled: ACCOUNTDISABLE of userAccountControl.
 * - locked, passwordExpired: LOCKOUT and PASSWORD_EXPIRED of msDS-User-Account-Control-Computed, which the domain controller computes
 *   from the policy that applies to this person (MS-ADTS §3.1.1.4.5.17). The same bits of userAccountControl are never set there.
 *   Where it is not sent, lockoutTime 0 is not locked, another one is locked until `lockoutDuration` has passed. None at all is nobody
 *   knows, unless the configuration says otherwise: an account that was never locked has none, but neither has anybody at a Global
 *   Catalog, to which lockoutTime is not replicated (Microsoft: Lockout-Time attribute, In Global Catalog: False).
 * - expired: accountExpires has come; 0 and 0x7FFFFFFFFFFFFFFF are never (MS-ADA1 §2.1). None at all is never too, but only where the
 *   computed bits are sent: they are of the same property set, and a Global Catalog has neither.
 */
export function accountState(values: (attribute: string) => readonly AttributeValue[], rules: AccountRules): AccountState {
  const control = integer(values('userAccountControl'));
  const computed = integer(values('msDS-User-Account-Control-Computed'));
  const bits = control === undefined ? undefined : Number(BigInt.asUintN(32, control | (computed ?? 0n)));
  const has = (integers: bigint | undefined, flag: keyof typeof flags): boolean | undefined =>
    integers === undefined ? undefined : (integers & BigInt(flags[flag]!)) !== 0n;
  const conditions: Readonly<Record<AccountCondition, () => boolean | undefined>> = {
    disabled: () => has(control, 'ACCOUNTDISABLE'),
    locked: () => has(computed, 'LOCKOUT') ?? lockedSince(values('lockoutTime'), control !== undefined, rules),
    passwordExpired: () => has(computed, 'PASSWORD_EXPIRED'),
    expired: () => {
      const expires = integer(values('accountExpires'));
      if (expires === undefined) return computed === undefined ? undefined : false;
      return expires > 0n && expires < never && unixTime(expires) <= rules.now;
    },
  };
  return {
    is: (condition) => conditions[condition](),
    flags: bits === undefined ? undefined : Object.keys(flags).filter((name) => (bits & flags[name]!) !== 0),
  };
}

function lockedSince(
  values: readonly AttributeValue[],
  isReadable: boolean,
  { now, lockoutDuration, withoutLockoutTime }: AccountRules,
): boolean | undefined {
  if (values.length === 0) return isReadable && withoutLockoutTime === 'notLocked' ? false : undefined;
  const lockoutTime = integer(values);
  if (lockoutTime === undefined) return undefined;
  if (lockoutTime === 0n) return false;
  return lockoutDuration === undefined ? undefined : now < unixTime(lockoutTime) + lockoutDuration;
}

const never = 0x7fff_ffff_ffff_ffffn;

/** A FILETIME, hundreds of nanoseconds since 1601 (MS-DTYP §2.3.3), as milliseconds since 1970. */
export function unixTime(fileTime: bigint): number {
  return Number(fileTime / 10_000n) - 11_644_473_600_000;
}

/** The one integer of an attribute (RFC 4517 §3.3.16); undefined where there is none. */
export function integer(values: readonly AttributeValue[]): bigint | undefined {
  const [value] = values;
  return typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? BigInt(value) : undefined;
}
