import net from 'node:net';
import type { Outcome, Source } from '#claims';
import { describeWithSamba, startSamba, type RunningSamba } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Conversation } from './conversation.js';
import { everything } from './filters.js';
import { LdapConnection } from './ldap-connection.js';
import { LdapConnector } from './ldap-connector.js';
import { readWhole } from './read-whole.js';
import { Password, find, patient } from './ldap-source.harness.js';

const root = 'DC=corp,DC=example';
const fileTime = (milliseconds: number): string => ((BigInt(milliseconds) + 11_644_473_600_000n) * 10_000n).toString();
const password = 'A-long-Passw0rd-of-a-service';

interface Person {
  readonly name: string;
  readonly more?: readonly string[];
}

const people: readonly Person[] = [
  { name: 'adele' },
  { name: 'disabled', more: ['userAccountControl: 514'] },
  { name: 'locked', more: [`lockoutTime: ${fileTime(Date.now())}`] },
  { name: 'expired', more: [`accountExpires: ${fileTime(Date.UTC(2020, 0, 1))}`] },
  { name: 'expiring', more: [`accountExpires: ${fileTime(Date.UTC(2100, 0, 1))}`] },
  { name: 'never', more: ['accountExpires: 0'] },
  { name: 'mustchange', more: ['pwdLastSet: 0'] },
  { name: 'lonely' },
];

const dnOf = (name: string): string => `CN=${name},OU=People,${root}`;
const group = (name: string): string => `CN=${name},OU=Groups,${root}`;

/** groupType: global, domain local, universal security groups, and a global one without security. */
const kinds = { global: -2_147_483_646, domainLocal: -2_147_483_644, universal: -2_147_483_640, distribution: 2 };

const groups: readonly (readonly [name: string, kind: keyof typeof kinds, members: readonly string[]])[] = [
  ['Finance', 'global', [dnOf('adele')]],
  ['Money', 'universal', [group('Finance')]],
  ['Everything', 'domainLocal', [group('Money')]],
  ['Mailing', 'distribution', [dnOf('adele')]],
  ['Licensed', 'universal', [`CN=Domain Users,CN=Users,${root}`]],
  ['Crowd', 'distribution', people.map(({ name }) => dnOf(name))],
  ['Comma\\, Inc', 'global', [dnOf('adele')]],
];

const ldif = [
  ...['People', 'Groups', 'Services'].map((name) => [`dn: OU=${name},${root}`, 'objectClass: organizationalUnit', `ou: ${name}`]),
  [
    `dn: CN=service,OU=Services,${root}`,
    'objectClass: user',
    'cn: service',
    'sAMAccountName: service',
    `userPassword: ${password}`,
  ],
  ...people.map(({ name, more = [] }) => [
    `dn: ${dnOf(name)}`,
    'objectClass: user',
    `cn: ${name}`,
    `sAMAccountName: ${name}`,
    `userPrincipalName: ${name}@corp.example`,
    ...(more.includes('pwdLastSet: 0') ? [`userPassword: ${password}`] : []),
    ...more,
  ]),
  ...groups.map(([name, kind, members]) => [
    `dn: ${group(name)}`,
    'objectClass: group',
    `cn: ${name.replaceAll('\\', '')}`,
    `sAMAccountName: ${name.replaceAll(/[\\,]/g, '')}`,
    `groupType: ${kinds[kind]}`,
    ...members.map((member) => `member: ${member}`),
  ]),
]
  .map((lines) => `${lines.join('\n')}\n`)
  .join('\n');

/** Those of adele, by sAMAccountName. */
const named = ['Comma Inc', 'Domain Users', 'Everything', 'Finance', 'Licensed', 'Money'];

