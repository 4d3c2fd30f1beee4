import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { describeWithSamba, selfSigned, startDirectory, startSamba } from '#testing';
import { Client, EqualityFilter, type SearchOptions } from 'ldapts';
import { describe, expect, it, onTestFinished } from 'vitest';
import { abandonRequest, bindRequest, message, RawConnection, searchRequest, unbindRequest } from './raw.js';
import { account, base, bound, client, describeServers, directoryOf, domainSid, entry, type ServerName } from './servers.js';

/** What the servers do differently. Everything else in this file holds for all of them alike. */
const deviations = {
  /** Of a bind with a name and no password. Active Directory takes it for an anonymous one unless it is told not to. */
  emptyPassword: { 'in process': 53, slapd: 53, Samba: 49 },
  /** Of a bind by userPrincipalName or `CORP\name`: slapd knows names of entries only. */
  otherNames: { 'in process': 0, slapd: 34, Samba: 0 },
  /** Of a search before a bind. */
  unbound: { 'in process': 1, slapd: 32, Samba: 1 },
  /** What an unknown name is told; slapd tells nothing. Active Directory says 525 too. */
  unknownName: { 'in process': 'data 525', slapd: '', Samba: 'data 52e' },
  wrongPassword: { 'in process': 'data 52e', slapd: '', Samba: 'data 52e' },
  disabled: { 'in process': 'data 533', slapd: undefined, Samba: 'data 533' },
  expired: { 'in process': 'data 701', slapd: undefined, Samba: 'data 701' },
  mustChange: { 'in process': 'data 773', slapd: undefined, Samba: 'data 773' },
  locked: { 'in process': 'data 775', slapd: undefined, Samba: 'data 775' },
  /** Of a search whose base is no name. */
  noName: { 'in process': 34, slapd: 34, Samba: 34 },
  /** Of a search after a bind that was refused: Samba lets it have what it had before, against RFC 4513 §4. */
  afterRefusal: { 'in process': 1, slapd: 32, Samba: 0 },
  /** Whether `<SID=…>`, `<GUID=…>`, token groups and chains are known. */
  activeDirectory: { 'in process': true, slapd: false, Samba: true },
  /** Whether a client may ask for a part of the values. */
  ranges: { 'in process': true, slapd: false, Samba: true },
  /** Whether more than 1,500 values are split though nobody asked for a part, and an unpaged search ends at 1,000 entries. */
  limits: { 'in process': true, slapd: false, Samba: false },
  /** Whether `~=` is answered; Samba refuses it with 1 or 18, by whether the attribute is indexed. */
  approximate: { 'in process': true, slapd: true, Samba: false },
  /** Whether a client may ask for names without values. */
  typesOnly: { 'in process': true, slapd: true, Samba: false },
  /** Whether the client's limit of entries is kept. */
  sizeLimit: { 'in process': true, slapd: true, Samba: false },
} as const satisfies Readonly<Record<string, Readonly<Record<ServerName, unknown>>>>;

const staff = `ou=Staff,${base}`;
const members = 1_600;
const user = (name: string, more: Parameters<typeof entry>[1] = {}): string =>
  entry(`cn=${name},${staff}`, { objectClass: 'user', cn: name, sn: name, sAMAccountName: name, ...more });
const crowd = Array.from({ length: members }, (_, index) => `m${index}`);
const guid = Buffer.from('33221100554477668899aabbccddeeff', 'hex');
const sid = Buffer.from('010500000000000515000000dcf4dc3b833d2b46828ba6285f090000', 'hex');

