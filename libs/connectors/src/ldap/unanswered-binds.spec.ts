import { describe, expect, it, vi } from 'vitest';
import { LdapConnector } from './ldap-connector.js';
import { adele, directory, find, ldap, Password, patient, proxy } from './ldap-source.harness.js';
import { RefusedAccounts } from './refused-accounts.js';

describe('a bind that has no answer', () => {
  const unhurried = { limits: { connect: '1s', operation: '1s' } };
  const never = new Promise<undefined>(() => undefined);
  const asked = async (source: ReturnType<typeof ldap>, times = 20): Promise<unknown[]> => {
    const outcomes: unknown[] = [];
    for (let round = 0; round < times; round++) outcomes.push(await find(source, 'user', adele));
    return outcomes;
  };

  const connected = (source: ReturnType<typeof ldap>, running: { readonly binds: readonly number[] }): Promise<void> =>
    vi.waitFor(
      async () => {
        await find(source, 'user', adele);
        expect(running.binds).toEqual([0, 0]);
      },
      { timeout: 10_000 },
    );

  /** Answers are given up sooner than after the 10 s that they are heard out for. */
  function hearOutFor(milliseconds: number): void {
    const original = setTimeout;
    const sooner = (run: () => void, delay?: number): NodeJS.Timeout => original(run, delay === 10_000 ? milliseconds : delay);
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(sooner as typeof setTimeout);
  }

  it(
    'by a secret that was never accepted is followed by one elsewhere, and by one more at each server when it is overdue',
    {
      timeout: 60_000,
    },
    async () => {
      hearOutFor(1_000);
      const binds = [0, 0];
      const hanging = async (index: number) => directory({ onBind: () => (binds[index]!++, never) });
      const servers = [await hanging(0), await hanging(1)];
      const password = new Password('right');
      const source = ldap(
        servers.map(({ port }) => port),
        unhurried,
        password,
      );
      const offered = (...counts: number[]): Promise<void> =>
        vi.waitFor(
          async () => {
            await source.probe(patient);
            expect(binds).toEqual(counts);
          },
          { timeout: 20_000 },
        );
      await offered(2, 2);
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      for (const outcome of await asked(source)) expect(outcome).toMatchObject({ kind: 'unavailable', reason: 'connection' });
      expect(await source.probe(patient)).toMatchObject({ kind: 'down', reason: 'connection' });
      expect(binds).toEqual([2, 2]);
      password.text = 'another';
      await vi.waitFor(
        async () => {
          await source.probe(patient);
          expect(binds[0]! + binds[1]!).toBeGreaterThan(4);
        },
        { timeout: 20_000 },
      );
    },
  );

  it('at the first server keeps no source from the second', { timeout: 30_000 }, async () => {
    const connector = new LdapConnector();
    const [hanging, healthy] = [await directory({ onBind: () => never }), await directory()];
    const sources = [1, 2, 3].map(() => ldap([hanging.port, healthy.port], unhurried, undefined, connector));
    await vi.waitFor(
      async () => {
        for (const source of sources) expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' });
      },
      { timeout: 15_000 },
    );
  });

  it('ends what it holds back as soon as the server accepts it after all', { timeout: 30_000 }, async () => {
    hearOutFor(100);
    const answer = Promise.withResolvers<undefined>();
    let binds = 0;
    const source = ldap([(await directory({ onBind: () => (++binds <= 2 ? answer.promise : undefined) })).port], unhurried);
    await vi.waitFor(
      async () => {
        await source.probe(patient);
        expect(binds).toBe(2);
      },
      { timeout: 15_000 },
    );
    await asked(source);
    expect(binds).toBe(2);
    answer.resolve(undefined);
    await vi.waitFor(async () => expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' }), { timeout: 10_000 });
  });

  it('by a secret that was accepted before is followed by one other, where the server speaks', { timeout: 30_000 }, async () => {
    let [isSlow, binds] = [false, 0];
    const running = await directory({ onBind: () => (isSlow ? (binds++, never) : undefined) });
    const source = ldap([running.port], unhurried);
    await connected(source, running);
    isSlow = true;
    running.dropConnections();
    await vi.waitFor(
      async () => {
        await find(source, 'user', adele);
        expect(binds).toBe(2);
      },
      { timeout: 10_000 },
    );
    await asked(source);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await source.probe(patient);
    expect(binds).toBe(2);
  });

  it('is not followed by another where the server says nothing at all', { timeout: 30_000 }, async () => {
    const running = await directory();
    let binds = 0;
    const wire = await proxy(running, (sent) => void (binds += sent.includes('cn=service') ? 1 : 0));
    const source = ldap([wire.port], unhurried);
    await connected(source, running);
    running.pause();
    wire.cut();
    for (let attempt = 0; attempt < 5; attempt++) expect(await source.probe(patient)).toMatchObject({ reason: 'connection' });
    expect(binds).toBe(3);
    running.resume();
    await vi.waitFor(async () => expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' }), { timeout: 10_000 });
  });

  it('by a secret that was accepted before is not waited for where the server speaks', { timeout: 30_000 }, async () => {
    let isNext = false;
    const onBind = (): typeof never | undefined => {
      const isLost = isNext;
      isNext = false;
      return isLost ? never : undefined;
    };
    const running = await directory({ onBind });
    const source = ldap([running.port], unhurried);
    await connected(source, running);
    isNext = true;
    running.dropConnections();
    // The third is the one on which the bind is heard out.
    await vi.waitFor(
      async () => {
        expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' });
        expect(running.connections).toBe(3);
      },
      { timeout: 20_000 },
    );
  });
});

describe('several sources that bind as one account', () => {
  const patience = { limits: { connect: '10s', operation: '10s' } };
  const account = (dn: string) => ({ ...patience, bind: { dn, password: 'env:PASSWORD' } });

  it('offer a wrong password once, one after the other', async () => {
    const directories = [await directory(), await directory(), await directory()];
    const connector = new LdapConnector();
    const password = new Password('an old one');
    const bindDns = ['cn=service,dc=corp,dc=example', 'CN=Service,DC=corp,DC=example', 'cn=service,dc=corp,dc=example'];
    const sources = directories.map(({ port }, index) => ldap([port], account(bindDns[index]!), password, connector));
    const outcomes: unknown[] = [];
    for (const source of [...sources, ...sources]) outcomes.push(await find(source, 'user', adele));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ kind: 'unavailable', reason: 'credentials' });
    expect(directories.flatMap(({ binds }) => binds)).toEqual([49]);
    expect(sources.flatMap(({ logged }) => logged)).toHaveLength(1);
    for (const source of sources)
      expect(await source.probe(patient)).toMatchObject({ detail: expect.stringContaining('invalidCredentials (49)') });
    password.text = 'right';
    for (const source of sources)
      await vi.waitFor(async () => expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' }));
  });

  it('are told of it by health where they are let in still', async () => {
    const [first, second] = [await directory(), await directory()];
    const connector = new LdapConnector();
    const [one, two] = [first, second].map(({ port }) => ldap([port], patience, undefined, connector));
    await vi.waitFor(async () => {
      await Promise.all([one!, two!].map((source) => find(source, 'user', adele)));
      expect([...first.binds, ...second.binds]).toEqual([0, 0, 0, 0]);
    });
    first.setPassword('cn=service,dc=corp,dc=example', 'another');
    first.dropConnections();
    await vi.waitFor(async () => expect(await one!.probe(patient)).toMatchObject({ kind: 'down', reason: 'credentials' }));
    expect(await two!.probe(patient)).toMatchObject({ kind: 'up', warning: { reason: 'credentials' } });
    expect(await find(two!, 'user', adele)).toMatchObject({ kind: 'found' });
  });

  it('are each on their own with other passwords, accounts or directories', async () => {
    const running = await directory();
    const connector = new LdapConnector();
    const wrong = ldap([running.port], patience, new Password('an old one'), connector);
    expect(await find(wrong, 'user', adele)).toMatchObject({ reason: 'credentials' });
    const right = ldap([running.port], patience, new Password('right'), connector);
    expect(await find(right, 'user', adele)).toMatchObject({ kind: 'found' });
    const other = ldap([running.port], account('cn=Adele,dc=corp,dc=example'), new Password('an old one'), connector);
    expect(await find(other, 'user', adele)).toMatchObject({ reason: 'credentials' });
    expect(running.binds.filter((code) => code === 49)).toHaveLength(2);
    const urls = [`ldap://localhost:${running.port}`];
    const elsewhere = ldap([running.port], { ...patience, urls }, new Password('an old one'), connector);
    expect(await find(elsewhere, 'user', adele)).toMatchObject({ reason: 'credentials' });
    expect(running.binds.filter((code) => code === 49)).toHaveLength(3);
  });
});

describe('RefusedAccounts', () => {
  it('are the same for the same account of the same directory, however it is written', () => {
    const accounts = new RefusedAccounts();
    const account = accounts.of(['dc1.corp', 'dc2.corp', 'dc1.corp'], 'CN=Service');
    expect(accounts.of(['DC2.corp', 'dc1.corp'], 'cn=service')).toBe(account);
    expect(accounts.of(['dc1.corp'], 'cn=service')).not.toBe(account);
    expect(accounts.of(['dc1.corp', 'dc2.corp'], 'cn=other')).not.toBe(account);
  });

  it('tell a refusal once, and count from the beginning after an acceptance', () => {
    const account = new RefusedAccounts().of(['dc1.corp'], 'cn=service');
    expect([account.refuse('old', '49'), account.refuse('old', '49')]).toEqual([true, false]);
    expect(account.objectionTo('old')).toMatch(/^49; not tried again until it changes, or for [5-8] minutes$/);
    expect(account.objectionTo('new')).toBeUndefined();
    account.accept('new');
    expect(account.objectionTo('old')).toBeDefined();
    account.accept('old');
    expect(account.objectionTo('old')).toBeUndefined();
  });
});