describeWithSamba(describe, 'Active Directory (Samba)', () => {
  let samba: RunningSamba;
  beforeAll(async () => {
    samba = await startSamba({ ldif, requireStrongAuth: false });
  }, 120_000);
  afterAll(() => samba?.stop());

  const byUpn = { base: root, parameters: ['upn'], filter: '(&(objectClass=user)(userPrincipalName={upn}))' };

  function service(config: object): Source {
    const connector = new LdapConnector();
    const parsed = connector.config.parse({
      type: 'ldap',
      tenants: ['contoso'],
      urls: [samba.url],
      allowClearText: true,
      bind: { dn: `CN=service,OU=Services,${root}`, password: 'env:PASSWORD' },
      limits: { operation: '10s', connect: '5s' },
      lookups: { it: byUpn },
      ...config,
    });
    const log = { warn: () => undefined, error: () => undefined };
    return connector.create('corp-ad', parsed, { secrets: new Password(password), log });
  }

  async function asked(
    lookup: object,
    parameters: Record<string, string>,
    attributes: string[],
    url = samba.url,
  ): Promise<Outcome> {
    const source = service({ urls: [url], lookups: { it: lookup } });
    try {
      return await find(source, 'it', parameters, attributes);
    } finally {
      await source.close();
    }
  }

  const upn = (name: string): { upn: string } => ({ upn: `${name}@corp.example` });

  async function valuesOf(outcome: Promise<Outcome>, ...names: string[]): Promise<Outcome | readonly (readonly unknown[])[]> {
    const settled = await outcome;
    return settled.kind === 'found' ? names.map((name) => settled.attributes.get(name)) : settled;
  }

  const groupsOf = (name: string, config: object, form = 'groups.name', url = samba.url): ReturnType<typeof valuesOf> =>
    valuesOf(asked({ ...byUpn, groups: config }, upn(name), [form], url), form);

  it('answers just before a full second, when its clock ends what may take one second', async () => {
    const source = service({ limits: { operation: '900ms', connect: '5s' } });
    try {
      await find(source, 'it', upn('adele'), ['cn']);
      for (let round = 0; round < 3; round++) {
        await new Promise((resolve) => setTimeout(resolve, 990 - (Date.now() % 1_000) + 1_000));
        const outcomes = await Promise.all(Array.from({ length: 100 }, () => find(source, 'it', upn('adele'), ['cn'])));
        expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['found']));
      }
    } finally {
      await source.close();
    }
  });

  it('is searched at a SID and at a GUID', async () => {
    const { objectSid, objectGuid } = await samba.identityOf(dnOf('adele'));
    const at = (base: string): object => ({ base, scope: 'base', parameters: ['id'], filter: '(objectClass=user)' });
    expect(await valuesOf(asked(at('<SID={id:sid}>'), { id: objectSid }, ['cn']), 'cn')).toEqual([['adele']]);
    expect(await valuesOf(asked(at('<GUID={id:guid}>'), { id: objectGuid }, ['cn']), 'cn')).toEqual([['adele']]);
    const nobody = { kind: 'notFound', reason: 'noEntry' };
    expect(await asked(at('<SID={id:sid}>'), { id: `${samba.domainSid}-99999` }, ['cn'])).toEqual(nobody);
    expect(await asked(at('<SID={id:sid}>'), { id: 'S-1-5-21-1-2-3-500' }, ['cn'])).toEqual(nobody);
    expect(await asked(at('<GUID={id:guid}>'), { id: '00112233-4455-6677-8899-aabbccddeeff' }, ['cn'])).toEqual(nobody);
    expect(await asked(at('<SID={id:sid}>'), { id: 'adele' }, ['cn'])).toEqual(nobody);
    const bySid = { ...at('<SID={id:sid}>'), groups: {} };
    expect(await valuesOf(asked(bySid, { id: objectSid }, ['groups.name']), 'groups.name')).toEqual([named]);
  });

  it('is searched at a name that a value completes', async () => {
    const at = { base: `CN={cn},OU=Groups,${root}`, scope: 'base', parameters: ['cn'], filter: '(objectClass=group)' };
    expect(await valuesOf(asked(at, { cn: 'Comma, Inc' }, ['sAMAccountName']), 'sAMAccountName')).toEqual([['Comma Inc']]);
    for (const cn of ['Comma', 'nobody', 'Finance,OU=Groups', 'x"y', 'x'.repeat(300)])
      expect(await asked(at, { cn }, ['cn'])).toEqual({ kind: 'notFound', reason: 'noEntry' });
  });

  it('from its root on knows who is nobody, although it refers to its zones and its configuration', async () => {
    expect(await asked(byUpn, upn('nobody'), ['cn'])).toEqual({ kind: 'notFound', reason: 'noEntry' });
  });

  it('computes the nested groups, the primary one and its own among them', async () => {
    expect(await groupsOf('adele', {})).toEqual([named]);
    expect(await groupsOf('adele', {}, 'groups.domainQualifiedName')).toEqual([named.map((name) => `CORP\\${name}`)]);
    expect(await groupsOf('adele', {}, 'groups.longDomainQualifiedName')).toEqual([named.map((name) => `corp.example\\${name}`)]);
    expect(await groupsOf('lonely', {})).toEqual([['Domain Users', 'Licensed']]);
    expect(await groupsOf('adele', { by: 'tokenGroupsGlobalAndUniversal' })).toEqual([
      named.filter((name) => name !== 'Everything'),
    ]);
    const sids = await Promise.all(['Finance', 'Money'].map((name) => samba.identityOf(group(name))));
    expect((await groupsOf('adele', {}, 'groups.sid')) as unknown[][]).toEqual([
      expect.arrayContaining([...sids.map(({ objectSid }) => objectSid), `${samba.domainSid}-513`]),
    ]);
    expect(await groupsOf('adele', {}, 'groups.dn')).toEqual([expect.arrayContaining([group('Comma\\, Inc'), group('Money')])]);
  });

  it('has built-in and domain local groups, which count where the lookup says so', async () => {
    expect(await groupsOf('adele', { leaveOut: [] }, 'groups.domainQualifiedName')).toEqual([
      expect.arrayContaining(['BUILTIN\\Users', 'CORP\\Everything']),
    ]);
    expect(await groupsOf('adele', { leaveOut: ['builtin', 'domainLocal'] })).toEqual([
      named.filter((name) => name !== 'Everything'),
    ]);
  });

  it('finds the same groups by its matching rule, and the direct ones by member', async () => {
    expect(await groupsOf('adele', { by: 'chain' })).toEqual([named]);
    expect(await groupsOf('adele', { by: 'chain', leaveOut: ['builtin'] })).toEqual([[...named, 'Crowd', 'Mailing'].toSorted()]);
    expect(await groupsOf('adele', { by: 'member' })).toEqual([['Comma Inc', 'Domain Users', 'Finance']]);
  });

  it('has another primary group where the account says so', async () => {
    const { objectSid } = await samba.identityOf(group('Finance'));
    const rid = objectSid.split('-').at(-1)!;
    const change = `dn: ${dnOf('lonely')}\nchangetype: modify\nreplace: primaryGroupID\nprimaryGroupID: ${rid}\n-\n\n`;
    await samba.modify(`dn: ${group('Finance')}\nchangetype: modify\nadd: member\nmember: ${dnOf('lonely')}\n-\n\n${change}`);
    for (const by of ['tokenGroups', 'chain', 'member']) {
      const [found] = (await groupsOf('lonely', { by })) as string[][];
      expect(found).toContain('Finance');
      expect(found?.includes('Money')).toBe(by !== 'member');
    }
  });

  it('says what state an account is in', async () => {
    const conditions = ['account.disabled', 'account.locked', 'account.expired', 'account.passwordExpired'];
    const stateOf = async (name: string): Promise<readonly unknown[] | Outcome> => {
      const values = await valuesOf(asked(byUpn, upn(name), conditions), ...conditions);
      return 'kind' in values
        ? values
        : conditions.filter((_, index) => values[index]![0] === 'true').map((condition) => condition.slice(8));
    };
    expect(await stateOf('disabled')).toContain('disabled');
    expect(await stateOf('locked')).toContain('locked');
    expect(await stateOf('expired')).toContain('expired');
    for (const name of ['expiring', 'never']) expect(await stateOf(name)).not.toContain('expired');
    expect(await stateOf('mustchange')).toContain('passwordExpired');
    expect(await stateOf('adele')).toEqual(expect.not.arrayContaining(['disabled', 'locked', 'expired']));
    const strict = { ...byUpn, notFoundWhen: ['disabled', 'locked', 'expired'] };
    for (const name of ['disabled', 'locked', 'expired'])
      expect(await asked(strict, upn(name), ['cn'])).toEqual({ kind: 'notFound', reason: 'excluded' });
    for (const name of ['adele', 'expiring', 'never'])
      expect(await valuesOf(asked(strict, upn(name), ['cn']), 'cn')).toEqual([[name]]);
  });

  it('sends a part of the values where it is asked for one, and the rest when it is asked to go on', async () => {
    const connection = new LdapConnection(net.connect(389, samba.address));
    try {
      const { dn, password: own } = samba.administrator;
      expect(await connection.bind(dn, own, patient)).toMatchObject({ code: 0 });
      const conversation = new Conversation({ giveUp: () => false }, connection, 5, patient);
      const attributes = ['member;range=0-1'];
      const answer = await conversation.search({ base: group('Crowd'), scope: 'base', filter: everything, attributes }, 1);
      if (answer.kind === 'unavailable') throw new Error(answer.detail);
      const [part] = answer.entries;
      expect(part?.attributes.map(({ type, values }) => [type, values.length])).toContainEqual(['member;range=0-1', 2]);
      const whole = await readWhole(conversation, part!, ['member'], new Set());
      if (whole.kind === 'unavailable') throw new Error(whole.detail);
      expect(whole.reader.values('member').toSorted()).toEqual(people.map(({ name }) => dnOf(name)).toSorted());
    } finally {
      connection.close();
    }
  });

  it('gives identifiers as bytes', async () => {
    const outcome = await asked(byUpn, upn('adele'), ['objectGUID', 'objectSid']);
    if (outcome.kind !== 'found') throw new Error(JSON.stringify(outcome));
    for (const [name, length] of [
      ['objectGUID', 16],
      ['objectSid', 28],
    ] as const)
      expect(outcome.attributes.get(name)).toEqual([expect.objectContaining({ length, byteOffset: expect.any(Number) })]);
  });

  it('answers as a global catalog too, with the whole forest as its base', async () => {
    const inForest = { ...byUpn, base: '', groups: { base: '' } };
    const names = ['cn', 'groups.name'];
    expect(await valuesOf(asked(inForest, upn('adele'), names, samba.globalCatalogUrl), ...names)).toEqual([['adele'], named]);
    expect(await asked(inForest, upn('nobody'), ['cn'], samba.globalCatalogUrl)).toEqual({ kind: 'notFound', reason: 'noEntry' });
    expect(await asked(inForest, upn('adele'), ['cn'])).toMatchObject({ kind: 'unavailable', reason: 'refused' });
    expect(await groupsOf('adele', {}, 'groups.name', samba.globalCatalogUrl)).toEqual([named]);
  });
});