const ldif = directoryOf(
  entry(staff, { objectClass: 'organizationalUnit', ou: 'Staff' }),
  entry(`ou=Crowd,${base}`, { objectClass: 'organizationalUnit', ou: 'Crowd' }),
  user('adele', {
    displayName: 'Adele Vance',
    department: 'Finance',
    employeeID: '42',
    otherTelephone: ['+1', '+2'],
    userAccountControl: 512,
    objectGUID: guid,
    objectSid: sid,
    'mS-DS-ConsistencyGuid': Buffer.from([0, 255, 128, 1]),
  }),
  user('ben', { displayName: 'Ben Olsen', department: 'Finance', userAccountControl: 66_048 }),
  user('zoë', { displayName: 'Zoë (née Müller) *', department: 'Legal', sAMAccountName: 'zoe' }),
  user('off', { userPassword: 'right', userAccountControl: 514 }),
  user('expired', { userPassword: 'right', accountExpires: '133000000000000000' }),
  user('must', { userPassword: 'right', pwdLastSet: '0' }),
  user('locked', { userPassword: 'right', lockoutTime: '133000000000000000' }),
  ...crowd.map((name) =>
    entry(`cn=${name},ou=Crowd,${base}`, { objectClass: 'user', cn: name, sn: name, sAMAccountName: name, department: 'Crowd' }),
  ),
  entry(`cn=inner,${staff}`, { objectClass: 'group', cn: 'inner', sAMAccountName: 'inner', member: `cn=adele,${staff}` }),
  entry(`cn=outer,${staff}`, { objectClass: 'group', cn: 'outer', sAMAccountName: 'outer', member: `cn=inner,${staff}` }),
  entry(`cn=all,${staff}`, {
    objectClass: 'group',
    cn: 'all',
    sAMAccountName: 'all',
    member: crowd.map((name) => `cn=${name},ou=Crowd,${base}`),
  }),
);

const adele = `cn=adele,${staff}`;

const codeOf = (pending: Promise<unknown>): Promise<unknown> =>
  pending.then(
    () => 0,
    (error: { code?: unknown }) => error.code,
  );

