import { afterEach, describe, expect, it } from 'vitest';
import { adele, eventFor } from '../../e2e/event.js';
import type { Stack } from '../../e2e/stack.js';
import { applicationOf, gauge, policies, startFaultStack, systems } from './fault-stack.js';

const hours = 3_600_000;

/** Run by the service's process before anything else: each SIGUSR2 sets its wall clock by the next of CLOCK_SHIFTS, in milliseconds. */
const settableClock = `
  const shifts = process.env.CLOCK_SHIFTS.split(',').map(Number);
  const real = Date;
  let shift = 0;
  const now = () => real.now() + shift;
  process.on('SIGUSR2', () => { shift = shifts.shift(); });
  globalThis.Date = new Proxy(real, {
    construct: (target, args, as) => Reflect.construct(target, args.length === 0 ? [now()] : args, as),
    apply: () => new real(now()).toString(),
    get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
  });`;

let stack: Stack;
afterEach(() => stack[Symbol.asyncDispose]());

let shift = 0;

/** Asks with a token that is good by the service's clock. */
async function said(system: string, policy: string): Promise<string> {
  const token = await stack.simulator.mintExtensionToken({ expiresIn: (shift + hours / 2) / 1_000 });
  const { status, json } = await stack.post(JSON.stringify(eventFor(applicationOf(system, policy), adele)), {
    authorization: `Bearer ${token}`,
  });
  return status === 200 ? (json.data.actions[0].claims.c ?? 'omitted') : `${status} ${json.code}`;
}

async function setClock(to: number): Promise<void> {
  shift = to;
  stack.service.kill('SIGUSR2');
  // The service's own log says which time it has.
  await expect
    .poll(async () => {
      const from = stack.service.log.length;
      await said('HTTP', 'fail');
      const { time } = await stack.service.line(({ msg }) => msg === 'event', from);
      return Math.abs(Date.parse(String(time)) - Date.now() - to) < hours / 4;
    })
    .toBe(true);
}

const each = async (policy: string): Promise<readonly string[]> =>
  Promise.all(Object.keys(systems).map((system) => said(system, policy)));
const expected = (policy: string, state: 'whileWell' | 'whileIll'): readonly string[] =>
  Object.values(systems).map(({ value }) => policies[policy]![state](value));

/** Every answer is kept for that long; the clock is set by a shift, and back. */
function startSettable(ttl: string, by: number): Promise<Stack> {
  shift = 0;
  return startFaultStack(
    ({ sources }) => {
      for (const [source, lookup] of [
        ['corp-ad', 'user'],
        ['billing-db', 'tier-by-upn'],
        ['hr-api', 'employee'],
      ] as const)
        sources[source].lookups[lookup].cache = { ttl, staleWhileRevalidate: '0s', negativeTtl: '0s' };
    },
    {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(settableClock)}`,
      CLOCK_SHIFTS: `${by},0`,
    },
  );
}

const asked = (): Promise<number> => gauge(stack, 'claimbridge_lookup_answers_total', 'use="asked"');

describe.each([
  ['forward', 2 * hours],
  ['back', -2 * hours],
])('a wall clock that is set %s by two hours', (_way, by) => {
  it('changes no answer: what is kept, last known, or tried again', async () => {
    stack = await startSettable('5s', by);
    await stack.ready();
    for (const policy of Object.keys(policies)) await expect.poll(() => each(policy)).toEqual(expected(policy, 'whileWell'));

    for (const system of Object.values(systems)) {
      system.proxy(stack).refuse();
      system.proxy(stack).cut();
    }
    // Older than what is kept, by the clock that nobody sets.
    await expect.poll(() => each('fail'), { timeout: 20_000 }).toEqual(expected('fail', 'whileIll'));
    await expect
      .poll(async () => (await Promise.all([each('fail'), gauge(stack, 'claimbridge_source_circuit_open')]))[1], {
        timeout: 20_000,
      })
      .toBe(3);

    await setClock(by);
    for (const policy of Object.keys(policies)) expect(await each(policy), policy).toEqual(expected(policy, 'whileIll'));
    for (const system of Object.values(systems)) await system.proxy(stack).restore();
    await expect.poll(() => each('fail'), { timeout: 20_000 }).toEqual(expected('fail', 'whileWell'));

    await setClock(0);
    const before = await asked();
    await expect
      .poll(async () => (await each('fail')) && (await asked()) - before, { timeout: 20_000 })
      .toBeGreaterThanOrEqual(3);
    expect(stack.service.stderr).toBe('');
  });

  it('makes nothing that is kept older', async () => {
    stack = await startSettable('1h', by);
    await stack.ready();
    await expect.poll(() => each('fail')).toEqual(expected('fail', 'whileWell'));
    const before = await asked();
    for (const to of [by, 0]) {
      await setClock(to);
      expect(await each('fail')).toEqual(expected('fail', 'whileWell'));
    }
    expect((await asked()) - before).toBe(0);
  });
});
