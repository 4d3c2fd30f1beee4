import { describe, expect, it, vi } from 'vitest';
import { LdapConnector } from './ldap-connector.js';
import { adele, directory, find, later, ldap, Password, patient, proxy } from './ldap-source.harness.js';
import { OfferedSecrets } from './offered-secrets.js';

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
    'by a secret that was never accepted is followed by one other when it is overdue, and then by none until it changes',
    { timeout: 30_000 },
    async () => {
      hearOutFor(500);
      let binds = 0;
      const onBind = () => (binds++, never);
      const servers = [await directory({ onBind }), await directory({ onBind })];
      const password = new Password('right');
      const source = ldap(
        servers.map(({ port }) => port),
        unhurried,
        password,
      );
      await asked(source);
      await vi.waitFor(
        async () => {
          await find(source, 'user', adele);
          expect(source.logged.map(({ message }) => message)).toEqual([expect.stringContaining('may count')]);
        },
        { timeout: 10_000 },
      );
      for (const outcome of await asked(source)) expect(outcome).toMatchObject({ kind: 'unavailable', reason: 'connection' });
      expect(await source.probe(patient)).toMatchObject({
        kind: 'down',
        reason: 'connection',
        detail: expect.stringMatching(/bind without an answer; not tried again until it changes, or for \d minutes$/),
      });
      expect([binds, ...servers.map(({ accepted }) => accepted > 0)]).toEqual([2, true, true]);
      const offeredAgain = (count: number): Promise<void> =>
        vi.waitFor(
          async () => {
            await find(source, 'user', adele);
            expect(binds).toBe(count);
          },
          { timeout: 10_000 },
        );
      later(460_000);
      await offeredAgain(3);
      password.text = 'another';
      await offeredAgain(4);
    },
  );

  it('ends what it holds back as soon as the server accepts it after all', { timeout: 30_000 }, async () => {
    hearOutFor(100);
    const answer = Promise.withResolvers<undefined>();
    let binds = 0;
    const source = ldap([(await directory({ onBind: () => (++binds <= 2 ? answer.promise : undefined) })).port], unhurried);
    await vi.waitFor(
      async () => {
        await find(source, 'user', adele);
        expect(source.logged).toHaveLength(1);
      },
      { timeout: 10_000 },
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

  it('offer a wrong password once, all of them together', async () => {
    const directories = [await directory(), await directory(), await directory()];
    const connector = new LdapConnector();
    const password = new Password('an old one');
    const bindDns = ['cn=service,dc=corp,dc=example', 'CN=Service,DC=corp,DC=example', 'cn=service,dc=corp,dc=example'];
    const sources = directories.map(({ port }, index) => ldap([port], account(bindDns[index]!), password, connector));
    const outcomes = await Promise.all(sources.map((source) => find(source, 'user', adele)));
    for (const source of sources) outcomes.push(await find(source, 'user', adele));
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

  it('are each on their own with other passwords or other accounts', async () => {
    const running = await directory();
    const connector = new LdapConnector();
    const wrong = ldap([running.port], patience, new Password('an old one'), connector);
    expect(await find(wrong, 'user', adele)).toMatchObject({ reason: 'credentials' });
    const right = ldap([running.port], patience, new Password('right'), connector);
    expect(await find(right, 'user', adele)).toMatchObject({ kind: 'found' });
    const other = ldap([running.port], account('cn=Adele,dc=corp,dc=example'), new Password('an old one'), connector);
    expect(await find(other, 'user', adele)).toMatchObject({ reason: 'credentials' });
    expect(running.binds.filter((code) => code === 49)).toHaveLength(2);
  });
});

describe('OfferedSecrets', () => {
  it('holds a secret that was never accepted back while a bind has no answer, for one more bind when it is overdue, and then for long', () => {
    const offered = new OfferedSecrets().of('dn:cn=service', 'unproven');
    const first = offered.givenUp('ldaps://dc1');
    expect(offered.objection).toEqual({ reason: 'connection', detail: 'ldaps://dc1: an earlier bind has no answer yet' });
    expect(first.overdue()).toBe(false);
    expect([offered.objection, offered.isInDoubt]).toEqual([undefined, true]);
    const second = offered.givenUp('ldaps://dc2');
    expect(offered.objection).toMatchObject({ detail: 'ldaps://dc1: an earlier bind has no answer yet' });
    expect(second.overdue()).toBe(true);
    expect(offered.objection).toMatchObject({ detail: expect.stringContaining('ldaps://dc2: bind without an answer') });
  });

  it('holds an accepted secret back only once two binds have no answer, and until one is accepted', () => {
    const offered = new OfferedSecrets().of('dn:cn=service', 'right');
    offered.accepted();
    const first = offered.givenUp('ldaps://dc1');
    expect(first.overdue()).toBe(false);
    expect([offered.objection, offered.isInDoubt]).toEqual([undefined, true]);
    const second = offered.givenUp('ldaps://dc2');
    expect(offered.objection).toEqual({ reason: 'connection', detail: 'ldaps://dc1: an earlier bind has no answer yet' });
    expect([second.overdue(), first.overdue()]).toEqual([true, false]);
    expect(offered.objection).toMatchObject({
      reason: 'connection',
      detail: expect.stringContaining('ldaps://dc2: bind without'),
    });
    offered.accepted();
    expect([offered.objection, offered.isInDoubt]).toEqual([undefined, false]);
  });

  it('takes a late refusal of what is held back for news, once, and the secret for unproven', () => {
    const offered = new OfferedSecrets().of('dn:cn=service', 'an old one');
    offered.accepted();
    offered.givenUp('ldaps://dc1');
    offered.givenUp('ldaps://dc2').overdue();
    expect([offered.refused('49'), offered.refused('49')]).toEqual([true, false]);
    expect(offered.objection).toMatchObject({ reason: 'credentials' });
    expect(offered.wasAccepted).toBe(false);
  });

  it('lets one bind at a time try a secret, and all at once where it was accepted just now', async () => {
    const offered = new OfferedSecrets().of('dn:cn=service', 'right');
    const first = await offered.takeTurn(patient);
    expect(first).not.toBe('aborted');
    expect(await offered.takeTurn(AbortSignal.abort())).toBe('aborted');
    const second = offered.takeTurn(patient);
    offered.accepted();
    if (first !== 'aborted') first.end();
    expect(await second).not.toBe('aborted');
    expect(await Promise.all([offered.takeTurn(patient), offered.takeTurn(patient)])).not.toContain('aborted');
  });
});
