import { Client } from 'ldapts';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { describeWithSamba, startSamba, type RunningSamba } from './samba.js';
import { account, adele, base, ldif } from './seeded-directory.js';

const extra = `

dn: cn=locked,ou=People,${base}
objectClass: user
sAMAccountName: locked
userPassword: right
lockoutTime: 133000000000000000

dn: cn=off,ou=People,${base}
objectClass: user
sAMAccountName: off
userPassword: right
userAccountControl: 514
primaryGroupID: 1201

dn: cn=Everybody,ou=Groups,${base}
objectClass: group
sAMAccountName: Everybody
member: cn=All-Staff,ou=Groups,${base}
`;

describeWithSamba(describe, 'a Samba domain controller', () => {
  let samba: RunningSamba;

  beforeAll(async () => {
    samba = await startSamba({ ldif: ldif + extra });
  });

  afterAll(() => samba?.stop());

  async function client(url = samba.secureUrl, user = account.dn, password: string = account.password): Promise<Client> {
    const ldap = new Client({ url, timeout: 10_000, ...(url.startsWith('ldaps:') && { tlsOptions: { ca: samba.ca } }) });
    onTestFinished(() => ldap.unbind().catch(() => undefined));
    await ldap.bind(user, password);
    return ldap;
  }

  it.each([account.dn, 'svc-claimbridge@corp.example', String.raw`CORP\svc-claimbridge`])('lets %s in', async (user) => {
    const ldap = await client(samba.secureUrl, user);
    const { searchEntries } = await ldap.search(base, { filter: '(mail=adele.vance@corp.example)', attributes: ['cn'] });
    expect(searchEntries).toMatchObject([{ dn: expect.stringContaining('Adele Vance'), cn: 'Adele Vance' }]);
  });

  it('wants TLS before a password, as told, and speaks StartTLS', async () => {
    await expect(client(samba.url)).rejects.toMatchObject({ code: 8 });
    const ldap = new Client({ url: samba.url });
    onTestFinished(() => ldap.unbind());
    await ldap.startTLS({ ca: samba.ca, host: samba.address });
    await ldap.bind(account.dn, account.password);
  });

  it('keeps the identifiers that it is given, and gives others', async () => {
    expect(await samba.identityOf(adele)).toEqual({
      objectSid: `${samba.domainSid}-1104`,
      objectGuid: '5f0c2d1e-0000-4000-8000-000000001104',
    });
    const given = await samba.identityOf(account.dn);
    expect(given.objectSid).toMatch(new RegExp(`^${samba.domainSid}-1[0-9]{6}$`));
    await expect(samba.identityOf(`cn=nobody,${base}`)).rejects.toThrow('nobody');
  });

  it('has groups in groups and another primary group', async () => {
    const ldap = await client();
    const inChain = `(memberOf:1.2.840.113556.1.4.1941:=cn=Everybody,ou=Groups,${base})`;
    const { searchEntries } = await ldap.search(base, { filter: `(&(objectClass=user)${inChain})`, attributes: ['cn'] });
    expect(searchEntries).toHaveLength(4);
    const off = await ldap.search(`cn=off,ou=People,${base}`, { scope: 'base', attributes: ['primaryGroupID', 'memberOf'] });
    expect(off.searchEntries).toMatchObject([
      { primaryGroupID: '1201', memberOf: 'CN=Domain Users,CN=Users,DC=corp,DC=example' },
    ]);
  });

  it.each([
    ['off', 'data 533'],
    ['locked', 'data 775'],
    ['nobody', 'data 52'],
  ])('refuses %s with its code', async (name, words) => {
    const refused = client(samba.secureUrl, `cn=${name},ou=People,${base}`, 'right');
    await expect(refused).rejects.toMatchObject({ code: 49, message: expect.stringContaining(words) });
  });

  it('can be changed while it runs', async () => {
    await samba.setPassword(account.dn, 'another');
    await expect(client()).rejects.toMatchObject({ code: 49, message: expect.stringContaining('data 52e') });
    const ldap = await client(samba.secureUrl, account.dn, 'another');
    await samba.modify(`dn: ${adele}\nchangetype: modify\nreplace: title\ntitle: Chair\n`);
    const { searchEntries } = await ldap.search(adele, { scope: 'base', attributes: ['title'] });
    expect(searchEntries).toMatchObject([{ title: 'Chair' }]);
    await samba.setPassword(account.dn, account.password);
    await expect(samba.modify(`dn: cn=nobody,${base}\nchangetype: delete\n`)).rejects.toMatchObject({ code: 'start.input' });
  });

  it('serves the global catalog', async () => {
    const other = await startSamba({ ldif, requireStrongAuth: false });
    onTestFinished(() => other.stop());
    const ldap = await client(other.globalCatalogUrl);
    const { searchEntries } = await ldap.search('', { filter: '(sAMAccountName=ben.olsen)', attributes: ['cn'] });
    expect(searchEntries).toMatchObject([{ cn: 'Ben Olsen' }]);
  });

  it.each([
    ['what is no LDIF', 'nonsense'],
    ['an entry of another domain', 'dn: dc=other,dc=example\nobjectClass: domain\n'],
    ['an entry that Samba refuses', `dn: cn=x,${base}\nobjectClass: nosuchclass\n`],
  ])('refuses %s', async (_, text) => {
    await expect(startSamba({ ldif: text })).rejects.toMatchObject({ code: 'start.input' });
  });
});
