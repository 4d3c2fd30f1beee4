import type { Outcome, Source } from '#claims';
import type { DirectoryOptions, RunningDirectory } from '#testing';
import { describe, expect, it } from 'vitest';
import { sidBytes } from './identifiers.js';
import { directory, find, ldap, serviceLdif } from './ldap-source.harness.js';

const domain = 'S-1-5-21-1004336348-1177238915-682003330';
const rid = (number: number): string => `${domain}-${number}`;
const bytes = (sid: string): string => sidBytes(sid)!.toString('base64');

interface GroupEntry {
  readonly name: string;
  readonly sid: string;
  readonly members?: readonly string[];
  /** groupType; a global security group by default. */
  readonly type?: number;
  readonly below?: string;
}

const people = 'ou=People,dc=corp,dc=example';
const adele = { dn: `cn=Adele,${people}`, upn: 'adele@corp.example' };
const groupName = (name: string, below = 'ou=Groups,dc=corp,dc=example'): string => `cn=${name},${below}`;

const groups: readonly GroupEntry[] = [
  { name: 'Finance', sid: rid(2001), members: [adele.dn] },
  { name: 'Money', sid: rid(2002), members: [groupName('Finance')] },
  { name: 'Everything', sid: rid(2003), members: [groupName('Money')] },
  { name: 'Others', sid: rid(2004), members: [] },
  { name: 'Domain Users', sid: rid(513), members: [] },
  { name: 'Licensed', sid: rid(2005), members: [groupName('Domain Users')], type: -2_147_483_644 },
  { name: 'Mailing', sid: rid(2006), members: [adele.dn], type: 2 },
  {
    name: 'Users',
    sid: 'S-1-5-32-545',
    members: [groupName('Domain Users')],
    type: -2_147_483_643,
    below: 'cn=Builtin,dc=corp,dc=example',
  },
];

