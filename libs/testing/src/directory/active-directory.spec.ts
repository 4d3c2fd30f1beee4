import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { account, adele, base, bound, client, ldif, names, serve } from './seeded-directory.js';
import { selfSigned } from './self-signed.js';
import { startDirectory } from './server.js';
import { sidBytes, sidText } from './identifiers.js';

const domain = 'S-1-5-21-1004336348-1177238915-682003330';
const base64 = (text: string): string => Buffer.from(sidBytes(text)!).toString('base64');
const entry = (name: string, lines: readonly string[]): string =>
  ['', '', `dn: cn=${name},${base}`, `cn: ${name}`, ...lines].join('\n');
const user = (name: string, ...lines: string[]): string => entry(name, ['objectClass: user', 'userPassword: right', ...lines]);
const group = (name: string, relative: number, ...lines: string[]): string =>
  entry(name, ['objectClass: group', `objectSid:: ${base64(`${domain}-${relative}`)}`, ...lines]);

const fileTime = (milliseconds: number): bigint => (BigInt(milliseconds) + 11_644_473_600_000n) * 10_000n;

describe('an account', () => {
  it.each([
    ['disabled', 'userAccountControl: 514', 'right', '533'],
    ['disabled', 'userAccountControl: 514', 'wrong', '52e'],
    ['with an expired password', 'userAccountControl: 8389120', 'right', '532'],
    ['expired', `accountExpires: ${fileTime(Date.now() - 1_000)}`, 'right', '701'],
    ['that must change its password', 'pwdLastSet: 0', 'right', '773'],
    ['locked', `lockoutTime: ${fileTime(Date.now())}`, 'wrong', '775'],
    ['locked', `lockoutTime: ${fileTime(Date.now())}`, 'right', '775'],
  ])('%s (%s) is refused with %s: data %s', async (_, line, password, data) => {
    const ldap = client((await serve({ ldif: ldif + user('it', line) })).url);
    const words = `80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data ${data}, v4563`;
    await expect(ldap.bind(`cn=it,${base}`, password)).rejects.toMatchObject({ message: expect.stringContaining(words) });
  });

  it.each([
    'accountExpires: 0',
    'accountExpires: 9223372036854775807',
    `accountExpires: ${fileTime(Date.now() + 60_000)}`,
    'lockoutTime: 0',
    'pwdLastSet: 133000000000000000',
  ])('is let in with %s', async (line) => {
    const ldap = client((await serve({ ldif: ldif + user('it', line) })).url);
    await expect(ldap.bind(`cn=it,${base}`, 'right')).resolves.toBeUndefined();
  });

  it.each([String.raw`CORP\svc-claimbridge`, String.raw`corp\SVC-claimbridge`, 'SVC-claimbridge@corp.example'])(
    'is known as %s',
    async (name) => {
      await expect(client((await serve()).url).bind(name, account.password)).resolves.toBeUndefined();
    },
  );

  it.each([String.raw`OTHER\svc-claimbridge`, 'svc-claimbridge@other.example', 'svc-claimbridge'])('is not %s', async (name) => {
    await expect(client((await serve()).url).bind(name, account.password)).rejects.toMatchObject({ code: 49 });
  });

  it('gets another password, and each bind is counted', async () => {
    const directory = await serve();
    const before = await bound(directory.url);
    directory.setPassword(account.dn, 'another');
    await expect(client(directory.url).bind(account.dn, account.password)).rejects.toMatchObject({ code: 49 });
    await client(directory.url).bind(account.dn, 'another');
    expect(await names(before, '(cn=Ben Olsen)')).toEqual(['Ben Olsen']);
    expect(directory.binds).toEqual([0, 49, 0]);
    expect(() => directory.setPassword(`cn=nobody,${base}`, 'x')).toThrow('nobody');
  });

  it('needs TLS where that is required', async () => {
    const tls = await selfSigned();
    const directory = await serve({ tls, requireStrongAuth: true });
    await expect(client(directory.url).bind(account.dn, account.password)).rejects.toMatchObject({ code: 8 });
    const secured = client(directory.url);
    await secured.startTLS({ ca: tls.cert });
    await secured.bind(account.dn, account.password);
  });
});

