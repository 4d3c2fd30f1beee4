import type { TcpProxy } from '#testing';
import { expect } from 'vitest';
import type { Stack } from '../../e2e/stack.js';
import {
  allWell,
  applicationOf,
  ask,
  beforeLong,
  constantApplication,
  policies,
  spread,
  systems,
  type Told,
} from './fault-stack.js';

/** What a fault does, and whether the source still answers in time. */
export interface Fault {
  readonly answers: boolean;
  readonly strike: (proxy: TcpProxy) => void;
  /** Its effect begins later, when what the service has in hand is used up. */
  readonly later?: true;
}

/** What happens to anything that speaks over a network. */
export const networkFaults: Readonly<Record<string, Fault>> = {
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

/** One system fails: every policy is kept, nobody else is harmed, and the system is used again when it is well. A report. */
export async function survive(
  stack: Stack,
  system: string,
  fault: {
    readonly name: string;
    readonly answers: boolean;
    readonly strike: () => void;
    readonly heal: () => Promise<void>;
    readonly later?: true | undefined;
    /** The system has failed already; it was well before. */
    readonly wasWell?: true;
  },
): Promise<readonly string[]> {
  const { name, answers, strike, heal, later, wasWell } = fault;
  const { value } = systems[system]!;
  const well = async (): Promise<void> => {
    await expect.poll(() => allWell(stack, system), { timeout: 20_000, interval: 20 }).toBe(true);
  };
  if (!wasWell) await well();
  const others = Object.keys(systems).filter((other) => other !== system);
  const during: Told[] = [];
  strike();
  try {
    if (later)
      await expect
        .poll(async () => (await ask(stack, applicationOf(system, 'fail'))).said, { timeout: 20_000 })
        .toBe(policies['fail']!.whileIll(value));
    for (let round = 0; round < 4; round += 1) {
      await Promise.all([
        ...Object.entries(policies).map(async ([policy, { whileWell, whileIll }]) => {
          const told = await beforeLong(ask(stack, applicationOf(system, policy)));
          during.push(told);
          expect(told.said, policy).toBe((answers ? whileWell : whileIll)(value));
        }),
        ...others.map(async (other) => {
          expect((await ask(stack, applicationOf(other, 'fail'))).said, other).toBe(systems[other]!.value);
        }),
        ask(stack, constantApplication).then(({ said }) => expect(said).toBe('constant')),
      ]);
    }
  } finally {
    await heal();
  }
  const restored = performance.now();
  await well();
  return [
    `  ${system} that ${name}: ${spread(during.map(({ ms }) => ms))}`,
    `    right again after ${Math.round(performance.now() - restored)} ms`,
  ];
}
