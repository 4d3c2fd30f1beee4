import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Stack } from '../../e2e/stack.js';
import {
  allWell,
  applicationOf,
  ask,
  beforeLong,
  constantApplication,
  gauge,
  policies,
  startFaultStack,
  systems,
  wellApi,
} from './fault-stack.js';

const patience = { timeout: 120_000 };

describe('the deadline', () => {
  let stack: Stack;

  beforeAll(async () => {
    // No source's own limit answers before it.
    stack = await startFaultStack(({ sources }) => {
      for (const name of ['corp-ad', 'billing-db', 'hr-api'])
        Object.assign(sources[name].limits, { operation: '60s', connect: '60s' });
    });
    await stack.ready();
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  it.each(Object.keys(systems))('is kept by every policy, and for the others, while %s hangs', patience, async (system) => {
    const { proxy, value } = systems[system]!;
    const others = Object.keys(systems).filter((other) => other !== system);
    await expect.poll(() => allWell(stack, system), { timeout: 20_000 }).toBe(true);
    proxy(stack).blackHole();
    try {
      await Promise.all([
        ...Object.entries(policies).map(async ([policy, { whileIll }]) => {
          const said = async (): Promise<string> => (await beforeLong(ask(stack, applicationOf(system, policy)))).said;
          // A fallback is asked while a quarter of the time is left, which a busy machine may not have.
          if (policy === 'fallback') await expect.poll(said, { timeout: 60_000 }).toBe(whileIll(value));
          else expect(await said(), policy).toBe(whileIll(value));
        }),
        ...others.map(async (other) => {
          const { said } = await beforeLong(ask(stack, applicationOf(other, 'fail')));
          expect(said, other).toBe(systems[other]!.value);
        }),
        beforeLong(ask(stack, constantApplication)).then(({ said }) => expect(said).toBe('constant')),
      ]);
    } finally {
      await proxy(stack).restore();
      // What hangs would go on for a minute.
      proxy(stack).cut();
    }
    await expect.poll(() => allWell(stack, system), { timeout: 20_000 }).toBe(true);
  });
});

describe('an API that works again', () => {
  let stack: Stack;
  afterEach(() => stack[Symbol.asyncDispose]());

  it('is asked again after two probes at most', async () => {
    stack = await startFaultStack((document) => {
      document['probes'] = { interval: '1h', timeout: '200ms' };
      document['sources']['hr-api'].limits.operation = '10s';
    });
    await stack.ready();
    const [application, isProbe] = [applicationOf('HTTP', 'fail'), (target: string): boolean => target === '/'];
    const api = stack.api!;
    await expect.poll(async () => (await ask(stack, application)).said, { timeout: 20_000 }).toBe('4711');
    api.respond((request) => (request.target === '/token' ? wellApi(request) : { status: 503 }));
    await expect
      .poll(async () => (await ask(stack, application)) && (await gauge(stack, 'claimbridge_source_circuit_open')), patience)
      .toBe(1);
    // Whoever needs a third probe finds that it fails.
    let probes = 0;
    api.respond((request) => (isProbe(request.target) && ++probes > 2 ? { status: 503 } : wellApi(request)));
    await expect.poll(async () => (await ask(stack, application)).said, { timeout: 20_000 }).toBe('4711');
  });
});
