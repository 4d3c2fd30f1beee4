import { serverMessage, type HttpAnswer } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stack } from '../../e2e/stack.js';
import { allWell, applicationOf, ask, gauge, policies, startFaultStack, systems, wellApi } from './fault-stack.js';
import { networkFaults, survive, type Fault } from './survive.js';

/** The API answers so, and its token endpoint as it should. */
function answering(answer: () => HttpAnswer): Fault {
  return {
    answers: false,
    strike: () => stack.api!.respond((request) => (request.target === '/token' ? wellApi(request) : answer())),
  };
}

async function* pieces(piece: string, pause: number): AsyncGenerator<string> {
  for (;;) {
    yield piece;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** What happens to an HTTP API alone. */
const httpFaults: Readonly<Record<string, Fault>> = {
  'answers 500': answering(() => ({ status: 500 })),
  'answers 500 and never ends it': answering(() => ({ status: 500, body: pieces(' ', 50) })),
  'answers 429': answering(() => ({ status: 429, headers: { 'retry-after': '3600' } })),
  'answers a page': answering(() => ({ headers: { 'content-type': 'text/html' }, body: '<h1>Welcome</h1>' })),
  'answers without an end': answering(() => ({ body: pieces(`"${'x'.repeat(65_536)}",`, 0) })),
  'answers a byte at a time': answering(() => ({ body: pieces(' ', 50) })),
  'sends elsewhere': answering(() => ({ status: 302, headers: { location: '/elsewhere' } })),
  'has no token endpoint': {
    answers: false,
    later: true,
    strike: () => stack.api!.respond((request) => (request.target === '/token' ? { status: 503 } : wellApi(request))),
  },
  'gives tokens to nobody': {
    answers: false,
    later: true,
    strike: () => stack.api!.respond((request) => (request.target === '/token' ? 'cut' : wellApi(request))),
  },
  'closes its connections after each answer': {
    answers: true,
    strike: () =>
      stack.api!.respond(async (request) => {
        const { headers, ...answer } = (await wellApi(request)) as HttpAnswer;
        return { ...answer, headers: { ...headers, connection: 'close' } };
      }),
  },
};

function saying(message: Buffer): Fault {
  return { answers: false, strike: (proxy) => proxy.spoil({ kind: 'replace', by: message }) };
}

/** What only PostgreSQL's protocol has. The driver throws at the first three, and searches the last one for its end for ever. */
const postgresFaults: Readonly<Record<string, Fault>> = {
  'asks for GSSAPI': saying(serverMessage('R', Buffer.from([0, 0, 0, 7]))),
  'describes columns that are not there': saying(serverMessage('T', Buffer.from([1, 44]))),
  'sends a row of fewer fields than none': saying(serverMessage('D', Buffer.from([255, 0]))),
  'sends an error without an end': saying(serverMessage('E', Buffer.from('SFATAL\0'))),
};

const faultsOf: Readonly<Record<string, Readonly<Record<string, Fault>>>> = { HTTP: httpFaults, PostgreSQL: postgresFaults };

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

async function well(system: string): Promise<void> {
  await expect.poll(() => allWell(stack, system), { timeout: 20_000, interval: 20 }).toBe(true);
}

async function heal(system: string): Promise<void> {
  stack.api!.respond(wellApi);
  await systems[system]!.proxy(stack).restore();
}

const cases = Object.keys(systems).flatMap((system) =>
  Object.entries({ ...networkFaults, ...faultsOf[system] }).map(([name, fault]) => [system, name, fault] as const),
);

describe.each(cases)('%s that %s', (system, name, { answers, strike, later }) => {
  const { proxy } = systems[system]!;

  it('is treated by each policy, harms no other application, and is used again when it works', async () => {
    const fault = { name, answers, strike: () => strike(proxy(stack)), later, heal: () => heal(system) };
    const lines = await survive(stack, system, fault);
    expect(lines).toHaveLength(2);
    report.push(...lines);
  });
});

describe('nothing is left behind', () => {
  it('when all is over: no work, no connection beyond what the sources may have', async () => {
    await expect.poll(() => gauge(stack, 'nodejs_active_requests'), { timeout: 10_000 }).toBe(0);
    for (const [system, { proxy }] of Object.entries(systems))
      await expect.poll(() => proxy(stack).connections, { timeout: 10_000, message: system }).toBeLessThanOrEqual(12);
  });

  it.each(Object.keys(systems))('by twenty storms more than by the first: %s', async (system) => {
    const storm = async (): Promise<void> => {
      const proxy = systems[system]!.proxy(stack);
      proxy.refuse();
      proxy.cut();
      for (const policy of Object.keys(policies)) await ask(stack, applicationOf(system, policy));
      await heal(system);
      await well(system);
    };
    const held = async (): Promise<Readonly<Record<string, number>>> => ({
      sockets: await gauge(stack, 'nodejs_active_resources', 'TCPSocketWrap'),
      timers: await gauge(stack, 'nodejs_active_resources', 'Timeout'),
    });
    await storm();
    const first = await held();
    for (let round = 0; round < 20; round += 1) await storm();
    for (const what of Object.keys(first))
      await expect
        .poll(async () => (await held())[what], { timeout: 10_000, message: what })
        .toBeLessThanOrEqual(first[what]! + 2);
  });

  it('that Node would warn of: no listener too many, no promise without an owner', () => {
    expect(stack.service.stderr).toBe('');
  });
});