describe('groups', () => {
  const people =
    user('ann', `objectSid:: ${base64(`${domain}-3001`)}`, 'primaryGroupID: 3100') +
    group('primary', 3_100, `member: cn=ann,${base}`, `member: ${adele}`) +
    group('outer', 3_101, `member: cn=inner,${base}`, `member: cn=primary,${base}`) +
    group('inner', 3_102, `member: cn=ann,${base}`, `member: cn=outer,${base}`) +
    group('mail', 3_103, 'groupType: 2', `member: cn=ann,${base}`) +
    group('beyond', 3_104, `member: cn=mail,${base}`);

  it('of security, nested and primary, are the token groups of an account', async () => {
    const ldap = await bound((await serve({ ldif: ldif + people })).url);
    const attributes = ['tokenGroups', 'memberOf'];
    const explicitBufferAttributes = ['tokenGroups'];
    const { searchEntries } = await ldap.search(`cn=ann,${base}`, { scope: 'base', attributes, explicitBufferAttributes });
    const found = (searchEntries[0]!['tokenGroups'] as Buffer[]).map((sid) => sidText(sid));
    expect(found.toSorted()).toEqual([3_100, 3_101, 3_102].map((relative) => `${domain}-${relative}`));
    expect(searchEntries[0]!['memberOf']).toEqual([`cn=inner,${base}`, `cn=mail,${base}`]);
    const nobody = await ldap.search(account.dn, { scope: 'base', attributes: ['tokenGroups'] });
    expect(nobody.searchEntries).toEqual([{ dn: account.dn, tokenGroups: [] }]);
    await expect(ldap.search(base, { attributes: ['tokenGroups'] })).rejects.toMatchObject({ code: 1 });
  });

  it('do not show whose primary group they are', async () => {
    const ldap = await bound((await serve({ ldif: ldif + people })).url);
    const { searchEntries } = await ldap.search(`cn=primary,${base}`, { scope: 'base', attributes: ['member'] });
    expect(searchEntries).toEqual([{ dn: `cn=primary,${base}`, member: adele }]);
    expect(await names(ldap, '(primaryGroupID=3100)')).toEqual(['ann']);
  });
});

describe('a base', () => {
  it.each([
    `<SID=${domain}-1104>`,
    `<SID=${Buffer.from(sidBytes(`${domain}-1104`)!).toString('hex')}>`,
    '<GUID=5f0c2d1e-0000-4000-8000-000000001104>',
    '<guid=1e2d0c5f000000408000000000001104>',
  ])('may be %s', async (name) => {
    const ldap = await bound((await serve()).url);
    const { searchEntries } = await ldap.search(name, { scope: 'base', attributes: ['cn'] });
    expect(searchEntries).toEqual([{ dn: adele, cn: 'Adele Vance' }]);
  });

  it('is unknown or no name at all', async () => {
    const ldap = await bound((await serve()).url);
    await expect(ldap.search(`<SID=${domain}-99>`)).rejects.toMatchObject({ code: 32 });
    await expect(ldap.search('<SID=S-x>')).rejects.toMatchObject({ code: 34 });
    await expect(ldap.search('<GUID=5f0c2d1e>')).rejects.toMatchObject({ code: 32 });
  });

  it('finds a SID that is written out', async () => {
    expect(await names(await bound((await serve()).url), `(objectSid=${domain}-1104)`)).toEqual(['Adele Vance']);
  });
});

describe('another server', () => {
  const references = ['ldap://child.corp.example/DC=child,DC=corp,DC=example'];

  it('is named beside what is found here, and in its place', async () => {
    const ldap = await bound((await serve({ references })).url);
    const both = await ldap.search(base, { filter: '(cn=Ben Olsen)', attributes: ['cn'] });
    expect(both.searchEntries).toHaveLength(1);
    expect(both.searchReferences).toEqual(references);
    const one = await ldap.search(base, { scope: 'one', filter: '(cn=*)' });
    expect(one.searchReferences).toEqual([`${references[0]}??base`]);
    expect((await ldap.search(`ou=People,${base}`, { filter: '(cn=*)' })).searchReferences).toEqual([]);
    await expect(ldap.search('ou=x,dc=child,dc=corp,dc=example')).rejects.toMatchObject({ code: 10 });
  });

  it('must have a URL', async () => {
    await expect(startDirectory({ ldif, references: ['child'] })).rejects.toMatchObject({ code: 'start.input' });
  });
});

describe('a connection', () => {
  it('is closed when it is idle', async () => {
    const directory = await serve({ idleTimeoutMs: 300 });
    await bound(directory.url);
    await expect.poll(() => directory.connections).toBe(0);
  });

  it('is not idle while a search is under way', async () => {
    const directory = await serve({ idleTimeoutMs: 1_000, onSearch: () => sleep(1_500) });
    expect(await names(await bound(directory.url), '(cn=Ben Olsen)')).toEqual(['Ben Olsen']);
  });
});

describe('a fault', () => {
  it('takes the place of an answer', async () => {
    const directory = await serve({
      onSearch: ({ base: asked }) => (asked === adele ? { code: 51, diagnostic: 'busy' } : undefined),
      onBind: async ({ name }) => (name === 'x' ? { code: 52 } : undefined),
    });
    const ldap = await bound(directory.url);
    await expect(ldap.search(adele)).rejects.toMatchObject({ code: 51 });
    expect(await names(ldap, '(cn=Ben Olsen)')).toEqual(['Ben Olsen']);
    await expect(client(directory.url).bind('x', 'x')).rejects.toMatchObject({ code: 52 });
  });

  it('may be that there are other entries', async () => {
    const directory = await serve();
    const ldap = await bound(directory.url);
    directory.load(ldif + user('late'));
    expect(await names(ldap, '(cn=late)')).toEqual(['late']);
    expect(() => directory.load('nonsense')).toThrow('LDIF');
  });
});
