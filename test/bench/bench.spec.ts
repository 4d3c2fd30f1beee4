import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startHttpServer } from '#testing';
import { serviceFlags } from '../e2e/service-process.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isWithin, ratiosOf } from './budgets.js';
import { cpuMicroseconds, figuresOf, median, perSecond, percentile, ratioOf, type Sample } from './figures.js';
import { LoadGenerator, WrongAnswer, assertRight } from './load-generator.js';
import { MeasuredProcess } from './measured-process.js';
import { exchanges, type Exchange } from './people.js';
import { sharesOf } from './profile.js';
import { interleave, sampleOf } from './rounds.js';

const sample = (some: Partial<Sample> = {}): Sample => ({
  answers: 1_000,
  seconds: 2,
  cpuSeconds: 0.1,
  latencies: [1, 2, 3, 4],
  residentMegabytes: 100,
  ...some,
});

it('runs the service with the flags of the image and of the start script', async () => {
  const root = path.resolve(import.meta.dirname, '../..');
  const command = JSON.stringify(['node', ...serviceFlags, 'dist/apps/claims-api/src/main.js']).replaceAll(',', ', ');
  expect(await readFile(path.join(root, 'docker/Dockerfile'), 'utf8')).toContain(`\nCMD ${command}\n`);
  expect(await readFile(path.join(root, 'tools/run.mjs'), 'utf8')).toContain(
    `const serviceFlags = [${serviceFlags.map((flag) => `'${flag}'`).join(', ')}];`,
  );
});

describe('figures', () => {
  it('are requests a second, and time on the processor for each', () => {
    expect(perSecond(sample())).toBe(500);
    expect(cpuMicroseconds(sample())).toBeCloseTo(100);
  });

  it.each([
    [[3], 3],
    [[5, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
    [[100, 2, 10], 10],
  ])('the median of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('percentiles are values that occurred', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
    expect([0.5, 0.99, 1].map((share) => percentile(hundred, share))).toEqual([50, 99, 100]);
    expect(percentile([7], 0.5)).toBe(7);
  });

  it('of a server are the medians of its rounds, and the most memory', () => {
    const rounds = [sample(), sample({ answers: 2_000, residentMegabytes: 150 }), sample({ answers: 500, latencies: [9] })];
    expect(figuresOf(rounds)).toEqual({ perSecond: 500, cpuMicroseconds: 100, p50: 2, p99: 4, residentMegabytes: 150 });
  });

  it('compare two servers within each round, so that what slows a round slows both', () => {
    const ours = [sample({ cpuSeconds: 0.3 }), sample({ cpuSeconds: 3 }), sample({ cpuSeconds: 0.4 })];
    const theirs = [sample({ cpuSeconds: 0.1 }), sample({ cpuSeconds: 1 }), sample({ cpuSeconds: 0.2 })];
    const { median: middle, least, most } = ratioOf(ours, theirs, cpuMicroseconds);
    expect([middle, least, most].map((ratio) => Math.round(ratio * 100) / 100)).toEqual([3, 2, 3]);
    expect(() => ratioOf(ours, theirs.slice(1), cpuMicroseconds)).toThrow('every round');
  });

  it('of the budgets compare the servers that they name, the right way round', () => {
    const cpu: Readonly<Record<string, number>> = { bare: 0.1, cold: 0.14, warm: 0.05, floor: 0.02 };
    const answers: Readonly<Record<string, number>> = { defaults: 250 };
    const ratios = ratiosOf((name) => [sample({ cpuSeconds: cpu[name] ?? 0.5, answers: answers[name] ?? 1_000 })]);
    expect(ratios.coldCpuVsBare.median).toBeCloseTo(1.4);
    expect(ratios.throughputVsDefaults.median).toBeCloseTo(4);
    expect(ratios.warmCpuVsFloor.median).toBeCloseTo(2.5);
    expect(isWithin('coldCpuVsBare', ratios.coldCpuVsBare)).toBe(true);
    expect(isWithin('throughputVsDefaults', ratios.throughputVsDefaults)).toBe(true);
    expect(isWithin('warmCpuVsFloor', ratios.warmCpuVsFloor)).toBe(false);
  });
});

it('rounds go through all servers before the next begins', async () => {
  const order: string[] = [];
  const samples = await interleave(['a', 'b', 'c'], 2, async (name, round) => {
    order.push(`${name}${round}`);
    return sample({ answers: order.length });
  });
  expect(order).toEqual(['a0', 'b0', 'c0', 'a1', 'b1', 'c1']);
  expect(samples.get('b')!.map(({ answers }) => answers)).toEqual([2, 5]);
});

describe('people', () => {
  it('have an answer each that is nobody else’s', () => {
    const all = exchanges(5_000);
    expect(new Set(all.map(({ answer }) => answer)).size).toBe(5_000);
    expect(new Set(all.map(({ body }) => body)).size).toBe(5_000);
  });

  it('are asked about by an event as large as Entra’s', () => {
    expect(Buffer.byteLength(exchanges(1)[0]!.body)).toBeGreaterThan(1_300);
  });
});

describe('the load', () => {
  let folder: string;
  let load: LoadGenerator;
  const all: readonly Exchange[] = exchanges(10);

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-load-'));
    await writeFile(path.join(folder, 'exchanges.json'), JSON.stringify(all));
    load = new LoadGenerator();
  });

  afterAll(async () => {
    load[Symbol.dispose]();
    await rm(folder, { recursive: true, force: true });
  });

  async function run(answer: (right: string, body: string) => { status?: number; body: string }) {
    const seen = new Set<string>();
    const server = await startHttpServer(({ body }) => {
      seen.add(body);
      const { answer: right } = all.find((exchange) => exchange.body === body)!;
      return { headers: { 'content-type': 'application/json' }, ...answer(right, body) };
    });
    const job = { url: `${server.url}/api`, authorization: 'Bearer x', seconds: 0.3, connections: 2 };
    try {
      return { seen, outcome: await load.run({ ...job, exchanges: path.join(folder, 'exchanges.json') }) };
    } finally {
      await server.stop();
    }
  }

  it('asks about everybody, and counts right answers', async () => {
    const { seen, outcome } = await run((right) => ({ body: right }));
    expect(outcome).toMatchObject({ wrong: 0, errors: 0 });
    expect(outcome.latencies).toHaveLength(outcome.answers);
    expect(seen.size).toBe(all.length);
  });

  it('fails by a single answer that is another person’s', async () => {
    const victim = all[3]!.body;
    await expect(run((right, body) => ({ body: body === victim ? all[4]!.answer : right }))).rejects.toThrow(WrongAnswer);
  });

  it('fails by a right body with another status', async () => {
    await expect(run((right) => ({ status: 503, body: right }))).rejects.toThrow('status 503');
  });

  it('fails by answers that do not come', () => {
    const none = { answers: 5, seconds: 1, latencies: [1], errors: 1, wrong: 0 };
    expect(() => assertRight(none)).toThrow(WrongAnswer);
    expect(() => assertRight({ ...none, answers: 0, errors: 0 })).toThrow(WrongAnswer);
    expect(() => assertRight({ ...none, errors: 0 })).not.toThrow();
  });
});