describeServers('the protocol', ldif, (name, server) => {
  const of = <Value>(row: Readonly<Record<ServerName, Value>>): Value => row[name];
  const bind = (dn: string, password: string): Promise<void> => client(server()).bind(dn, password);

  const found = async (
    filter: SearchOptions['filter'],
    options: SearchOptions = {},
    from = staff,
  ): Promise<readonly string[]> => {
    const ldap = await bound(server());
    const { searchEntries } = await ldap.search(from, { filter, attributes: ['cn'], ...options });
    return searchEntries.map(({ dn }) => /^(?:cn|ou|dc)=([^,]*)/i.exec(dn)![1]!).toSorted();
  };

  describe('a bind', () => {
    it('by distinguished name is accepted, ignoring case', async () => {
      expect(await codeOf(bind(account.dn.toUpperCase(), account.password))).toBe(0);
    });

    it.each(['svc@corp.example', String.raw`CORP\svc`])('by %s', async (other) => {
      expect(await codeOf(bind(other, account.password))).toBe(of(deviations.otherNames));
    });

    it('without a password is refused', async () => {
      expect(await codeOf(bind(account.dn, ''))).toBe(of(deviations.emptyPassword));
    });

    it.each([
      ['a wrong password', account.dn, deviations.wrongPassword],
      ['an unknown name', `cn=nobody,${staff}`, deviations.unknownName],
    ] as const)('with %s is refused with 49 and its reason', async (_, dn, reason) => {
      await expect(bind(dn, 'wrong')).rejects.toMatchObject({ code: 49, message: expect.stringContaining(of(reason)) });
    });

    it.each([
      ['off', deviations.disabled],
      ['expired', deviations.expired],
      ['must', deviations.mustChange],
      ['locked', deviations.locked],
    ] as const)('of the account %s is refused by the account', async (account_, reason) => {
      const pending = bind(`cn=${account_},${staff}`, 'right');
      const words = of(reason);
      if (words === undefined) await expect(pending).resolves.toBeUndefined();
      else await expect(pending).rejects.toMatchObject({ code: 49, message: expect.stringContaining(words) });
    });

    it('that is refused takes away what the connection had', async () => {
      const ldap = await bound(server());
      await expect(ldap.bind(account.dn, 'wrong')).rejects.toMatchObject({ code: 49 });
      expect(await codeOf(ldap.search(staff, { sizeLimit: 1 }))).toBe(of(deviations.afterRefusal));
    });

    it('comes before a search', async () => {
      const ldap = client(server());
      await ldap.bind('', '');
      expect(await codeOf(ldap.search(staff))).toBe(of(deviations.unbound));
    });
  });

  describe('TLS', () => {
    it('begins with StartTLS, with the name of the server checked', async () => {
      const ldap = client(server());
      await ldap.startTLS({ ca: server().ca, host: server().host });
      await ldap.bind(account.dn, account.password);
      expect((await ldap.search(adele, { scope: 'base', attributes: ['cn'] })).searchEntries).toHaveLength(1);
      const wrong = client(server());
      await expect(wrong.startTLS({ ca: server().ca, host: 'other.example' })).rejects.toMatchObject({
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      });
    });

    it('begins at once on the other port', async () => {
      const ldap = await bound(server(), server().secureUrl);
      expect((await ldap.search(adele, { scope: 'base', attributes: ['cn'] })).searchEntries).toHaveLength(1);
    });
  });

  describe('a search', () => {
    it.each([
      ['base', staff, []],
      ['base', adele, ['adele']],
      ['one', staff, ['adele', 'ben', 'zoë']],
      ['one', base, ['service']],
      ['sub', staff, ['adele', 'ben', 'zoë']],
    ] as const)('keeps to the scope %s of %s', async (scope, from, expected) => {
      const filter = '(|(cn=service)(displayName=*))';
      expect((await found(filter, { scope }, from)).filter((each) => expected.includes(each as never))).toEqual(expected);
    });

    it.each([
      ['and', '(&(department=finance)(displayName=ben  olsen))', ['ben']],
      ['or', '(|(cn=ben)(cn=ADELE))', ['adele', 'ben']],
      ['not', '(&(displayName=*)(!(department=Finance)))', ['zoë']],
      ['equality', '(displayName=Zoë \\28née Müller\\29 \\2a)', ['zoë']],
      ['substrings', '(displayName=*e*v*c*)', ['adele']],
      ['greaterOrEqual', '(userAccountControl>=60000)', ['ben']],
      ['lessOrEqual', '(&(displayName=*)(userAccountControl<=512))', ['adele']],
      ['present', '(employeeID=*)', ['adele']],
      ['a name', `(member=CN=Adele , ${staff.toUpperCase()})`, ['inner']],
      ['no such value', '(displayName=nobody)', []],
    ])('understands the filter: %s', async (kind, filter, expected) => {
      const people = await found(filter);
      expect(kind === 'lessOrEqual' ? people.filter((each) => each === 'adele') : people).toEqual(expected);
    });

    it('understands the filter: approximately', async () => {
      const pending = found('(displayName~=Adele Vance)');
      if (of(deviations.approximate)) expect(await pending).toEqual(['adele']);
      else await expect(pending).rejects.toMatchObject({ code: expect.toBeOneOf([1, 18]) });
    });

    it('understands the filter: bytes', async () => {
      expect(await found(new EqualityFilter({ attribute: 'objectGUID', value: guid }))).toEqual(['adele']);
      expect(await found(new EqualityFilter({ attribute: 'objectSid', value: sid }))).toEqual(['adele']);
      expect(await found(new EqualityFilter({ attribute: 'objectSid', value: Buffer.alloc(28) }))).toEqual([]);
    });

    it('understands the rules of Active Directory', async () => {
      const known = of(deviations.activeDirectory);
      expect(await found('(&(cn=*e*)(userAccountControl:1.2.840.113556.1.4.803:=65536))')).toEqual(['ben']);
      expect(await found('(&(displayName=*)(userAccountControl:1.2.840.113556.1.4.804:=65538))')).toEqual(['ben']);
      expect(await found(`(&(cn=a*)(memberOf:1.2.840.113556.1.4.1941:=cn=outer,${staff}))`)).toEqual(known ? ['adele'] : []);
    });

    it('answers the attributes that are asked for, bytes as they are', async () => {
      const ldap = await bound(server());
      const attributes = ['DISPLAYNAME', 'otherTelephone', 'objectGUID', 'objectSid', 'mS-DS-ConsistencyGuid', 'noSuchThing'];
      const explicitBufferAttributes = ['objectGUID', 'objectSid', 'mS-DS-ConsistencyGuid'];
      const { searchEntries } = await ldap.search(adele, { scope: 'base', attributes, explicitBufferAttributes });
      const [only] = searchEntries.map((each) =>
        Object.fromEntries(Object.entries(each).map(([key, value]) => [key.toLowerCase(), value])),
      );
      expect(only).toMatchObject({
        displayname: 'Adele Vance',
        objectguid: guid,
        objectsid: sid,
        'ms-ds-consistencyguid': Buffer.from([0, 255, 128, 1]),
      });
      expect([...(only!['othertelephone'] as string[])].toSorted()).toEqual(['+1', '+2']);
      expect(only).not.toHaveProperty('department');
      const none = await ldap.search(adele, { scope: 'base', attributes: ['1.1'] });
      expect(none.searchEntries).toMatchObject([{ '1.1': [] }]);
      const types = await ldap.search(adele, { scope: 'base', attributes: ['cn'], returnAttributeValues: false });
      expect(types.searchEntries[0]!['cn']).toEqual(of(deviations.typesOnly) ? [] : 'adele');
    });

    it('never answers a password', async () => {
      const ldap = await bound(server());
      for (const attributes of [['*'], ['userPassword', 'unicodePwd']]) {
        const { searchEntries } = await ldap.search(account.dn, { scope: 'base', attributes });
        expect(JSON.stringify(searchEntries)).not.toContain(account.password);
        expect(searchEntries[0]!['userPassword'] ?? []).toEqual([]);
      }
    });

    it('tells that its base does not exist, or is no name', async () => {
      const ldap = await bound(server());
      expect(await codeOf(ldap.search(`cn=x,ou=None,${base}`))).toBe(32);
      expect(await codeOf(ldap.search('no name at all'))).toBe(of(deviations.noName));
    });

    it('starts from a SID or a GUID', async () => {
      const ldap = await bound(server());
      for (const from of [`<SID=${domainSid}-2399>`, '<GUID=00112233-4455-6677-8899-aabbccddeeff>']) {
        const pending = ldap.search(from, { scope: 'base', attributes: ['displayName'] });
        if (of(deviations.activeDirectory)) expect((await pending).searchEntries).toMatchObject([{ displayName: 'Adele Vance' }]);
        else await expect(pending).rejects.toMatchObject({ code: 34 });
      }
    });

    it('reads token groups', async () => {
      const ldap = await bound(server());
      const attributes = ['tokenGroups'];
      const { searchEntries } = await ldap.search(adele, { scope: 'base', attributes, explicitBufferAttributes: attributes });
      const groups = [searchEntries[0]!['tokenGroups']].flat().length;
      // In process neither inner nor outer has a SID; Samba gives them, and the primary group.
      expect(groups >= (name === 'Samba' ? 3 : 0)).toBe(true);
      if (of(deviations.activeDirectory)) expect(await codeOf(ldap.search(staff, { scope: 'sub', attributes }))).toBe(1);
    });

    it('stops at the limit of the client', async () => {
      const ldap = await bound(server());
      const { searchEntries } = await ldap.search(staff, { filter: '(displayName=*)', sizeLimit: 2, attributes: ['cn'] });
      expect(searchEntries).toHaveLength(of(deviations.sizeLimit) ? 2 : 3);
    });

    it('pages', async () => {
      const ldap = await bound(server());
      const sizes: number[] = [];
      for await (const { searchEntries } of ldap.searchPaginated(`ou=Crowd,${base}`, {
        filter: '(department=Crowd)',
        attributes: ['cn'],
        paged: { pageSize: 700 },
      }))
        sizes.push(searchEntries.length);
      expect(sizes).toEqual([700, 700, 200]);
    });

    it('without pages ends at 1,000 entries where the server says so', async () => {
      const ldap = await bound(server());
      const pending = ldap.search(`ou=Crowd,${base}`, { filter: '(department=Crowd)', attributes: ['cn'] });
      if (of(deviations.limits)) await expect(pending).rejects.toMatchObject({ code: 4 });
      else expect((await pending).searchEntries).toHaveLength(members);
    });

    it('gives many values in parts', async () => {
      const ldap = await bound(server());
      const read = async (attribute: string): Promise<readonly (readonly [string, number])[]> => {
        const { searchEntries } = await ldap.search(`cn=all,${staff}`, { scope: 'base', attributes: [attribute] });
        const { dn: _, ...values } = searchEntries[0]!;
        return Object.entries(values).map(([key, value]) => [key.toLowerCase(), [value].flat().length] as const);
      };
      expect((await read('member')).filter(([, count]) => count > 0)).toEqual(
        of(deviations.limits) ? [['member;range=0-1499', 1_500]] : [['member', members]],
      );
      if (!of(deviations.ranges)) return;
      expect(await read('member;range=0-999')).toContainEqual(['member;range=0-999', 1_000]);
      expect(await read('member;range=1500-*')).toContainEqual(['member;range=1500-*', 100]);
    });
  });

  describe('a connection', () => {
    it('goes on after an abandoned search', async () => {
      await using raw = await RawConnection.open(server());
      raw.send(message(1, bindRequest(account.dn, account.password)));
      await expect.poll(() => raw.codeOf(1)).toBe(0);
      raw.send(
        message(2, searchRequest(`ou=Crowd,${base}`, 'department', 'Crowd')),
        message(3, abandonRequest(2)),
        message(4, searchRequest(staff, 'cn', 'ben')),
      );
      await expect.poll(() => raw.codeOf(4), { timeout: 10_000 }).toBe(0);
      expect(raw.received.filter(({ id, tag }) => id === 4 && tag === 0x64)).toHaveLength(1);
      expect(raw.received.some(({ id }) => id === 3)).toBe(false);
    });

    it('ends with unbind', async () => {
      await using raw = await RawConnection.open(server());
      raw.send(message(1, bindRequest(account.dn, account.password)), message(2, unbindRequest));
      await expect.poll(() => raw.closed, { timeout: 10_000 }).toBe(true);
      expect(raw.received.some(({ id }) => id === 2)).toBe(false);
    });

    it('answers what is asked at once, each with its own entry', async () => {
      const ldap = await bound(server());
      const asked = crowd.slice(0, 200);
      const answers = await Promise.all(
        asked.map((each) => ldap.search(`ou=Crowd,${base}`, { filter: `(cn=${each})`, attributes: ['cn'] })),
      );
      expect(answers.map(({ searchEntries }) => searchEntries.map(({ cn }) => cn))).toEqual(asked.map((each) => [each]));
    });
  });

  it.runIf(existsSync('/usr/bin/ldapsearch'))("OpenLDAP's own client finds the same", async () => {
    const login = ['-x', '-LLL', '-ZZ', '-H', server().url, '-D', account.dn, '-w', account.password, '-E', 'pr=500/noprompt'];
    const { stdout } = await promisify(execFile)(
      '/usr/bin/ldapsearch',
      [...login, '-b', `ou=Crowd,${base}`, '(department=crowd)', '1.1'],
      { env: { LDAPTLS_REQCERT: 'never' } },
    );
    expect(stdout.match(/^dn:/gm)).toHaveLength(members);
  });
});

