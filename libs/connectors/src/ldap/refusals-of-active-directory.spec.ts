import { describeWithSamba, startSamba, type RunningSamba } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { find, ldap, patient, References } from './ldap-source.harness.js';

const base = 'DC=corp,DC=example';
const password = 'A right Passw0rd';

/** 100 ns since 1601. */
const fileTime = (date: number): string => String(BigInt(date) * 10_000n + 116_444_736_000_000_000n);

const account = (name: string, ...more: readonly string[]): string =>
  [
    `dn: CN=${name},${base}`,
    'objectClass: user',
    `cn: ${name}`,
    `sAMAccountName: ${name}`,
    `userPassword: ${password}`,
    ...more,
    '',
  ].join('\n');

const ldif = [
  account('well'),
  account('disabled', 'userAccountControl: 514'),
  account('expired', `accountExpires: ${fileTime(Date.now() - 86_400_000)}`),
  account('locked', `lockoutTime: ${fileTime(Date.now())}`),
  account('initial'),
].join('\n');

describeWithSamba(describe, 'an Active Directory domain controller that refuses the service', () => {
  let samba: RunningSamba;
  beforeAll(async () => {
    samba = await startSamba({ ldif });
    await samba.modify(`dn: CN=initial,${base}\nchangetype: modify\nreplace: pwdLastSet\npwdLastSet: 0\n`);
  });
  afterAll(() => samba?.stop());

  const source = (name: string, secret = password) =>
    ldap(
      [],
      {
        urls: [samba.secureUrl],
        tls: { ca: 'file:ca' },
        bind: { dn: `CN=${name},${base}`, password: 'env:PASSWORD' },
        limits: { connect: '5s', operation: '5s' },
      },
      new References({ 'file:ca': samba.ca, 'env:PASSWORD': secret }),
    );

  async function refusal(name: string, secret?: string): Promise<string | undefined> {
    const outcome = await source(name, secret).probe(patient);
    return outcome.kind === 'down' && outcome.reason === 'credentials' ? outcome.detail : undefined;
  }

  const told = (data: string, remedy: string): RegExp =>
    new RegExp(`^ldaps://[\\d.]+: bind invalidCredentials \\(49\\), data ${data}: ${remedy}`);

  it('lets it in by the right name and password', async () => {
    const well = source('well');
    expect(await well.probe(patient)).toEqual({ kind: 'up' });
    expect(await find(well, 'member', { name: 'well' }, ['cn'])).toMatchObject({ kind: 'found' });
  });

  it.each([
    ['well', '52e', 'the name or the password is wrong', 'Another Passw0rd'],
    ['disabled', '533', 'the account is disabled', password],
    ['expired', '701', 'the account has expired', password],
    ['locked', '775', 'the account is locked', password],
    ['initial', '773', 'the password must be changed', password],
  ])('tells of %s by data %s that %s', async (name, data, remedy, secret) => {
    expect(await refusal(name, secret)).toMatch(told(data, remedy));
  });
});