function ldif(
  entries: readonly GroupEntry[] = groups,
  more: readonly string[] = ['userAccountControl: 512', 'primaryGroupID: 513'],
): string {
  return [
    ['dn: dc=corp,dc=example', 'objectClass: domain', 'dc: corp'],
    [`dn: ${people}`, 'objectClass: organizationalUnit', 'ou: People'],
    ['dn: ou=Groups,dc=corp,dc=example', 'objectClass: organizationalUnit', 'ou: Groups'],
    ['dn: cn=Builtin,dc=corp,dc=example', 'objectClass: builtinDomain', 'cn: Builtin'],
    serviceLdif.trim().split('\n'),
    [
      `dn: ${adele.dn}`,
      'objectClass: user',
      'cn: Adele',
      `userPrincipalName: ${adele.upn}`,
      `objectSid:: ${bytes(rid(1104))}`,
      ...more,
    ],
    ...entries.map(({ name, sid, members = [], type = -2_147_483_646, below }) => [
      `dn: ${groupName(name, below)}`,
      'objectClass: group',
      `cn: ${name}`,
      `sAMAccountName: ${name}`,
      `groupType: ${type}`,
      `objectSid:: ${bytes(sid)}`,
      ...members.map((member) => `member: ${member}`),
    ]),
  ]
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

const lookup = { base: 'dc=corp,dc=example', parameters: ['upn'], filter: '(userPrincipalName={upn})' };

async function source(
  options: Partial<DirectoryOptions> & { readonly lookup?: object } = {},
): Promise<{ readonly source: ReturnType<typeof ldap>; readonly running: RunningDirectory }> {
  const { lookup: changes, ...rest } = options;
  const running = await directory({ ldif: ldif(), ...rest });
  return { source: ldap([running.port], { limits: { operation: '2s' }, lookups: { user: { ...lookup, ...changes } } }), running };
}

async function ask(from: Source, ...attributes: string[]): Promise<Outcome | Record<string, readonly unknown[]>> {
  const outcome = await find(from, 'user', { upn: adele.upn }, attributes);
  return outcome.kind === 'found' ? Object.fromEntries(attributes.map((name) => [name, outcome.attributes.get(name)])) : outcome;
}

const named = ['Domain Users', 'Everything', 'Finance', 'Licensed', 'Money'];

describe('groups', () => {
  it('are those that the domain controller computes, by name, name with domain, SID and distinguished name', async () => {
    const { source: ad } = await source();
    expect(await ask(ad, 'groups.name', 'Groups.LongDomainQualifiedName', 'groups.sid', 'groups.dn', 'cn')).toEqual({
      'groups.name': named,
      'Groups.LongDomainQualifiedName': named.map((name) => `corp.example\\${name}`),
      'groups.sid': [rid(2001), rid(2002), rid(2003), rid(2005), rid(513)],
      'groups.dn': named.map((name) => groupName(name)),
      cn: ['Adele'],
    });
  });

  it('are fetched only where they are asked for, and their names once', async () => {
    const { source: ad, running } = await source();
    await ask(ad, 'cn');
    expect(running.searches).toBe(1);
    await ask(ad, 'groups.sid');
    expect(running.searches).toBe(3);
    await ask(ad, 'groups.name');
    // The person, tokenGroups, the directory's own name, the groups.
    expect(running.searches).toBe(7);
    await ask(ad, 'groups.name');
    expect(running.searches).toBe(9);
  });

  it('come with the person where the search is of base scope', async () => {
    const { source: ad, running } = await source({
      lookup: { base: 'cn={upn},ou=People,dc=corp,dc=example', scope: 'base', filter: '(objectClass=user)' },
    });
    const outcome = await find(ad, 'user', { upn: 'Adele' }, ['groups.sid']);
    expect(outcome.kind === 'found' && outcome.attributes.get('groups.sid')).toHaveLength(5);
    expect(running.searches).toBe(1);
  });

  it('are asked for once by 50 people at the same time', async () => {
    const { source: ad, running } = await source();
    await Promise.all(Array.from({ length: 50 }, () => ask(ad, 'groups.name')));
    expect(running.searches).toBe(50 * 2 + 2);
  });

  it('are resolved in batches, and put together from parts', async () => {
    const many = Array.from({ length: 450 }, (_, index): GroupEntry => ({
      name: `G${String(index).padStart(3, '0')}`,
      sid: rid(5_000 + index),
      members: [adele.dn],
    }));
    const { source: ad, running } = await source({ ldif: ldif([groups[4]!, ...many]), valueRange: 200 });
    const outcome = await ask(ad, 'groups.name');
    expect(outcome).toEqual({ 'groups.name': ['Domain Users', ...many.map(({ name }) => name)] });
    // The person, 3 parts of tokenGroups, the directory's own name, 5 batches.
    expect(running.searches).toBe(10);
  });

  it.each([
    ['chain', named],
    ['member', ['Domain Users', 'Finance']],
  ])('by %s are found by search, the primary group with them', async (by, expected) => {
    const { source: ad } = await source({ lookup: { groups: { by } } });
    expect(await ask(ad, 'groups.name')).toEqual({ 'groups.name': expected });
  });

  it.each<[string, object, string[]]>([
    ['leaves nothing out', { leaveOut: [] }, ['Domain Users', 'Everything', 'Finance', 'Licensed', 'Mailing', 'Money', 'Users']],
    [
      'leaves domain local ones out, as AD FS does',
      { leaveOut: ['builtin', 'distribution', 'domainLocal'] },
      ['Domain Users', 'Everything', 'Finance', 'Money'],
    ],
  ])('%s', async (_name, config, expected) => {
    const { source: ad } = await source({ lookup: { groups: { by: 'chain', ...config } } });
    expect(await ask(ad, 'groups.name')).toEqual({ 'groups.name': expected });
  });

  it('that are built in are of no domain', async () => {
    const { source: ad } = await source({ lookup: { groups: { leaveOut: [] } } });
    const answer = await ask(ad, 'groups.longDomainQualifiedName');
    expect(answer).toMatchObject({
      'groups.longDomainQualifiedName': expect.arrayContaining(['BUILTIN\\Users', 'corp.example\\Money']),
    });
  });

  it('of other directories have the name that the configuration says', async () => {
    const config = { by: 'member', name: 'cn', filter: '(&(objectClass=group)(cn=F*))', base: 'ou=Groups,dc=corp,dc=example' };
    const { source: other } = await source({ lookup: { groups: config } });
    expect(await ask(other, 'groups.name')).toEqual({ 'groups.name': ['Domain Users', 'Finance'] });
    const { source: wrong } = await source({ lookup: { groups: { ...config, base: 'ou=Gruppen,dc=corp,dc=example' } } });
    expect(await ask(wrong, 'groups.name')).toMatchObject({ reason: 'refused', detail: expect.stringContaining('noSuchObject') });
  });
});

describe('groups that cannot be read', () => {
  it('are unavailable and never none: tokenGroups without a value', async () => {
    const { source: ad } = await source({ ldif: ldif([], ['userAccountControl: 512']) });
    expect(await ask(ad, 'groups.sid')).toMatchObject({
      kind: 'unavailable',
      reason: 'refused',
      detail: expect.stringContaining('tokenGroups'),
    });
    expect(await ask(ad, 'cn')).toEqual({ cn: ['Adele'] });
  });

  it('are unavailable: a hidden primary group', async () => {
    const { source: ad } = await source({
      ldif: ldif(groups.filter(({ name }) => name !== 'Domain Users')),
      lookup: { groups: { by: 'chain' } },
    });
    expect(await ask(ad, 'groups.name')).toMatchObject({ kind: 'unavailable', reason: 'refused' });
  });

  it('by their SID are left out with a word in the log, or make the lookup unavailable, as the configuration says', async () => {
    const hidden = { ldif: ldif([...groups, { name: 'Hidden', sid: rid(9_999), members: [adele.dn], below: people }]) };
    const config = { base: 'ou=Groups,dc=corp,dc=example' };
    const { source: lenient } = await source({ ...hidden, lookup: { groups: config } });
    expect(await ask(lenient, 'groups.name')).toEqual({ 'groups.name': named });
    expect(await ask(lenient, 'groups.sid')).toEqual({ 'groups.sid': expect.arrayContaining([rid(9_999)]) });
    expect(lenient.logged.filter(({ message }) => message.includes('every group'))).toHaveLength(1);
    const { source: strict } = await source({ ...hidden, lookup: { groups: { ...config, unresolved: 'unavailable' } } });
    expect(await ask(strict, 'groups.name')).toMatchObject({ kind: 'unavailable', reason: 'refused' });
  });

  it('by any of their SIDs are a wrong base or a missing right', async () => {
    const { source: ad } = await source({ lookup: { groups: { base: people } } });
    expect(await ask(ad, 'groups.name')).toMatchObject({ kind: 'unavailable', reason: 'refused' });
  });

  it('have no name of their domain where neither directory nor configuration name one', async () => {
    const { source: told } = await source({ lookup: { groups: { domains: { 'Corp.Example': 'CORP' } } } });
    expect(await ask(told, 'groups.domainQualifiedName')).toEqual({
      'groups.domainQualifiedName': named.map((name) => `CORP\\${name}`),
    });
    const { source: ad } = await source();
    expect(await ask(ad, 'groups.domainQualifiedName')).toMatchObject({ kind: 'unavailable', reason: 'refused' });
  });

  it('in time are unavailable, and what came late serves the next one', async () => {
    const [arrived, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { source: ad, running } = await source({
      onSearch: ({ attributes }) => {
        if (!attributes.includes('groupType')) return undefined;
        arrived.resolve();
        return gate.promise;
      },
    });
    const abort = new AbortController();
    const late = find(ad, 'user', { upn: adele.upn }, ['groups.name'], abort.signal);
    await arrived.promise;
    abort.abort();
    expect(await late).toMatchObject({ kind: 'unavailable', reason: 'timeout' });
    const before = running.searches;
    gate.resolve();
    expect(await ask(ad, 'groups.name')).toEqual({ 'groups.name': named });
    expect(running.searches).toBe(before + 2);
  });

  it('because their connection was lost are asked for once more, from the person on', async () => {
    let asked = 0;
    const { source: ad, running } = await source({
      onSearch: ({ attributes }) => (attributes.includes('tokenGroups') && ++asked === 1 ? 'disconnect' : undefined),
    });
    expect(await ask(ad, 'groups.sid')).toEqual({ 'groups.sid': expect.arrayContaining([rid(2001)]) });
    expect(asked).toBe(2);
    expect(running.searches).toBe(4);
    const { source: down } = await source({
      onSearch: ({ attributes }) => (attributes.includes('tokenGroups') ? 'disconnect' : undefined),
    });
    expect(await ask(down, 'groups.sid')).toMatchObject({ kind: 'unavailable', reason: 'connection' });
  });

  it('because the directory hangs or fails at any step are unavailable, and none is left waiting', async () => {
    for (const [step, fault] of [
      ['tokenGroups', 'silence'],
      ['groupType', 'silence'],
      ['tokenGroups', { code: 53 }],
      ['groupType', { code: 50 }],
      ['defaultNamingContext', { code: 80 }],
    ] as const) {
      const { source: ad } = await source({ onSearch: ({ attributes }) => (attributes.includes(step) ? fault : undefined) });
      const signal = fault === 'silence' ? AbortSignal.timeout(200) : undefined;
      const outcome = await find(ad, 'user', { upn: adele.upn }, ['groups.name'], signal);
      expect(outcome).toMatchObject({ kind: 'unavailable', reason: fault === 'silence' ? 'timeout' : 'refused' });
    }
  });

  it('because the search is not of base scope are no reason to ask, and to lose a connection', async () => {
    const { source: ad, running } = await source();
    expect(await ask(ad, 'TokenGroups', 'cn')).toMatchObject({ kind: 'unavailable', reason: 'refused' });
    expect(running.searches).toBe(0);
    const base = { base: `cn={upn},${people}`, scope: 'base', filter: '(objectClass=user)' };
    const { source: atBase } = await source({ lookup: base });
    const outcome = await find(atBase, 'user', { upn: 'Adele' }, ['TokenGroups']);
    expect(outcome.kind === 'found' && outcome.attributes.get('tokenGroups').length).toBeGreaterThan(3);
  });

  it('because there is no such attribute are told from none', async () => {
    const { source: ad } = await source();
    expect(await ask(ad, 'groups.names')).toMatchObject({ reason: 'refused', detail: expect.stringContaining('groups.names') });
    expect(await ask(ad, 'account.enabled')).toMatchObject({ reason: 'refused' });
    expect(await ask(ad, '1.2.840.113556.1.4.221')).toEqual({ '1.2.840.113556.1.4.221': [] });
    const { source: many } = await source({ lookup: { entries: 'many' } });
    expect(await ask(many, 'groups.name')).toMatchObject({ reason: 'refused' });
  });
});

describe('accounts', () => {
  const state = (lines: readonly string[], changes: object = {}): ReturnType<typeof source> =>
    source({ ldif: ldif(groups, ['primaryGroupID: 513', ...lines]), lookup: changes });
  const fine = ['userAccountControl: 512', 'msDS-User-Account-Control-Computed: 0'];

  it('are described', async () => {
    const { source: ad } = await state([
      'userAccountControl: 514',
      'msDS-User-Account-Control-Computed: 8388624',
      'accountExpires: 1',
    ]);
    expect(
      await ask(
        ad,
        'account.disabled',
        'account.locked',
        'Account.Expired',
        'account.passwordExpired',
        'account.flags',
        'userAccountControl',
      ),
    ).toEqual({
      'account.disabled': ['true'],
      'account.locked': ['true'],
      'Account.Expired': ['true'],
      'account.passwordExpired': ['true'],
      'account.flags': ['ACCOUNTDISABLE', 'LOCKOUT', 'NORMAL_ACCOUNT', 'PASSWORD_EXPIRED'],
      userAccountControl: ['514'],
    });
  });

  it('count whatever their state, unless the lookup says otherwise', async () => {
    const disabled = ['userAccountControl: 514', 'msDS-User-Account-Control-Computed: 0'];
    expect(await ask((await state(disabled)).source, 'cn')).toEqual({ cn: ['Adele'] });
    const strict = { notFoundWhen: ['disabled', 'locked', 'expired'] };
    const { source: ad, running } = await state(disabled, strict);
    expect(await ask(ad, 'cn', 'groups.name')).toEqual({ kind: 'notFound', reason: 'excluded' });
    expect(running.searches).toBe(1);
    expect(await ask((await state(fine, strict)).source, 'cn')).toEqual({ cn: ['Adele'] });
    expect(await ask((await state([...fine, 'accountExpires: 1'], strict)).source, 'cn')).toMatchObject({ reason: 'excluded' });
  });

  it('of which the directory does not say are unavailable', async () => {
    const { source: ad } = await state([]);
    expect(await ask(ad, 'account.disabled')).toMatchObject({ kind: 'unavailable', reason: 'refused' });
    const { source: strict } = await state(['userAccountControl: 512'], { notFoundWhen: ['locked'] });
    expect(await ask(strict, 'cn')).toMatchObject({ kind: 'unavailable', reason: 'refused' });
  });
});
