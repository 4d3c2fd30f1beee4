import { unavailable, type LookupQuery, type Outcome, type Source } from '#claims';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

/** Whom the system under test must hold, as attributes of the same names (ignoring case). */
export interface ConformancePerson {
  readonly userPrincipalName: string;
  readonly displayName: string;
  readonly department: string;
  readonly otherTelephone: readonly string[];
}

export const conformancePeople: readonly ConformancePerson[] = [
  ...Array.from({ length: 100 }, (_, index) => ({
    userPrincipalName: `user${index}@corp.example`,
    displayName: `User ${index}`,
    department: `Department ${index}`,
    otherTelephone: index % 2 === 0 ? [`+1 ${index}`] : [],
  })),
  {
    userPrincipalName: 'zoë@corp.example',
    displayName: 'Zoë "Z" O\'Hara, (née Müller) *',
    department: 'Twins',
    otherTelephone: ['+1 5', '+2 5'],
  },
  { userPrincipalName: 'yves@corp.example', displayName: 'Yves', department: 'Twins', otherTelephone: [] },
];

/** The system behind a source, and what can happen to it. */
export interface ConformanceSystem {
  /**
   * With the lookups `person` (parameter `upn`), `colleague` (parameter `department`) and `located` (a locate rule on
   * onPremisesUserPrincipalName), each of them for one person.
   */
  readonly source: Source;
  /** Absent where there is no network between the source and its system. */
  readonly network?: {
    /** Accepts everything and answers nothing. */
    hang(): void | Promise<void>;
    /** Ends every connection and refuses new ones. */
    fail(): void | Promise<void>;
    restore(): void | Promise<void>;
  };
  stop(): Promise<void>;
}

const patient = new AbortController().signal;

function ask(
  source: Source,
  lookup: string,
  parameters: Record<string, string>,
  projection: string[],
  signal = patient,
): Promise<Outcome> {
  const query: LookupQuery = { lookup, parameters: new Map(Object.entries(parameters)), projection };
  return source.fetch(lookup === 'located' ? { ...query, locateRule: 0 } : query, signal);
}

function person(source: Source, upn: string, projection = ['displayName'], signal = patient): Promise<Outcome> {
  return ask(source, 'person', { upn }, projection, signal);
}

function attributesOf(outcome: Outcome): Record<string, readonly unknown[]> | Outcome {
  if (outcome.kind !== 'found') return outcome;
  return Object.fromEntries(outcome.attributes.names.map((name) => [name, outcome.attributes.get(name)]));
}

