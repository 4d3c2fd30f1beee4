import { Resolver } from 'node:dns/promises';
import { configurationIssues } from '#claims';
import { describe, expect, it } from 'vitest';
import { ldapConfig } from './ldap-config.js';
import { LdapConnector } from './ldap-connector.js';

const lookup = { base: 'dc=x', parameters: ['upn'], filter: '(cn={upn})' };
const document = {
  type: 'ldap',
  tenants: ['contoso'],
  urls: ['ldaps://dc1.corp.example', 'ldaps://[2001:db8::1]:3269'],
  bind: { dn: 'cn=service', password: 'env:PASSWORD' },
  lookups: { user: lookup },
};

/** `path: reason` of everything that is refused. */
function refusals(changes: object): readonly string[] {
  const parsed = ldapConfig.safeParse({ ...document, ...changes });
  return parsed.success ? [] : configurationIssues(parsed.error).map(({ path, reason }) => `${path.join('.')}: ${reason}`);
}

const withLookup = (changes: object): object => ({ lookups: { user: { ...lookup, ...changes } } });
const located = (rule: object): object => ({ lookups: { user: { base: 'dc=x', locate: [rule] } } });

describe('ldapConfig', () => {
  it('fills in what is not said', () => {
    const config = ldapConfig.parse(document);
    expect(config.limits).toEqual({ operation: 500, connect: 1_000, concurrency: 32, queue: 256 });
    expect(config.servers).toMatchObject([
      { host: 'dc1.corp.example', port: 636, security: 'tls' },
      { host: '2001:db8::1', port: 3269, security: 'tls' },
    ]);
    expect(config.lookups['user']).toMatchObject({
      entries: 'one',
      parameters: ['upn'],
      locate: [],
      questions: [{ scope: 'sub' }],
      referrals: 'unavailable',
      notFoundWhen: [],
      groups: { by: 'tokenGroups', name: 'sAMAccountName', leaveOut: ['builtin', 'distribution'], unresolved: 'omit' },
    });
  });

  it('protects ldap:// by StartTLS, or not at all where the operator says so', () => {
    const urls = ['ldap://dc1.corp.example'];
    expect(ldapConfig.parse({ ...document, urls, startTls: true }).servers).toMatchObject([{ port: 389, security: 'startTls' }]);
    expect(ldapConfig.parse({ ...document, urls, allowClearText: true }).servers).toMatchObject([{ security: 'none' }]);
    expect(refusals({ urls })).toEqual([expect.stringContaining('urls.0: is not encrypted')]);
    expect(refusals({ urls: ['LDAP://dc1'] })).toEqual([expect.stringContaining('urls.0: is not encrypted')]);
    expect(refusals({ startTls: true })).toHaveLength(2);
  });

  it.each([' ldap://dc1', '\tldap://dc1', 'l\tdap://dc1', 'ldap\n://dc1', 'ldaps://dc1 ', 'ldaps://dc\r1', 'ldaps://dc1\0'])(
    'takes no address with a blank or a control character, whatever its scheme then is: %j',
    (url) => {
      expect(refusals({ urls: [url] })).toEqual(['urls.0: must be ldaps://host, ldaps://host:port, or the same with ldap']);
      expect(refusals({ urls: [url], allowClearText: true })).toHaveLength(1);
    },
  );

  it('says where its servers are, or who lists them', () => {
    const connector = new LdapConnector();
    expect(connector.describe(connector.config.parse(document)).hosts).toEqual(document.urls);
    const discover = { domain: 'corp.example', site: 'hq' };
    expect(connector.describe(connector.config.parse({ ...document, urls: undefined, discover })).hosts).toEqual([
      '_ldap._tcp.hq._sites.dc._msdcs.corp.example',
      '_ldap._tcp.corp.example',
    ]);
    const catalogs = connector.config.parse({ ...document, urls: undefined, discover: { ...discover, service: 'gc' } });
    expect(connector.describe(catalogs).hosts).toEqual(['_gc._tcp.hq._sites.corp.example', '_gc._tcp.corp.example']);
  });

  it('finds servers by DNS instead, by the port that their protection needs', () => {
    const discovered = (changes: object, more: object = {}) =>
      ldapConfig.parse({ ...document, urls: undefined, discover: { domain: 'Corp.Example', ...changes }, ...more }).discovery;
    expect(discovered({})).toEqual({
      domain: 'corp.example',
      service: 'ldap',
      scheme: 'ldaps',
      refresh: 300_000,
      security: 'tls',
    });
    expect(discovered({ scheme: 'ldap' }, { startTls: true })).toMatchObject({ security: 'startTls' });
    expect(discovered({ scheme: 'ldap' }, { allowClearText: true })).toMatchObject({ security: 'none' });
    expect(refusals({ urls: undefined })).toEqual(['urls: is needed, or else discover; and not both']);
    expect(refusals({ discover: { domain: 'corp.example' } })).toEqual(['urls: is needed, or else discover; and not both']);
    const refused = (changes: object): readonly string[] =>
      refusals({ urls: undefined, discover: { domain: 'corp.example', ...changes } });
    expect(refused({ scheme: 'ldap' })).toEqual([expect.stringContaining('discover.scheme: is not encrypted')]);
    expect(refused({ site: 'a.b' })).toEqual([expect.stringContaining('discover.site:')]);
    for (const dns of ['ns.example', '10.0.0.256', '10.0.0', '10.0.0.1:99999', '10.0.0.1:0', '[10.0.0.1]', '[::g]', '[:::]:53'])
      expect(refused({ dns: [dns] })).toEqual([expect.stringContaining('discover.dns.0:')]);
    for (const dns of ['10.0.0.53', '10.0.0.53:5353', '[2001:db8::53]', '[::1]:65535']) {
      expect(refused({ dns: [dns] })).toEqual([]);
      new Resolver().setServers([dns]);
    }
    expect(refused({ refresh: '10ms' })).toEqual([expect.stringContaining('discover.refresh:')]);
    expect(refused({ domain: 'corp..example' })).toEqual([expect.stringContaining('discover.domain:')]);
  });

  it('binds by a certificate only where one can be shown', () => {
    const tls = { certificate: 'file:own.pem', key: 'env:KEY' };
    const bind = { mechanism: 'external' };
    expect(ldapConfig.parse({ ...document, bind, tls }).bind).toEqual({ ...bind, ...tls });
    expect(refusals({ bind })).toEqual([expect.stringContaining('tls.certificate: is missing')]);
    expect(refusals({ bind, tls, urls: ['ldap://dc1'], allowClearText: true })).toEqual([
      expect.stringContaining('urls.0: is not encrypted, so it can show no certificate'),
    ]);
    expect(refusals({ bind: { ...bind, dn: 'cn=x' }, tls })).toEqual([expect.stringContaining('bind.dn: is not allowed')]);
    expect(refusals({ tls: { certificate: 'file:own.pem' } })).toEqual([expect.stringContaining('tls.key: is missing')]);
  });

  it('lets nobody be found by what the person can set, without a word and a condition', () => {
    const rule = { key: 'mail', filter: '(mail={value})' };
    expect(refusals(located(rule))).toEqual([expect.stringContaining('lookups.user.locate.0.key: mail can be set')]);
    expect(refusals(located({ ...rule, trustUnverified: true }))).toHaveLength(1);
    expect(refusals(located({ ...rule, when: { userType: 'Member' } }))).toHaveLength(1);
    expect(refusals(located({ ...rule, trustUnverified: true, when: { userType: 'Member' } }))).toEqual([]);
    expect(refusals(located({ key: 'onPremisesSamAccountName', filter: '(sAMAccountName={value})' }))).toEqual([]);
  });

  it.each<[boolean, object]>([
    [true, { userType: 'member' }],
    [true, { userType: ['Member'], companyName: 'Contoso' }],
    [true, { onPremisesSamAccountName: { present: true } }],
    [true, { onPremisesUserPrincipalName: { endsWith: '@corp.example' } }],
    [false, { id: { present: true } }],
    [false, { userType: 'Guest' }],
    [false, { userType: ['Member', 'Guest'] }],
    [false, { userType: { startsWith: 'M' } }],
    [false, { userType: { not: 'Guest' } }],
    [false, { userType: { present: true } }],
    [false, { createdDateTime: { present: true } }],
    [false, { preferredDataLocation: 'EUR' }],
    [false, { companyName: 'Contoso' }],
    [false, { onPremisesSamAccountName: { present: false } }],
    [false, { onPremisesSamAccountName: { not: 'adele' } }],
  ])('takes it for a condition that no guest fulfils: %j, %j', (expected, when) => {
    const reasons = refusals(located({ key: 'mail', filter: '(mail={value})', trustUnverified: true, when }));
    expect(reasons.length === 0).toBe(expected);
    for (const reason of reasons) expect(reason).toContain('userType: Member, or a test on an onPremises… property');
  });

  it('tells mappings which attributes a lookup cannot have', () => {
    const refuses = (changes: object, attribute: string): string | undefined =>
      ldapConfig.parse({ ...document, ...withLookup(changes) }).lookups['user']!.refuses(attribute);
    for (const name of ['cn', 'Account.Disabled', 'groups.NAME', '1.2.840.113556.1.4.221', 'description;lang-en'])
      expect(refuses({}, name)).toBeUndefined();
    expect(refuses({}, 'groups.names')).toContain('groups.name,');
    expect(refuses({}, 'account.enabled')).toContain('account.disabled');
    expect(refuses({ entries: 'many' }, 'groups.name')).toContain('entries: many');
    expect(refuses({}, 'tokenGroups')).toContain('scope: base');
    expect(refuses({ scope: 'base' }, 'tokenGroups')).toBeUndefined();
  });

  it('takes the key in the base of a rule', () => {
    const key = 'onPremisesSecurityIdentifier';
    expect(refusals(located({ key, base: '<SID={value:sid}>', scope: 'base', filter: '(objectClass=user)' }))).toEqual([]);
    expect(refusals(withLookup({ base: 'uid={upn},ou=People,dc=x', scope: 'base', filter: '(objectClass=*)' }))).toEqual([]);
  });

  it.each<[object, string]>([
    [{ extra: 1 }, 'extra: is not a known key'],
    [withLookup({ extra: 1 }), 'lookups.user.extra: is not a known key'],
    [{ bind: { dn: 'cn=x', password: 'hunter2' } }, 'bind.password: must be env:NAME or file:PATH'],
    [{ bind: { dn: '', password: 'env:X' } }, 'bind.dn:'],
    [{ bind: { dn: 'cn=x' } }, 'bind.password: is missing'],
    [{ connections: { count: 1 } }, 'connections.count:'],
    [{ connections: { keepAlive: '2h' } }, 'connections.keepAlive: must be between'],
    [{ urls: [] }, 'urls:'],
    [{ urls: ['ldaps://user:secret@dc1'] }, 'urls.0: must be'],
    [{ urls: ['ldaps://dc1/dc=x??sub'] }, 'urls.0: must be'],
    [{ urls: ['https://dc1'] }, 'urls.0: must be'],
    [{ tenants: [] }, 'tenants:'],
    [{ limits: { operation: '0s' } }, 'limits.operation: must be longer'],
    [{ limits: { concurrency: 0 } }, 'limits.concurrency:'],
    [withLookup({ filter: '(cn={upn}' }), 'lookups.user.filter: is not a search filter'],
    [withLookup({ filter: '(cn={other})' }), 'lookups.user.filter: must use exactly the parameters {upn}'],
    [withLookup({ filter: '(cn=x)' }), 'lookups.user.filter: must use exactly'],
    [withLookup({ parameters: ['upn', 'more'] }), 'lookups.user.filter: must use exactly'],
    [withLookup({ parameters: ['upn', 'upn'] }), 'lookups.user.parameters: names a parameter twice'],
    [withLookup({ filter: undefined }), 'lookups.user.locate: is missing'],
    [withLookup({ locate: [{ key: 'id', filter: '(cn={value})' }] }), 'lookups.user.parameters: is not allowed beside locate'],
    [withLookup({ base: 'cn={other},dc=x' }), 'lookups.user.filter: must use exactly the parameters {upn}'],
    [withLookup({ base: 'dc={up' }), 'lookups.user.base: has a brace alone'],
    [withLookup({ entries: 'some' }), 'lookups.user.entries:'],
    [withLookup({ entries: 'many', notFoundWhen: ['disabled'] }), 'lookups.user.notFoundWhen: is for entries: one'],
    [withLookup({ notFoundWhen: ['tired'] }), 'lookups.user.notFoundWhen.0:'],
    [withLookup({ groups: { by: 'magic' } }), 'lookups.user.groups.by:'],
    [withLookup({ groups: { filter: '(cn={upn})' } }), 'lookups.user.groups.filter: takes no placeholder'],
    [withLookup({ groups: { filter: '(cn=' } }), 'lookups.user.groups.filter: is not a search filter'],
    [withLookup({ groups: { leaveOut: ['mine'] } }), 'lookups.user.groups.leaveOut.0:'],
    [{ lookups: { user: { base: 'cn={value},dc=x', locate: [{ key: 'id', filter: '(cn={value})' }] } } }, 'user.base: takes no'],
    [located({ key: 'id', base: '<SID={upn:sid}>', filter: '(cn=x)' }), 'locate.0.filter: must have the placeholder {value}'],
    [located({ key: 'id', filter: '(cn={upn})' }), 'lookups.user.locate.0.filter: must have the placeholder {value}'],
    [located({ key: 'shoeSize', filter: '(cn={value})' }), 'lookups.user.locate.0.key: must be one of'],
  ])('refuses %j', (changes, reason) => {
    expect(refusals(changes)).toContainEqual(expect.stringContaining(reason));
  });
});