describe('a bind without TLS where the server wants it', () => {
  /** Of a bind in clear text, and of one after StartTLS. */
  async function codes(url: string, ca: string, host: string): Promise<readonly unknown[]> {
    const [plain, secured] = [new Client({ url }), new Client({ url })];
    onTestFinished(async () => void (await Promise.allSettled([plain.unbind(), secured.unbind()])));
    await secured.startTLS({ ca, host });
    return [await codeOf(plain.bind(account.dn, account.password)), await codeOf(secured.bind(account.dn, account.password))];
  }

  it('is refused in process', async () => {
    const tls = await selfSigned();
    const directory = await startDirectory({ ldif: directoryOf(), tls, requireStrongAuth: true });
    onTestFinished(() => directory.stop());
    expect(await codes(directory.url, tls.cert, '127.0.0.1')).toEqual([8, 0]);
  });

  describeWithSamba(describe, 'by Samba', () => {
    it('is refused, and the global catalog searches from the empty base', async () => {
      const samba = await startSamba({ ldif });
      onTestFinished(() => samba.stop());
      expect(await codes(samba.url, samba.ca, samba.address)).toEqual([8, 0]);
      const ldap = new Client({ url: samba.globalCatalogUrl });
      onTestFinished(() => ldap.unbind());
      await ldap.startTLS({ ca: samba.ca, host: samba.address });
      await ldap.bind(account.dn, account.password);
      const { searchEntries } = await ldap.search('', { filter: '(displayName=Ben Olsen)', attributes: ['displayName'] });
      expect(searchEntries).toMatchObject([{ displayName: 'Ben Olsen' }]);
    });
  });
});