/** The contract of the source port, for every adapter alike. */
export function describeSource(name: string, start: () => Promise<ConformanceSystem>): void {
  describe(`${name} as a source`, () => {
    let system: ConformanceSystem;
    let source: Source;
    let networked = false;
    beforeAll(async () => {
      system = await start();
      source = system.source;
      networked = system.network !== undefined;
    });
    afterAll(() => system?.stop());
    afterEach(async () => {
      await system.network?.restore();
    });

    it('answers exactly the projection, ignoring case', async () => {
      const all = await person(source, 'user2@corp.example', ['DISPLAYNAME', 'department', 'otherTelephone', 'noSuchThing']);
      expect(attributesOf(all)).toEqual({ displayname: ['User 2'], department: ['Department 2'], othertelephone: ['+1 2'] });
      expect(attributesOf(await person(source, 'user2@corp.example', ['department']))).toEqual({ department: ['Department 2'] });
      expect(attributesOf(await person(source, 'user2@corp.example', []))).toEqual({});
      expect(attributesOf(await person(source, 'user3@corp.example', ['otherTelephone']))).toEqual({});
    });

    it('gives values as they are, several of them too', async () => {
      const outcome = await person(source, 'zoë@corp.example', ['displayName', 'otherTelephone']);
      expect(attributesOf(outcome)).toEqual({
        displayname: ['Zoë "Z" O\'Hara, (née Müller) *'],
        othertelephone: ['+1 5', '+2 5'],
      });
    });

    it('tells nobody, one and several apart', async () => {
      expect(await person(source, 'nobody@corp.example')).toEqual({ kind: 'notFound', reason: 'noEntry' });
      expect(await ask(source, 'colleague', { department: 'Department 7' }, ['displayName'])).toMatchObject({ kind: 'found' });
      expect(await ask(source, 'colleague', { department: 'Twins' }, ['displayName'])).toEqual({ kind: 'ambiguous' });
      expect(await ask(source, 'colleague', { department: 'Twins' }, [])).toEqual({ kind: 'ambiguous' });
    });

    it('finds the person by its locate rule', async () => {
      expect(source.lookups.get('located')).toMatchObject({ parameters: [], locate: [{ key: 'onPremisesUserPrincipalName' }] });
      expect(source.lookups.get('person')).toMatchObject({ parameters: ['upn'], locate: [] });
      expect(attributesOf(await ask(source, 'located', { value: 'user5@corp.example' }, ['displayName']))).toEqual({
        displayname: ['User 5'],
      });
    });

    it.each([
      '*',
      'user*',
      ')(objectClass=*',
      '*)(|(objectClass=*',
      'user1@corp.example)(cn=*',
      "' or 1=1--",
      "'; drop table people; --",
      '$1',
      '\\2a',
      '\0',
      'user1@corp.example\0',
      'user1@corp.example,',
      '\ud800',
      '𝄞‮',
      '%',
      'x'.repeat(10_000),
    ])('finds nobody by %j', async (value) => {
      const notThere = { kind: 'notFound', reason: 'noEntry' };
      expect(await person(source, value)).toEqual(notThere);
      expect(await ask(source, 'located', { value }, ['displayName'])).toEqual(notThere);
    });

    it('gives each of 100 lookups at once its own answer', async () => {
      const outcomes = await Promise.all(
        conformancePeople.slice(0, 100).map(({ userPrincipalName }) => person(source, userPrincipalName, ['displayName'])),
      );
      expect(outcomes.map(attributesOf)).toEqual(Array.from({ length: 100 }, (_, index) => ({ displayname: [`User ${index}`] })));
    });

    it('is up when probed', async () => {
      expect(await source.probe(patient)).toEqual({ kind: 'up' });
    });

    it('settles at once with a signal that is aborted already', async () => {
      expect(await person(source, 'user1@corp.example', [], AbortSignal.abort())).toMatchObject({ reason: 'timeout' });
    });

    it('throws for a defect of ours: an unknown lookup, a missing parameter', async () => {
      await expect(ask(source, 'nothing', {}, [])).rejects.toThrow('nothing');
      await expect(ask(source, 'person', {}, [])).rejects.toThrow('upn');
    });

    it('settles when it is told to, though the system hangs, and works again when the system does', async (context) => {
      context.skip(!networked);
      const { network } = system;
      await network!.hang();
      for (let attempt = 0; attempt < 4; attempt++) {
        const abort = new AbortController();
        const pending = Array.from({ length: 5 }, (_, index) =>
          person(source, `user${index}@corp.example`, ['displayName'], abort.signal),
        );
        setTimeout(() => abort.abort(), 30);
        for (const outcome of await Promise.all(pending))
          expect(outcome).toMatchObject({ kind: 'unavailable', reason: 'timeout' });
      }
      expect(await source.probe(AbortSignal.timeout(30))).toMatchObject({ kind: 'down' });
      await network!.restore();
      await recovered();
    });

    it('says that there is no connection, and recovers by itself', async (context) => {
      context.skip(!networked);
      const { network } = system;
      for (let round = 0; round < 2; round++) {
        await network!.fail();
        await vi.waitFor(
          async () =>
            expect(await person(source, 'user1@corp.example')).toMatchObject({ kind: 'unavailable', reason: 'connection' }),
          { timeout: 15_000 },
        );
        expect(await source.probe(patient)).toMatchObject({ kind: 'down', reason: 'connection' });
        await network!.restore();
        await recovered();
      }
    });

    it('answers after it is closed, and that it is', async () => {
      const underWay = Promise.all([person(source, 'user1@corp.example'), person(source, 'user2@corp.example')]);
      await source.close();
      for (const outcome of await underWay) expect(['found', 'unavailable']).toContain(outcome.kind);
      expect(await person(source, 'user1@corp.example')).toMatchObject(unavailable('internal'));
      expect(await source.probe(patient)).toMatchObject({ kind: 'down', reason: 'internal' });
      await source.close();
    });

    function recovered(): Promise<void> {
      return vi.waitFor(
        async () => expect(attributesOf(await person(source, 'user1@corp.example'))).toEqual({ displayname: ['User 1'] }),
        { timeout: 20_000, interval: 50 },
      );
    }
  });
}
