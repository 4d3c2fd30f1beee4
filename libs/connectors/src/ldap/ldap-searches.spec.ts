import type { Outcome, Source } from '#claims';
import { describeWithSlapd, startDirectory, startSlapd } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { directory, find, ldap, serviceLdif } from './ldap-source.harness.js';

const people = 'ou=People,dc=corp,dc=example';
const odd = [' Ada, "the" #1', 'a+b=c', 'Zoë \\ Müller', '<SID=1>', 'x;y/z'];
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** 1,200 people in teams of 1, 400 and 799, and five with names that mean something to a distinguished name. */
function ldif(): string {
  const team = (index: number): string => (index === 0 ? 'Lone' : index <= 400 ? 'Red' : 'Blue');
  const entry = (cn: string, department: string): readonly string[] => [
    `dn:: ${base64(`cn=${[...Buffer.from(cn)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')},${people}`)}`,
    'objectClass: user',
    `cn:: ${base64(cn)}`,
    `department: ${department}`,
    `telephoneNumber: ${department} 1`,
  ];
  return [
    ['dn: dc=corp,dc=example', 'objectClass: dcObject', 'objectClass: organization', 'dc: corp', 'o: Corp'],
    [`dn: ${people}`, 'objectClass: organizationalUnit', 'ou: People'],
    serviceLdif.trim().split('\n'),
    ...odd.map((cn) => entry(cn, 'Odd')),
    ...Array.from({ length: 1_200 }, (_, index) => entry(`p${index}`, team(index))),
  ]
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

const byName = { base: `cn={cn},${people}`, scope: 'base', parameters: ['cn'], filter: '(objectClass=user)' };
const team = { base: people, parameters: ['d'], filter: '(department={d})', entries: 'many' };

function describeSearches(name: string, start: () => Promise<{ readonly port: number; stop(): Promise<void> }>): void {
  describe(`searches in ${name}`, () => {
    let port: number;
    let stop: () => Promise<void>;
    beforeAll(async () => {
      const running = await start();
      port = running.port;
      stop = () => running.stop();
    });
    afterAll(() => stop?.());

    const source = (): Source => ldap([port], { limits: { operation: '20s' }, lookups: { 'by-name': byName, team } });
    const namesOf = (outcome: Outcome): readonly unknown[] | Outcome =>
      outcome.kind === 'found' ? outcome.attributes.get('cn') : outcome;

    it('begin at the entry that a value names, whatever is in it', async () => {
      const one = source();
      for (const cn of [...odd.filter((text) => text.trim() === text), 'p7'])
        expect(namesOf(await find(one, 'by-name', { cn }, ['cn']))).toEqual([cn]);
    });

    it.each([
      'nobody',
      'p1,ou=People',
      'p1+cn=p2',
      'p1,dc=corp',
      '*',
      '',
      '=',
      'x'.repeat(70_000),
      '\0',
      ' p7',
      '\ud800',
      '\\70\\37',
    ])('find nobody at %j: it is no mistake of the configuration', async (cn) => {
      expect(await find(source(), 'by-name', { cn }, ['cn'])).toEqual({ kind: 'notFound', reason: 'noEntry' });
    });

    it('for many answer the values of all entries, page by page', async () => {
      const many = source();
      expect(namesOf(await find(many, 'team', { d: 'Lone' }, ['cn']))).toEqual(['p0']);
      const outcome = await find(many, 'team', { d: 'Blue' }, ['CN', 'telephonenumber', 'title']);
      if (outcome.kind !== 'found') throw new Error(JSON.stringify(outcome));
      expect(outcome.attributes.get('cn').toSorted()).toEqual(
        Array.from({ length: 799 }, (_, index) => `p${401 + index}`).toSorted(),
      );
      expect(outcome.attributes.get('telephoneNumber')).toEqual(Array.from({ length: 799 }, () => 'Blue 1'));
      expect(await find(many, 'team', { d: 'Green' }, ['cn'])).toEqual({ kind: 'notFound', reason: 'noEntry' });
    });

    it('for many do not disturb each other', async () => {
      const many = source();
      const outcomes = await Promise.all(Array.from({ length: 6 }, () => find(many, 'team', { d: 'Blue' }, ['cn'])));
      for (const outcome of outcomes) expect(namesOf(outcome)).toHaveLength(799);
    });

    it('for many end at 1,000 entries', async () => {
      const all = ldap([port], {
        limits: { operation: '20s' },
        lookups: { all: { ...team, filter: '(|(cn={d})(objectClass=user))' } },
      });
      expect(await find(all, 'all', { d: 'x' }, ['cn'])).toMatchObject({ kind: 'unavailable', reason: 'limit' });
    });
  });
}

describeSearches('an LDAP directory in process', () => startDirectory({ ldif: ldif() }));

describeWithSlapd(describe, 'with OpenLDAP', () => {
  describeSearches('OpenLDAP', () => startSlapd({ ldif: ldif() }));

  describe('a reference to another server', () => {
    const text = `${ldif()}\ndn: ou=Elsewhere,${people}\nobjectClass: referral\nobjectClass: extensibleObject\nou: Elsewhere\nref: ldap://other.example/ou=People,dc=other,dc=example\n`;
    let running: Awaited<ReturnType<typeof startSlapd>>;
    beforeAll(async () => {
      running = await startSlapd({ ldif: text });
    });
    afterAll(() => running?.stop());

    const source = (changes: object = {}): ReturnType<typeof ldap> =>
      ldap([running.port], {
        limits: { operation: '20s' },
        lookups: {
          one: { base: people, parameters: ['cn'], filter: '(cn={cn})', ...changes },
          there: { base: `ou=Elsewhere,${people}`, parameters: ['cn'], filter: '(cn={cn})', ...changes },
          team: { ...team, ...changes },
        },
      });
    const elsewhere = { kind: 'unavailable', reason: 'refused', detail: expect.stringContaining('referral') };

    it('is told once, and makes nobody unknown', async () => {
      const careful = source();
      expect(await find(careful, 'one', { cn: 'nobody' })).toMatchObject(elsewhere);
      expect(await find(careful, 'one', { cn: 'no one' })).toMatchObject(elsewhere);
      expect(careful.logged.filter(({ message }) => message.includes('referrals'))).toHaveLength(1);
      expect(await find(careful, 'one', { cn: 'p1' }, ['cn'])).toMatchObject({ kind: 'found' });
      expect(await find(careful, 'team', { d: 'Red' }, ['cn'])).toMatchObject(elsewhere);
      expect(JSON.stringify(careful.logged)).not.toContain('other.example');
    });

    it('means nobody where the operator says so', async () => {
      const sure = source({ referrals: 'ignore' });
      expect(await find(sure, 'one', { cn: 'nobody' })).toEqual({ kind: 'notFound', reason: 'noEntry' });
      expect(await find(sure, 'team', { d: 'Lone' }, ['cn'])).toMatchObject({ kind: 'found' });
      expect(sure.logged).toHaveLength(2); // one for each lookup
    });

    it('instead of an answer is no answer', async () => {
      expect(await find(source({ referrals: 'ignore' }), 'there', { cn: 'p1' })).toEqual({
        kind: 'unavailable',
        reason: 'refused',
        detail: 'referral (10)',
      });
    });
  });
});

describe('searches for many entries', () => {
  it('do not wait for each other where their answers fit into a page', async () => {
    const all = Promise.withResolvers<void>();
    let arrived = 0;
    const running = await directory({
      onSearch: ({ base }) => {
        if (base === '') return undefined;
        if (++arrived === 10) all.resolve();
        return all.promise;
      },
    });
    const lookups = { team: { ...team, base: 'dc=corp,dc=example' } };
    const source = ldap([running.port], { limits: { operation: '20s' }, lookups });
    const signal = AbortSignal.timeout(5_000);
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => find(source, 'team', { d: 'Finance' }, ['cn'], signal)));
    for (const outcome of outcomes) expect(outcome.kind === 'found' && outcome.attributes.get('cn')).toHaveLength(2);
  });
});

describe('an answer that the server cut short', () => {
  it('is no list of many', async () => {
    const running = await directory({ ldif: ldif(), sizeLimit: 100 });
    const lookups = { team: { ...team, entries: 'many' }, two: { ...team, entries: 'one' } };
    const source = ldap([running.port], { limits: { operation: '20s' }, lookups });
    const outcome = await find(source, 'team', { d: 'Red' }, ['cn']);
    expect(outcome.kind === 'found' ? outcome.attributes.get('cn').length : outcome).toBe(400);
    expect(await find(source, 'two', { d: 'Red' }, ['cn'])).toEqual({ kind: 'ambiguous' });
  });
});

describe('a search that the server ends at a limit of its own', () => {
  it.each([
    ['time', 3, 'timeout', 'timeLimitExceeded (3)'],
    ['administration', 11, 'limit', 'adminLimitExceeded (11)'],
  ] as const)('of %s is unavailable by it', async (_, code, reason, detail) => {
    const running = await directory({ onSearch: ({ base }) => (base === '' ? undefined : { code }) });
    const source = ldap([running.port], { limits: { operation: '20s' }, lookups: { team } });
    expect(await find(source, 'team', { d: 'Red' }, ['cn'])).toEqual({ kind: 'unavailable', reason, detail });
  });
});
