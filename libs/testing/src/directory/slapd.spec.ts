import { EqualityFilter, type Client, type Filter } from 'ldapts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { account, adele, base, bound, client, ldif, names, serve } from './seeded-directory.js';
import { describeWithSlapd, startSlapd, type RunningSlapd } from './slapd.js';

describeWithSlapd(describe, 'slapd', () => {
  let slapd: RunningSlapd;

  beforeAll(async () => {
    slapd = await startSlapd({ ldif });
  });

  afterAll(() => slapd.stop());

  const unordered = async (ldap: Client, filter: string | Filter): Promise<readonly unknown[]> =>
    (await names(ldap, filter)).toSorted();

  it('lets the service account read, and nobody without a password', async () => {
    expect(await names(await bound(slapd.url), '(sAMAccountName=adele.vance)')).toEqual(['Adele Vance']);
    const anonymous = client(slapd.url);
    await anonymous.bind('', '');
    await expect(names(anonymous, '(objectClass=*)')).rejects.toMatchObject({ code: 32 });
    await expect(client(slapd.url).bind(account.dn, 'wrong')).rejects.toMatchObject({ code: 49 });
    await expect(client(slapd.url).bind(account.dn, '')).rejects.toMatchObject({ code: 53 });
    expect(await names(await bound(slapd.url), '(userPassword=*)')).toEqual([]);
  });

  it.each([
    '(objectClass=group)',
    '(&(objectClass=USER)(department=finance))',
    '(|(mail=ben.olsen@corp.example)(title=Chief  Executive))',
    '(&(objectClass=user)(!(department=Finance)))',
    '(!(nosuchattribute=x))',
    '(!(&(cn=Ben Olsen)(nosuchattribute=x)))',
    '(|(cn=Ben Olsen)(nosuchattribute=x))',
    '(cn=zoË mÜller)',
    '(displayName=A*V*e)',
    '(displayName=*a*e*e*)',
    '(displayName=Ben Olsen*Olsen)',
    '(userAccountControl>=99)',
    '(userAccountControl<=99)',
    '(sn~=VANCE)',
    '(cn:=adele vance)',
    '(cn:caseExactMatch:=adele vance)',
    '(userAccountControl=0512)',
    `(member=CN=adele vance, OU=people, ${base})`,
    String.raw`(memberOf=cn=works council\5c, emea,ou=Groups,dc=corp,dc=example)`,
    '(memberOf=not a name)',
    '(!(memberOf=not a name))',
    '(userPassword=demo-directory-password)',
  ])('finds the same as the in-process directory with %s', async (filter) => {
    const [theirs, ours] = [await bound(slapd.url), await bound((await serve()).url)];
    expect(await unordered(ours, filter)).toEqual(await unordered(theirs, filter));
  });

  it('compares bytes as the in-process directory does', async () => {
    const value = Buffer.from('1e2d0c5f000000408000000000001105', 'hex');
    for (const { url } of [slapd, await serve()]) {
      expect(await names(await bound(url), new EqualityFilter({ attribute: 'objectGUID', value }))).toEqual(['Ben Olsen']);
    }
  });

  it('answers an entry with the same attributes and values', async () => {
    const entry = async (url: string): Promise<unknown> => {
      const attributes = ['CN', 'mail', 'memberOf', 'objectSid', 'userAccountControl', 'displayName'];
      const ldap = await bound(url);
      return (await ldap.search(adele, { scope: 'base', attributes, explicitBufferAttributes: ['objectSid'] })).searchEntries;
    };
    expect(await entry((await serve()).url)).toEqual(await entry(slapd.url));
  });

  it.each([
    [{ ldif: 'nonsense' }, 'start.input'],
    [{ ldif: '' }, 'start.input'],
    [{ ldif: `dn: ${base}\nobjectClass: nosuchclass\n` }, 'start.input'],
  ])('refuses %j', async (options, code) => {
    await expect(startSlapd(options)).rejects.toMatchObject({ code });
  });

  it('refuses a port that is taken', async () => {
    await expect(startSlapd({ ldif, port: slapd.port })).rejects.toMatchObject({ code: 'start.port' });
  });

  it('stops at its size limit', async () => {
    const small = await startSlapd({ ldif, sizeLimit: 2 });
    try {
      await expect(names(await bound(small.url), '(cn=*)')).rejects.toMatchObject({ code: 4 });
    } finally {
      await small.stop();
    }
    await expect(bound(small.url)).rejects.toThrow('ECONNREFUSED');
  });
});
