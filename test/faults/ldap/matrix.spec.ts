import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describeWithSlapd, startSlapd, type RunningSlapd } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adele } from '../../e2e/event.js';
import type { Stack } from '../../e2e/stack.js';
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

describeWithSlapd(describe, 'OpenLDAP', () => {
  let ldif: string;
  let slapd: RunningSlapd;
  let stack: Stack;
  const report: string[] = [];

  beforeAll(async () => {
    ldif = await readFile(seeds, 'utf8');
    slapd = await startSlapd({ ldif });
    stack = await startFaultStack(undefined, {}, slapd.port);
    await stack.ready();
  });

  afterAll(async () => {
    process.stdout.write(
      `Answers while OpenLDAP failed; the deadline is 1,200 ms, a probe interval 200 ms:\n${report.join('\n')}\n`,
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

  it('that restarts under 500 requests a second is found again, and harms nobody else', async () => {
    const seconds = 4;
    const sent: Promise<Told>[] = [];
    const connections = opened();
    const started = performance.now();
    let away: Promise<void> | undefined;
    const restart = async (): Promise<void> => {
      await slapd.stop();
      await new Promise((resolve) => setTimeout(resolve, 500));
      await startAgain();
    };
    for (let ms = 0; ms < seconds * 1_000; ms = performance.now() - started) {
      if (ms > 1_000) away ??= restart();
      while (sent.length < ms / 2)
        sent.push(ask(stack, sent.length % 2 === 0 ? application : constantApplication, stranger(sent.length)));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await away;
    const all = (await Promise.all(sent)).map((told, number) => ({ ...told, asksDirectory: number % 2 === 0 }));
    // A machine that is too busy for the rate sheds before any source is asked: that is not the directory's fault.
    const told = all.filter(({ said }) => said !== '503 service.overloaded');
    const ofDirectory = told.filter(({ asksDirectory }) => asksDirectory);
    const failed = ofDirectory.filter(({ said }) => said !== 'omitted');
    report.push(
      `  LDAP that restarts at ${Math.round(all.length / seconds)} requests/s: ${spread(ofDirectory.map(({ ms }) => ms))}, ${failed.length} unavailable, ${all.length - told.length} shed`,
      `    opened ${opened() - connections}, bound ${(await slapd.binds()).length}`,
    );
    for (const { said, asksDirectory } of told) if (!asksDirectory) expect(said).toBe('constant');
    for (const { said } of failed) expect(said).toBe('503 claims.unavailable');
    await expect.poll(async () => (await ask(stack, application)).said, { timeout: 20_000 }).toBe('Finance');
    expect((await slapd.binds()).length).toBeLessThanOrEqual(4);
  });

  it('leaves nothing behind: two connections, no work, no warning', async () => {
    await expect.poll(() => stack.directoryProxy.connections, { timeout: 10_000 }).toBe(2);
    await expect.poll(() => gauge(stack, 'nodejs_active_requests'), { timeout: 10_000 }).toBe(0);
    expect(stack.service.stderr).toBe('');
  });
});
