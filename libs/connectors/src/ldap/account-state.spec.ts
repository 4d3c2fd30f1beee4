import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountConditions, accountState, integer, unixTime } from './account-state.js';

const now = Date.UTC(2026, 0, 15);
/** A moment as Active Directory writes it, by another way than the decoder's. */
const fileTime = (milliseconds: number): string => ((BigInt(milliseconds) + 11_644_473_600_000n) * 10_000n).toString();
const minute = 60_000;

function conditions(
  attributes: Record<string, string>,
  lockoutDuration?: number,
  withoutLockoutTime: 'unknown' | 'notLocked' = 'unknown',
): Record<string, boolean | undefined> {
  const values = (name: string): readonly string[] => (attributes[name] === undefined ? [] : [attributes[name]]);
  const state = accountState(values, { now, lockoutDuration, withoutLockoutTime });
  return Object.fromEntries(accountConditions.map((condition) => [condition, state.is(condition)]));
}

const computed = 'msDS-User-Account-Control-Computed';
const usual = { userAccountControl: '512', [computed]: '0', accountExpires: '9223372036854775807', lockoutTime: '0' };

describe('accountState', () => {
  it('of a usual account is none of all that', () => {
    expect(conditions(usual)).toEqual({ disabled: false, locked: false, expired: false, passwordExpired: false });
  });

  it('is what the bits say', () => {
    expect(conditions({ ...usual, userAccountControl: '514' })).toMatchObject({ disabled: true, locked: false });
    expect(conditions({ ...usual, [computed]: '16' })).toMatchObject({ locked: true, passwordExpired: false });
    expect(conditions({ ...usual, [computed]: '8388608' })).toMatchObject({ locked: false, passwordExpired: true });
    expect(conditions({ ...usual, userAccountControl: '8389136' })).toMatchObject({ locked: false, passwordExpired: false });
  });

  it.each([
    ['0', false],
    ['9223372036854775807', false],
    [fileTime(now), true],
    [fileTime(now - 1), true],
    [fileTime(now + 1), false],
    ['-1', false],
  ])('is expired at %s: %s', (accountExpires, expired) => {
    expect(conditions({ ...usual, accountExpires })).toMatchObject({ expired });
  });

  it('never expires without a date, where that can be told from one that is not sent', () => {
    expect(conditions({ userAccountControl: '512', [computed]: '0' })).toMatchObject({ expired: false });
    expect(conditions({ userAccountControl: '512', lockoutTime: '0' })).toMatchObject({ expired: undefined });
    expect(conditions({})).toMatchObject({ expired: undefined });
  });

  it('is locked by the time of the lock where nothing is computed, as long as the configuration says', () => {
    const { [computed]: _, ...account } = usual;
    const lockedAgo = (age: number): Record<string, string> => ({ ...account, lockoutTime: fileTime(now - age) });
    expect(conditions(lockedAgo(29 * minute), 30 * minute)).toMatchObject({ locked: true });
    expect(conditions(lockedAgo(30 * minute), 30 * minute)).toMatchObject({ locked: false });
    expect(conditions(lockedAgo(29 * minute))).toMatchObject({ locked: undefined });
    expect(conditions(account)).toMatchObject({ locked: false });
    expect(conditions({ ...lockedAgo(1), [computed]: '0' }, 30 * minute)).toMatchObject({ locked: false });
  });

  it('without a time of a lock is unknown, as of everybody at a global catalog, unless the configuration says that it was never locked', () => {
    const atCatalog = { userAccountControl: '512' };
    expect(conditions(atCatalog, 30 * minute)).toMatchObject({ disabled: false, locked: undefined });
    expect(conditions(atCatalog, 30 * minute, 'notLocked')).toMatchObject({ locked: false });
    expect(conditions({}, 30 * minute, 'notLocked')).toMatchObject({ locked: undefined });
    expect(conditions({ ...atCatalog, lockoutTime: 'x' }, 30 * minute, 'notLocked')).toMatchObject({ locked: undefined });
    const locked = { ...atCatalog, lockoutTime: fileTime(now - minute) };
    expect(conditions(locked, 30 * minute, 'notLocked')).toMatchObject({ locked: true });
    expect(conditions(locked, undefined, 'notLocked')).toMatchObject({ locked: undefined });
    expect(conditions({ ...atCatalog, [computed]: '16' }, 30 * minute, 'notLocked')).toMatchObject({ locked: true });
  });

  it('is unknown, not no, where the directory does not say', () => {
    expect(conditions({ cn: 'x' })).toEqual({
      disabled: undefined,
      locked: undefined,
      expired: undefined,
      passwordExpired: undefined,
    });
    expect(conditions({ ...usual, userAccountControl: 'x' })).toMatchObject({ disabled: undefined });
  });

  it('names the bits of both attributes', () => {
    const values = (name: string): readonly string[] =>
      name === 'userAccountControl' ? ['66050'] : name === computed ? ['16'] : [];
    expect(accountState(values, { now, lockoutDuration: undefined, withoutLockoutTime: 'unknown' }).flags).toEqual([
      'ACCOUNTDISABLE',
      'LOCKOUT',
      'NORMAL_ACCOUNT',
      'DONT_EXPIRE_PASSWORD',
    ]);
    expect(accountState(() => [], { now, lockoutDuration: undefined, withoutLockoutTime: 'unknown' }).flags).toBeUndefined();
  });
});

describe('unixTime', () => {
  it('knows the examples of Microsoft: 1601, 1970, and 2009-07-25T23:00:00Z', () => {
    expect(unixTime(0n)).toBe(Date.UTC(1601, 0, 1));
    expect(unixTime(116_444_736_000_000_000n)).toBe(0);
    expect(unixTime(128_930_364_000_000_000n)).toBe(Date.UTC(2009, 6, 25, 23));
  });

  it('reads back every time from 1601 on', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(Date.UTC(1601, 0, 1)), max: new Date(Date.UTC(9999, 0, 1)), noInvalidDate: true }),
        (date) => {
          expect(unixTime(BigInt(fileTime(date.getTime())))).toBe(date.getTime());
        },
      ),
    );
  });
});

describe('integer', () => {
  it('reads what is one, and nothing else', () => {
    fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => integer([String(value)]) === value));
    for (const text of ['', ' 1', '1.0', '0x1', '1n', '9'.repeat(30)]) expect(integer([text])).toBeUndefined();
    expect(integer([Buffer.from('1')])).toBeUndefined();
    expect(integer([])).toBeUndefined();
  });
});
