import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describeWithSlapd, startSlapd, type RunningSlapd } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adele } from '../../e2e/event.js';
import type { Document, Stack } from '../../e2e/stack.js';
import { applicationOf, ask, constantApplication, gauge, spread, startFaultStack, type Told } from '../sources/fault-stack.js';
import { networkFaults, survive } from '../sources/survive.js';

const seeds = path.resolve(import.meta.dirname, '../../../docker/seeds/directory.ldif');

/** Somebody whom the directory does not know, so that nobody else's question is theirs. */
const stranger = (number: number): object => ({
  ...adele,
  onPremisesUserPrincipalName: `nobody${number}@corp.example`,
  onPremisesSecurityIdentifier: `S-1-5-21-1-2-3-${number}`,
});

const application = applicationOf('LDAP', 'fail');

/** Patience for a machine that has other things to do: what is shown here is what the service does, and not how fast the machine is. */
function patient(...sources: readonly string[]): (document: Document) => void {
  return (document) => {
    document['entra'] = { timeout: '2s', edgeAllowance: '100ms' };
    for (const name of sources) Object.assign(document['sources'][name].limits, { operation: '1500ms', connect: '1s' });
  };
}

const words = (told: readonly Told[]): readonly string[] => [...new Set(told.map(({ said }) => said))].toSorted();

/** 500 requests a second to the directory, and one in ten of that which needs no source; fewer where the machine has no time for them. */
class Load {
  /** In the order in which they came. */
  readonly told: Told[] = [];
  readonly others: Told[] = [];
  private readonly underWay = new Set<Promise<void>>();
  private readonly started = performance.now();
  private sent = 0;

  constructor(private readonly stack: Stack) {}

  get rate(): number {
    return Math.round((this.sent * 1_000) / (performance.now() - this.started));
  }

  /** Until so many more have been answered, and it is enough. */
  async send(count: number, isEnough = (): boolean => true): Promise<void> {
    const [answered, sent, started] = [this.told.length, this.sent, performance.now()];
    while (this.told.length - answered < count || !isEnough()) {
      while (this.sent - sent < (performance.now() - started) / 2 && this.underWay.size < 24) this.one();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  async settled(): Promise<void> {
    await Promise.all(this.underWay);
  }

  private one(): void {
    const number = this.sent++;
    this.keep(ask(this.stack, application, stranger(number)), this.told);
    if (number % 10 === 0) this.keep(ask(this.stack, constantApplication, stranger(number)), this.others);
  }

  private keep(asking: Promise<Told>, told: Told[]): void {
    const keeping = async (): Promise<void> => void told.push(await asking);
    const kept = keeping().finally(() => this.underWay.delete(kept));
    this.underWay.add(kept);
  }
}

describeWithSlapd(describe, 'OpenLDAP', () => {
  let ldif: string;
  let slapd: RunningSlapd;
  let stack: Stack;
  const report: string[] = [];

  beforeAll(async () => {
    ldif = await readFile(seeds, 'utf8');
    slapd = await startSlapd({ ldif });
    stack = await startFaultStack(patient('billing-db', 'hr-api'), {}, slapd.port);
    await stack.ready();
  });

  afterAll(async () => {
    process.stdout.write(
      `Answers while OpenLDAP failed; the deadline is 1,900 ms, a probe interval 200 ms:\n${report.join('\n')}\n`,
    );
    await stack[Symbol.asyncDispose]();
    await slapd.stop();
  });

  /** The same server again, on the same port. */
  const startAgain = async (): Promise<void> => void (slapd = await startSlapd({ ldif, port: slapd.port }));

  const opened = (): number => stack.directoryProxy.accepted;

  it.each(Object.entries(networkFaults))('that %s is survived', async (name, { answers, strike }) => {
    const { directoryProxy } = stack;
    const [connections, binds] = [opened(), (await slapd.binds()).length];
    const lines = await survive(stack, 'LDAP', {
      name,
      answers,
      strike: () => strike(directoryProxy),
      heal: () => directoryProxy.restore(),
    });
    report.push(...lines, `    opened ${opened() - connections}, bound ${(await slapd.binds()).length - binds}`);
    expect(await slapd.binds()).not.toContain(49);
  });

  it('that is stopped and started again is survived', async () => {
    const connections = opened();
    const stopped = { name: 'is stopped and started again', answers: false };
    // What is sent before it has stopped is answered.
    await slapd.stop();
    const lines = await survive(stack, 'LDAP', { ...stopped, wasWell: true, strike: () => undefined, heal: startAgain });
    const binds = await slapd.binds();
    expect(binds).toEqual([0, 0]);
    report.push(...lines, `    opened ${opened() - connections}, bound ${binds.length}`);
  });

  it(
    'that restarts under 500 requests a second is found again at the first attempt, and harms nobody else',
    { timeout: 180_000 },
    async () => {
      let restarting = await startSlapd({ ldif });
      const restarted = await startFaultStack(patient('corp-ad'), {}, restarting.port);
      try {
        await restarted.ready();
        const { directoryProxy, api } = restarted;
        // The service probes all its sources at once, so this counts its rounds: a clock that is as slow as the machine.
        const rounds = (): number => api!.requests.filter(({ target }) => target === '/').length;
        const load = new Load(restarted);
        await load.send(500);
        const whileWell = load.told.splice(0);

        await restarting.stop();
        await load.send(250);
        restarting = await startSlapd({ ldif, port: restarting.port });
        const [attempts, round] = [directoryProxy.accepted, rounds()];
        await load.send(1, () => directoryProxy.accepted > attempts || rounds() > round + 10);
        expect(directoryProxy.accepted).toBeGreaterThan(attempts);
        await load.send(1, () => load.told.at(-1)!.said === 'omitted' || rounds() > round + 20);
        const whileIll = load.told.splice(0);
        await load.settled();
        load.told.splice(0);
        await load.send(1_000);
        await load.settled();
        const afterwards = load.told;

        report.push(
          `  LDAP that restarts at ${load.rate} requests/s: ${spread(whileIll.map(({ ms }) => ms))} while it is away, ${spread(afterwards.map(({ ms }) => ms))} afterwards`,
          `    opened ${directoryProxy.accepted - attempts}, ${rounds() - round} rounds of probes`,
        );
        expect(words(whileWell)).toEqual(['omitted']);
        expect(words(whileIll)).toEqual(['503 claims.unavailable', 'omitted']);
        expect(words(afterwards)).toEqual(['omitted']);
        expect(words(load.others)).toEqual(['constant']);
        expect((await ask(restarted, application)).said).toBe('Finance');
        await expect.poll(() => directoryProxy.connections, { timeout: 10_000 }).toBe(2);
        // One that was under way when the server came back, and two for good.
        expect(directoryProxy.accepted - attempts).toBeLessThanOrEqual(3);
        expect(await restarting.binds()).toEqual([0, 0]);
      } finally {
        await restarted[Symbol.asyncDispose]();
        await restarting.stop();
      }
    },
  );

  it('leaves nothing behind: two connections, no work, no warning', async () => {
    await expect.poll(() => stack.directoryProxy.connections, { timeout: 10_000 }).toBe(2);
    await expect.poll(() => gauge(stack, 'nodejs_active_requests'), { timeout: 10_000 }).toBe(0);
    expect(stack.service.stderr).toBe('');
  });
});
