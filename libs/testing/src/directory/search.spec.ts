import { EqualityFilter, type Filter } from 'ldapts';
import { describe, expect, it } from 'vitest';
import { account, adele, base, bound, ldif, names, serve } from './seeded-directory.js';

const within = (name: string): string => `(memberOf:1.2.840.113556.1.4.1941:=cn=${name},ou=Groups,${base})`;
const group = (name: string, member: string): string =>
  `\n\ndn: cn=${name},ou=Groups,${base}\nobjectClass: group\ncn: ${name}\nmember: cn=${member},ou=Groups,${base}\n`;
const equals = (value: Buffer): Filter => new EqualityFilter({ attribute: 'objectguid', value });

describe('search', () => {
  it.each([
    ['(objectClass=group)', ['Finance-Admins', 'Finance-Readers', 'All-Staff', 'Works Council, EMEA']],
    ['(&(objectClass=USER)(department=finance))', ['Adele Vance', 'Ben Olsen']],
    ['(|(mail=ben.olsen@corp.example)(title=Chief  Executive))', ['Grace Hopper', 'Ben Olsen']],
    ['(&(objectClass=user)(!(department=Finance)))', ['claimbridge', 'Grace Hopper', 'Zoë Müller']],
    ['(!(nosuchattribute=x))', []],
    ['(userPassword=demo-directory-password)', []],
    ['(userPassword=*)', []],
    ['(&(objectClass=user)(!(userPassword=*)))', []],
    ['(cn=zoË mÜller)', ['Zoë Müller']],
    ['(displayName=A*V*e)', ['Adele Vance']],
    ['(displayName=*a*e*e*)', ['Grace Hopper', 'Adele Vance']],
    ['(displayName=*e*a*e*)', ['Adele Vance']],
    ['(displayName=Ben Olsen*Olsen)', []],
    ['(employeeID>=10042)', ['Adele Vance', 'Zoë Müller']],
    ['(employeeID<=10007)', ['Grace Hopper', 'Ben Olsen']],
    ['(userAccountControl>=99)', ['Grace Hopper', 'Adele Vance', 'Ben Olsen', 'Zoë Müller']],
    ['(sn~=VANCE)', ['Adele Vance']],
    ['(cn:=adele vance)', ['Adele Vance']],
    ['(&(cn=Ben*)(userAccountControl:1.2.840.113556.1.4.803:=512))', ['Ben Olsen']],
    ['(userAccountControl:1.2.840.113556.1.4.803:=514)', []],
    ['(&(cn=Ben*)(userAccountControl:1.2.840.113556.1.4.804:=514))', ['Ben Olsen']],
    [`(member=CN=adele vance, OU=people, ${base})`, ['Finance-Admins', 'Finance-Readers', 'All-Staff']],
    [String.raw`(memberOf=cn=works council\5c, emea,ou=Groups,dc=corp,dc=example)`, ['Zoë Müller']],
    ['(memberOf=not a name)', []],
    ['(!(memberOf=not a name))', []],
  ])('answers %s', async (filter, expected) => {
    expect(await names(await bound((await serve()).url), filter)).toEqual(expected);
  });

  it.each([
    ['base', adele, ['Adele Vance']],
    ['one', `ou=People,${base}`, ['Grace Hopper', 'Adele Vance', 'Ben Olsen', 'Zoë Müller']],
    ['one', base, []],
    ['sub', `ou=Groups,${base}`, ['Finance-Admins', 'Finance-Readers', 'All-Staff', 'Works Council, EMEA']],
  ] as const)('keeps to the scope %s of %s', async (scope, top, expected) => {
    const ldap = await bound((await serve()).url);
    const { searchEntries } = await ldap.search(top, { scope, filter: '(cn=*)', attributes: ['cn'] });
    expect(searchEntries.map(({ cn }) => cn)).toEqual(expected);
  });

  it('compares bytes as bytes, also those that are letters', async () => {
    const letters = `\n\ndn: cn=letters,${base}\nobjectClass: user\ncn: letters\nobjectGUID: AAAAAAAAAAAAAAAA\n`;
    const ldap = await bound((await serve({ ldif: ldif + letters })).url);
    expect(await names(ldap, equals(Buffer.from('1e2d0c5f000000408000000000001105', 'hex')))).toEqual(['Ben Olsen']);
    expect(await names(ldap, equals(Buffer.from('1e2d0c5f000000408000000000001125', 'hex')))).toEqual([]);
    expect(await names(ldap, equals(Buffer.from('AAAAAAAAAAAAAAAA')))).toEqual(['letters']);
    expect(await names(ldap, equals(Buffer.from('aaaaaaaaaaaaaaaa')))).toEqual([]);
  });

  it('follows groups in groups, also in a circle', async () => {
    const groups = group('outer', 'Finance-Admins') + group('inner', 'ring') + group('ring', 'inner');
    const ldap = await bound((await serve({ ldif: ldif + groups })).url);
    expect(await names(ldap, `(&(objectClass=user)${within('outer')})`)).toEqual(['Adele Vance']);
    expect(await names(ldap, within('ring'))).toEqual(['inner', 'ring']);
    expect(await names(ldap, `(member:1.2.840.113556.1.4.1941:=${adele})`)).toEqual([
      'Finance-Admins',
      'Finance-Readers',
      'All-Staff',
      'outer',
    ]);
  });

  it('answers the attributes that are asked for, in its own spelling, and never a password', async () => {
    const ldap = await bound((await serve()).url);
    const search = async (attributes: string[], filter = '(cn=Adele Vance)'): Promise<unknown> =>
      (await ldap.search(base, { filter, attributes, explicitBufferAttributes: ['objectSid'] })).searchEntries[0];
    expect(await search(['MEMBEROF', 'mail'])).toEqual({
      dn: adele,
      mail: 'adele.vance@corp.example',
      memberOf: ['Finance-Admins', 'Finance-Readers', 'All-Staff'].map((name) => `cn=${name},ou=Groups,${base}`),
    });
    expect(await search(['1.1'])).toEqual({ dn: adele, '1.1': [] });
    expect(await search(['objectSid'])).toMatchObject({
      objectSid: Buffer.from('AQUAAAAAAAUVAAAA3PTcO4M9K0aCi6YoUAQAAA==', 'base64'),
    });
    for (const all of [[], ['*']]) {
      expect(await search(all)).toMatchObject({ sAMAccountName: 'adele.vance', title: 'Controller' });
      expect(await search(all, '(cn=claimbridge)')).not.toHaveProperty('userPassword');
    }
    expect(await search(['userPassword'], '(cn=claimbridge)')).toEqual({ dn: account.dn, userPassword: [] });
  });

  it('answers many values in ranges', async () => {
    const ldap = await bound((await serve({ valueRange: 2 })).url);
    const search = async (attribute: string): Promise<unknown> =>
      (await ldap.search(base, { filter: '(cn=Adele Vance)', attributes: [attribute] })).searchEntries[0];
    const [admins, readers, staff] = ['Finance-Admins', 'Finance-Readers', 'All-Staff'].map(
      (name) => `cn=${name},ou=Groups,${base}`,
    );
    expect(await search('memberOf')).toEqual({ dn: adele, memberOf: [], 'memberOf;range=0-1': [admins, readers] });
    expect(await search('memberOf;range=2-*')).toEqual({ dn: adele, 'memberOf;range=2-*': staff });
    expect(await search('MEMBEROF;Range=1-1')).toEqual({ dn: adele, 'memberOf;range=1-1': readers });
    expect(await search('memberOf;range=3-*')).toEqual({ dn: adele, 'memberOf;range=3-*': [] });
  });

  it('stops at the limit of the client and at its own', async () => {
    const ldap = await bound((await serve({ sizeLimit: 3 })).url);
    expect(await names(ldap, '(department=Finance)', { sizeLimit: 2 })).toHaveLength(2);
    expect(await names(ldap, '(cn=*)', { sizeLimit: 2 })).toHaveLength(2);
    await expect(names(ldap, '(cn=*)')).rejects.toMatchObject({ code: 4 });
  });

  it('pages, each page within the limit', async () => {
    const directory = await serve({ sizeLimit: 4 });
    const ldap = await bound(directory.url);
    const all = await names(ldap, '(cn=*)', { paged: { pageSize: 3 } });
    expect(all).toHaveLength(9);
    expect(new Set(all).size).toBe(9);
    expect(directory.searches).toBe(3);
    expect(await names(ldap, '(cn=*)', { paged: { pageSize: 100 } })).toEqual(all);
    expect(directory.searches).toBe(6);
  });

  it('tells how far a name exists', async () => {
    const ldap = await bound((await serve()).url);
    await expect(ldap.search(`cn=a,ou=None,${base}`)).rejects.toMatchObject({ code: 32 });
    await expect(ldap.search('no name')).rejects.toMatchObject({ code: 34 });
  });
});