describe.skipIf(process.platform !== 'linux')('a measured process', () => {
  it('costs what it says itself that it took, and nothing before or after', async () => {
    const script = `
      process.on('SIGUSR2', () => {
        const until = performance.now() + 300;
        while (performance.now() < until);
        const { user, system } = process.cpuUsage();
        require('node:fs').writeFileSync(process.argv[1], String((user + system) / 1e6));
      });
      setInterval(() => undefined, 1e6);
      process.stdout.write('{"ready":true}\\n');`;
    const folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-measured-'));
    const file = path.join(folder, 'own');
    await using server = new MeasuredProcess({ args: ['--eval', script, file], core: undefined });
    expect(await server.firstLine()).toEqual({ ready: true });
    const written = async (): Promise<number> => {
      for (;;) {
        const text = await readFile(file, 'utf8').catch(() => '');
        if (text !== '') return Number(text);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    let own = 0;
    const before = server.cpuSeconds;
    const taken = await sampleOf(
      {
        run: async () => {
          server.signal('SIGUSR2');
          own = await written();
          return { answers: 1, seconds: 1, latencies: [1], errors: 0, wrong: 0 };
        },
      },
      server,
      { url: '', authorization: '', seconds: 1, connections: 1, exchanges: '' },
    );
    expect(before + taken.cpuSeconds).toBeGreaterThan(own - 0.05);
    expect(before + taken.cpuSeconds).toBeLessThan(own + 0.05);
    expect(server.residentMegabytes).toBeGreaterThan(10);
    await rm(folder, { recursive: true });
  });

  it('says why it ended', async () => {
    await using server = new MeasuredProcess({ args: ['--eval', 'console.error("no port"); process.exit(1)'], core: undefined });
    await expect(server.firstLine()).rejects.toThrow('no port');
  });
});

it('a profile is told by modules and functions, without what was idle', () => {
  const node = (id: number, functionName: string, url: string) => ({ id, callFrame: { functionName, url, lineNumber: 4 } });
  const { modules, functions } = sharesOf({
    nodes: [
      node(1, '(idle)', ''),
      node(2, 'parse', 'file:///app/node_modules/@scope/parser/lib/a.js'),
      node(3, 'fetch', 'file:///app/dist/libs/claims/src/resolve/lookup-run.js'),
      node(4, '(garbage collector)', ''),
    ],
    samples: [1, 2, 3, 3, 4],
    timeDeltas: [1_000, 10, 20, 10, 10],
  });
  expect(modules).toEqual([
    { name: 'libs/claims/resolve/lookup-run', share: 0.6 },
    { name: '@scope/parser', share: 0.2 },
    { name: '(garbage collector)', share: 0.2 },
  ]);
  expect(functions[0]).toEqual({ name: 'fetch libs/claims/resolve/lookup-run:5', share: 0.6 });
});
