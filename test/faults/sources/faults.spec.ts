import type { TcpProxy } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stack } from '../../e2e/stack.js';
import { applicationOf, ask, constantApplication, policies, spread, startFaultStack, systems, type Told } from './fault-stack.js';

/** What a fault does to a proxy, and whether the source still answers in time. */
const faults: Readonly<Record<string, { readonly answers: boolean; readonly strike: (proxy: TcpProxy) => void }>> = {
  'refuses connections': {
    answers: false,
    strike: (proxy) => {
      proxy.refuse();
      proxy.cut();
    },
  },
  'resets its connections once': { answers: true, strike: (proxy) => proxy.cut() },
  'takes everything and answers nothing': { answers: false, strike: (proxy) => proxy.blackHole() },
  'answers 20 ms late': { answers: true, strike: (proxy) => proxy.spoil({ kind: 'delay', milliseconds: 20 }) },
  'answers 2 s late': { answers: false, strike: (proxy) => proxy.spoil({ kind: 'delay', milliseconds: 2_000 }) },
  'sends 20 bytes a second': { answers: false, strike: (proxy) => proxy.spoil({ kind: 'throttle', bytesPerSecond: 20 }) },
  'cuts every message in the middle': { answers: false, strike: (proxy) => proxy.spoil({ kind: 'cutMidMessage' }) },
  'sends garbage': { answers: false, strike: (proxy) => proxy.spoil({ kind: 'garbage' }) },
};

const promised: Readonly<Record<string, string>> = {
  fail: '503 claims.unavailable',
  omit: 'omitted',
  default: 'fallback',
};

let stack: Stack;
const report: string[] = [];

beforeAll(async () => {
  stack = await startFaultStack();
  await stack.ready();
});

afterAll(async () => {
  process.stdout.write(`Answers while a source failed; the deadline is 1,200 ms:\n${report.join('\n')}\n`);
  await stack[Symbol.asyncDispose]();
});

/** Every application of the system, as it should be without a fault. */
async function allWell(system: string): Promise<boolean> {
  const told = await Promise.all(Object.keys(policies).map((policy) => ask(stack, applicationOf(system, policy))));
  return told.every(({ said }) => said === systems[system]!.value);
}

const cases = Object.keys(systems).flatMap((system) => Object.keys(faults).map((fault) => [system, fault] as const));

describe.each(cases)('%s that %s', (system, fault) => {
  const { value, proxy } = systems[system]!;
  const { answers, strike } = faults[fault]!;

  it('is treated by each policy, harms no other application, and is used again when it works', async () => {
    await expect.poll(() => allWell(system), { timeout: 20_000 }).toBe(true);
    const others = Object.keys(systems).filter((name) => name !== system);
    const during: Told[] = [];
    strike(proxy(stack));
    try {
      for (let round = 0; round < 4; round += 1) {
        await Promise.all([
          ...Object.keys(policies).map(async (policy) => {
            const told = await ask(stack, applicationOf(system, policy));
            during.push(told);
            expect(told.said, policy).toBe(answers ? value : (promised[policy] ?? value));
          }),
          ...others.map(async (other) => {
            expect((await ask(stack, applicationOf(other, 'fail'))).said, other).toBe(systems[other]!.value);
          }),
          ask(stack, constantApplication).then(({ said }) => expect(said).toBe('constant')),
        ]);
      }
    } finally {
      await proxy(stack).restore();
    }
    report.push(`  ${system} that ${fault}: ${spread(during.map(({ ms }) => ms))}`);
    const restored = performance.now();
    await expect.poll(() => allWell(system), { timeout: 20_000, interval: 20 }).toBe(true);
    report.push(`    right again after ${Math.round(performance.now() - restored)} ms`);
  });
});

it('nothing is left behind: no connection, no waiting work', async () => {
  await expect.poll(async () => (await gauges('nodejs_active_requests')).total, { timeout: 10_000 }).toBe(0);
  for (const system of Object.keys(systems))
    await expect.poll(() => systems[system]!.proxy(stack).connections, { timeout: 10_000 }).toBeLessThanOrEqual(12);
  expect(stack.service.stderr).toBe('');
});

/** The series of a gauge of the service, by label text, and their sum. */
async function gauges(name: string): Promise<{ readonly total: number }> {
  const text = await (await fetch(`${stack.managementUrl}/metrics`)).text();
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].map(([, value]) => Number(value));
  return { total: values.reduce((sum, value) => sum + value, 0) };
}
