import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { account, adele, base, bound, client, ldif, names, serve } from './seeded-directory.js';
import { selfSigned } from './self-signed.js';
import { startDirectory } from './server.js';

const tls = await selfSigned();

describe('bind', () => {
  it.each([
    ['distinguished name', account.dn.toUpperCase()],
    ['userPrincipalName', 'SVC-claimbridge@corp.example'],
  ])('accepts the password of a %s', async (_, name) => {
    const ldap = client((await serve()).url);
    await ldap.bind(name, account.password);
    expect(await names(ldap, '(sAMAccountName=adele.vance)')).toEqual(['Adele Vance']);
  });

  it.each([
    ['a wrong password', account.dn, 'wrong', '52e'],
    ['an account without password', adele, 'wrong', '52e'],
    ['an unknown name', `cn=nobody,${base}`, 'wrong', '525'],
    ['an unknown userPrincipalName', 'nobody@corp.example', 'wrong', '525'],
    ['a disabled account', `cn=off,${base}`, 'right', '533'],
  ])('refuses %s in the words of Active Directory', async (_, name, password, data) => {
    const off = `\n\ndn: cn=off,${base}\nobjectClass: user\ncn: off\nuserPassword: right\nuserAccountControl: 514\n`;
    const ldap = client((await serve({ ldif: ldif + off })).url);
    const words = `80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data ${data}, v4563`;
    await expect(ldap.bind(name, password)).rejects.toMatchObject({ code: 49, message: expect.stringContaining(words) });
  });

  it('refuses a name with an empty password', async () => {
    await expect(client((await serve()).url).bind(account.dn, '')).rejects.toMatchObject({ code: 53 });
  });

  it('loses what it had with a bind that fails', async () => {
    const ldap = await bound((await serve()).url);
    await expect(ldap.bind(account.dn, 'wrong')).rejects.toMatchObject({ code: 49 });
    await expect(names(ldap, '(cn=*)')).rejects.toMatchObject({ code: 1 });
  });

  it('is needed before a search, but not for the root', async () => {
    const ldap = client((await serve()).url);
    await ldap.bind('', '');
    await expect(names(ldap, '(cn=*)')).rejects.toMatchObject({
      code: 1,
      message: expect.stringContaining('a successful bind must be completed'),
    });
    const { searchEntries } = await ldap.search('', { scope: 'base', filter: '(objectClass=*)' });
    expect(searchEntries).toMatchObject([{ defaultNamingContext: base, supportedLDAPVersion: '3' }]);
    expect((await ldap.search('', { scope: 'base', filter: '(objectClass=user)' })).searchEntries).toEqual([]);
  });
});

describe('transport', () => {
  it('speaks TLS after StartTLS, and only once', async () => {
    const ldap = client((await serve({ tls })).url);
    await ldap.startTLS({ ca: tls.cert });
    await ldap.bind(account.dn, account.password);
    expect(await names(ldap, '(cn=Ben Olsen)')).toEqual(['Ben Olsen']);
    await expect(ldap.startTLS({ ca: tls.cert })).rejects.toMatchObject({ code: 1 });
  });

  it('speaks TLS from the start where it is told to', async () => {
    const directory = await serve({ tls: { ...tls, implicit: true } });
    expect(directory.url).toMatch(/^ldaps:/);
    expect(await names(await bound(directory.url, tls.cert), '(cn=Ben Olsen)')).toEqual(['Ben Olsen']);
  });

  it('offers no StartTLS without a key', async () => {
    await expect(client((await serve()).url).startTLS()).rejects.toMatchObject({ code: 2 });
  });

  it('hangs while it is paused, counts what it sees, and answers afterwards', async () => {
    const directory = await serve();
    const ldap = await bound(directory.url);
    directory.pause();
    let settled = false;
    const waiting = names(ldap, '(cn=Ben Olsen)').finally(() => (settled = true));
    const late = client(directory.url).bind(account.dn, account.password);
    await expect.poll(() => directory.connections).toBe(2);
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    expect(settled).toBe(false);
    expect(directory.searches).toBe(0);
    directory.resume();
    expect(await waiting).toEqual(['Ben Olsen']);
    await late;
    expect(directory).toMatchObject({ connections: 2, accepted: 2, searches: 1 });
  });

  it('drops connections and accepts new ones', async () => {
    const directory = await serve();
    const ldap = await bound(directory.url);
    directory.pause();
    const lost = names(ldap, '(cn=Ben Olsen)').then(
      () => 'answered',
      () => 'lost',
    );
    await expect.poll(() => directory.connections).toBe(1);
    directory.dropConnections();
    expect(await lost).toBe('lost');
    directory.resume();
    await expect.poll(() => directory.connections).toBe(0);
    expect(await names(await bound(directory.url), '(cn=Ben Olsen)')).toEqual(['Ben Olsen']);
  });

  it('lets one search wait while others are answered', async () => {
    const slow = Promise.withResolvers<void>();
    const directory = await serve({ onSearch: ({ base: asked }) => (asked === adele ? slow.promise : undefined) });
    const ldap = await bound(directory.url);
    const order: string[] = [];
    const first = ldap.search(adele).then(() => order.push('slow'));
    await ldap.search(base, { scope: 'base' }).then(() => order.push('fast'));
    slow.resolve();
    await first;
    expect(order).toEqual(['fast', 'slow']);
  });

  it('refuses a port that is taken and an LDIF that is none', async () => {
    const { port } = await serve();
    await expect(startDirectory({ ldif, port })).rejects.toMatchObject({ code: 'start.port' });
    await expect(startDirectory({ ldif: 'nonsense' })).rejects.toMatchObject({ code: 'start.input' });
    await expect(startDirectory({ ldif: `${ldif}\n\ndn: ${base}\no: twice\n` })).rejects.toMatchObject({ code: 'start.input' });
  });
});

describe.runIf(existsSync('/usr/bin/ldapsearch'))("OpenLDAP's own client", () => {
  it.each([
    ['in clear text', []],
    ['with StartTLS', ['-ZZ']],
    ['in pages', ['-E', 'pr=2/noprompt']],
  ])('searches %s', async (_, args) => {
    const directory = await serve({ tls });
    const login = ['-x', '-LLL', '-o', 'ldif-wrap=no', '-H', directory.url, '-D', account.dn, '-w', account.password, '-b', base];
    const { stdout } = await promisify(execFile)(
      '/usr/bin/ldapsearch',
      [...args, ...login, '(objectClass=group)', 'sAMAccountName'],
      {
        env: { LDAPTLS_REQCERT: 'never' },
      },
    );
    expect(stdout.match(/^sAMAccountName: .*$/gm)).toHaveLength(4);
  });

  it('is told that its size limit was exceeded', async () => {
    const directory = await serve();
    const args = [
      '-x',
      '-LLL',
      '-z',
      '2',
      '-H',
      directory.url,
      '-D',
      account.dn,
      '-w',
      account.password,
      '-b',
      base,
      '(cn=*)',
      '1.1',
    ];
    const failure = await promisify(execFile)('/usr/bin/ldapsearch', args).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 4 });
    expect((failure as { stdout: string }).stdout.match(/^dn/gm)).toHaveLength(2);
  });
});
