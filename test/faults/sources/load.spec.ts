import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { startPostgres } from '#testing';
import { afterEach, describe, expect, it } from 'vitest';
import { adele } from '../../e2e/event.js';
import type { Document, Stack } from '../../e2e/stack.js';
import {
  allWell,
  applicationOf,
  ask,
  constantApplication,
  gauge,
  spread,
  startFaultStack,
  systems,
  type Told,
} from './fault-stack.js';

let stack: Stack;
afterEach(() => stack[Symbol.asyncDispose]());

const database = applicationOf('PostgreSQL', 'fail');
const directory = applicationOf('LDAP', 'fail');
const api = applicationOf('HTTP', 'fail');

/** Patience for a machine that has other things to do: what is shown here is who is harmed, and not how fast the machine is. */
function patient(document: Document): void {
  document['entra'] = { timeout: '2s', edgeAllowance: '100ms' };
  for (const name of ['corp-ad', 'billing-db', 'hr-api'])
    Object.assign(document['sources'][name].limits, { operation: '1500ms', connect: '1s' });
}

/** Sessions serve the sign-ins alone: a probe that gives up closes the one that it has. */
function unprobed(document: Document): void {
  document['probes'] = { interval: '1h', timeout: '10s' };
}

/** Until the first answer is right, so that connections are open. */
async function warm(application: string, value: string): Promise<void> {
  await expect.poll(async () => (await ask(stack, application)).said, { timeout: 20_000 }).toBe(value);
}

/** Somebody whom no source knows, so that nobody else's question is theirs. */
const stranger = (number: number): object => ({
  ...adele,
  onPremisesUserPrincipalName: `nobody${number}@corp.example`,
  onPremisesSecurityIdentifier: `S-1-5-21-1-2-3-${number}`,
});

/** More than are ever under way on a machine that keeps up. */
const mostUnderWay = 20;

/**
 * Sends so many a second, whatever becomes of those who are harmed. A machine that does not keep up with the others is sent fewer: it
 * would shed them, and that is nobody's fault.
 */
async function send(
  perSecond: number,
  total: number,
  one: (number: number) => Promise<Told>,
  isHarmed: (number: number) => boolean,
): Promise<readonly Told[]> {
  const started = performance.now();
  const sent: Promise<Told>[] = [];
  const underWay = new Set<number>();
  const start = (number: number): void => {
    if (!isHarmed(number)) underWay.add(number);
    sent.push(one(number).finally(() => underWay.delete(number)));
  };
  while (sent.length < total) {
    const due = Math.min(total, Math.ceil(((performance.now() - started) * perSecond) / 1_000));
    while (sent.length < due && underWay.size < mostUnderWay) start(sent.length);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return Promise.all(sent);
}

function count(told: readonly Told[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { said } of told) counts[said] = (counts[said] ?? 0) + 1;
  return counts;
}

const report = (what: string, told: readonly Told[]): boolean =>
  process.stdout.write(`${what}: ${spread(told.map(({ ms }) => ms))}\n`);

describe('the service', () => {
  it('answers 200 people who come at once to a cold start', async () => {
    stack = await startFaultStack(patient);
    await stack.ready();
    const told = await Promise.all(
      Array.from({ length: 200 }, (_, number) =>
        ask(stack, [database, directory, api, api][number % 4]!, number < 100 ? adele : stranger(number)),
      ),
    );
    report('200 at a cold start', told);
    expect(count(told)).toEqual({ gold: 25, Finance: 25, 4711: 50, omitted: 100 });
    const tokens = stack.api!.requests.filter(({ target }) => target === '/token');
    expect(tokens.length).toBeLessThan(10);
  });

  it('with two sessions for ten people makes them wait, and answers them all', async () => {
    stack = await startFaultStack((document) => {
      patient(document);
      document['sources']['billing-db'].limits.concurrency = 2;
    });
    await stack.ready();
    stack.databaseProxy.spoil({ kind: 'delay', milliseconds: 5 });
    const told = await Promise.all(Array.from({ length: 10 }, (_, number) => ask(stack, database, stranger(number))));
    report('10 people, 2 sessions', told);
    expect(count(told)).toEqual({ omitted: 10 });
  });

  it('sheds what exceeds the queue at once, and nothing else', async () => {
    stack = await startFaultStack((document) => {
      patient(document);
      // The first one is at work until all the others have come.
      Object.assign(document['sources']['billing-db'].limits, { concurrency: 1, queue: 5, operation: '60s' });
    });
    await stack.ready();
    await warm(database, 'gold');
    stack.databaseProxy.blackHole();
    const told = await Promise.all(Array.from({ length: 30 }, (_, number) => ask(stack, database, stranger(number))));
    expect(count(told)).toEqual({ '503 claims.unavailable': 30 });
    const reasons = stack.service.log
      .flatMap(({ lookups }) => (lookups as { reason?: string }[] | undefined) ?? [])
      .map(({ reason }) => reason);
    // Those who wait in the queue are shed when they have waited too long.
    expect(reasons.filter((reason) => reason === 'overloaded')).toHaveLength(29);
    await stack.databaseProxy.restore();
  });

  it('spends the time of a database that is asked too much on those who still wait', async () => {
    stack = await startFaultStack((document) => {
      patient(document);
      unprobed(document);
      Object.assign(document['sources']['billing-db'].limits, { concurrency: 2, connect: '10s' });
    });
    await stack.ready();
    await expect
      .poll(async () => count(await Promise.all([1, 2, 3, 4].map((number) => ask(stack, database, stranger(number))))))
      .toEqual({ omitted: 4 });
    const worked = (): Promise<number> =>
      gauge(stack, 'claimbridge_lookups_total', 'source="billing-db",lookup="tier-by-upn",outcome="notFound"');
    const before = await worked();
    // Ten a second, so 120 are twelve seconds of work.
    stack.databaseProxy.spoil({ kind: 'delay', milliseconds: 200 });
    const told = await Promise.all(Array.from({ length: 120 }, (_, number) => ask(stack, database, stranger(100 + number))));
    const { omitted = 0, ...shed } = count(told);
    report('120 people, ten a second', told);
    expect(omitted).toBeGreaterThan(0);
    expect(shed['503 claims.unavailable']).toBeGreaterThan(0);
    expect(Object.keys(shed).filter((code) => !code.startsWith('503 '))).toEqual([]);
    // Whoever comes next finds nobody before them.
    await warm(constantApplication, 'constant');
    for (let number = 0; number < 5; number += 1)
      expect((await ask(stack, database, stranger(500 + number))).said).toBe('omitted');
    // The last ones may have begun just in time and ended too late.
    expect((await worked()) - before - omitted - 5).toBeLessThanOrEqual(2);
  });

  it.each([
    ['PostgreSQL', database, 'billing-db'],
    ['HTTP', api, 'hr-api'],
  ])('serves the others as before while %s hangs at 500 people a second', async (system, hung, source) => {
    const { proxy, value } = systems[system]!;
    stack = await startFaultStack((document) => {
      patient(document);
      document['sources'][source].limits.operation = '300ms';
    });
    await stack.ready();
    for (const application of [hung, directory, constantApplication]) await ask(stack, application);
    const timers = (): Promise<number> => gauge(stack, 'nodejs_active_resources', 'Timeout');
    const before = await timers();
    proxy(stack).blackHole();
    const applications = [hung, directory, constantApplication, constantApplication];
    const told = await send(
      500,
      500,
      async (number) => ask(stack, applications[number % 4]!, stranger(number)),
      (number) => number % 4 === 0,
    );
    const of = (application: string): readonly Told[] => told.filter((_, number) => applications[number % 4] === application);
    report(`${system} hangs`, of(hung));
    report('another source', of(directory));
    report('no source', of(constantApplication));
    expect(count(of(hung))).toEqual({ '503 claims.unavailable': 125 });
    expect(count(of(directory))).toEqual({ omitted: 125 });
    expect(count(of(constantApplication))).toEqual({ constant: 250 });
    await proxy(stack).restore();
    await expect.poll(async () => (await ask(stack, hung)).said, { timeout: 20_000 }).toBe(value);
    // A timer for each of 500 people would stay, if one did.
    await expect.poll(timers, { timeout: 10_000 }).toBeLessThanOrEqual(before + 20);
    expect(stack.service.stderr).toBe('');
  });

  it('finds its way back to a database that restarts under load', async () => {
    stack = await startFaultStack(patient);
    await stack.ready();
    const running = send(
      200,
      600,
      async (number) => ask(stack, number % 2 === 0 ? database : constantApplication, adele),
      (number) => number % 2 === 0,
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    stack.databaseProxy.refuse();
    stack.databaseProxy.cut();
    await new Promise((resolve) => setTimeout(resolve, 700));
    await stack.databaseProxy.restore();
    const told = await running;
    report('through a restart', told);
    expect(count(told.filter((_, number) => number % 2 === 1))).toEqual({ constant: 300 });
    expect(Object.keys(count(told)).toSorted()).toEqual(['503 claims.unavailable', 'constant', 'gold']);
    expect(told.at(-2)!.said).toBe('gold');
  });

  it('finds its way back to a server that is stopped and started under load', async () => {
    stack = await startFaultStack(patient);
    await stack.ready();
    const told: Told[] = [];
    const over = new AbortController();
    const people = async (): Promise<void> => {
      for (let number = 0; !over.signal.aborted; number += 1) {
        told.push(await ask(stack, number % 2 === 0 ? database : constantApplication));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    const running = Promise.all([people(), people(), people(), people()]);
    await expect.poll(() => count(told)['gold'] ?? 0).toBeGreaterThan(10);
    const { port, database: name } = stack.postgres;
    await stack.postgres.stop();
    await expect.poll(() => count(told)['503 claims.unavailable'] ?? 0).toBeGreaterThan(10);
    const seeds = path.resolve(import.meta.dirname, '../../../docker/seeds/billing.sql');
    const again = await startPostgres({ port, database: name, sql: [await readFile(seeds, 'utf8')] });
    try {
      await expect.poll(() => allWell(stack, 'PostgreSQL'), { timeout: 20_000 }).toBe(true);
      over.abort();
      await running;
      report('through a real restart', told);
      expect(Object.keys(count(told)).toSorted()).toEqual(['503 claims.unavailable', 'constant', 'gold']);
      expect(told.filter(({ said }) => said === 'constant').length).toBeGreaterThan(told.length / 2 - 5);
    } finally {
      over.abort();
      await stack[Symbol.asyncDispose]();
      await again.stop();
    }
  });

  it('hands a late answer over to Entra’s retry', async () => {
    stack = await startFaultStack((document) => {
      patient(document);
      unprobed(document);
      document['entra'] = { timeout: '2s', edgeAllowance: '500ms' };
      document['sources']['billing-db'].limits.operation = '20s';
    });
    await stack.ready();
    await warm(database, 'gold');
    stack.databaseProxy.spoil({ kind: 'delay', milliseconds: 2_500 });
    expect((await ask(stack, database)).said).toBe('503 claims.unavailable');
    expect((await ask(stack, database)).said).toBe('gold');
    expect(await (await fetch(`${stack.managementUrl}/metrics`)).text()).toMatch(
      /claimbridge_lookup_answers_total\{source="billing-db",lookup="tier-by-upn",use="(joined|handedOver)"\} 1/,
    );
  });
});
