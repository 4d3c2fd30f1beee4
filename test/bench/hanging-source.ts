import { startTcpProxy } from '#testing';
import type { BackEnds } from './back-ends.js';
import { median, percentile } from './figures.js';
import { LoadGenerator } from './load-generator.js';
import { exchanges } from './people.js';
import { startService } from './service.js';

const affectedApplicationId = '3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9aff';

export interface HangingSource {
  /** Throughput of the unaffected application while the other source hangs, against while it works. */
  readonly throughput: number;
  /** How long the affected answers took, in milliseconds, and what they may take. */
  readonly p99: number;
  readonly slowest: number;
  readonly deadline: number;
  readonly answers: number;
}

/**
 * One of two sources hangs: an application that does not need it is under full load, one that needs it is asked 50 times a second.
 */
export async function measureHangingSource(options: {
  readonly backEnds: BackEnds;
  readonly load: LoadGenerator;
  readonly core: number | undefined;
  readonly connections: number;
  readonly rounds: number;
  readonly seconds: number;
}): Promise<HangingSource> {
  const { backEnds, load, core, connections, rounds, seconds } = options;
  const { hostname, port } = new URL(backEnds.settings.directory.url);
  const network = await startTcpProxy({ host: hostname, port: Number(port) });
  const further = { port: network.port, affectedApplicationId };
  const { process, url, deadline } = await startService({
    name: 'hanging',
    backEnds,
    core,
    mappings: 1,
    furtherDirectory: further,
  });
  const other = new LoadGenerator();
  try {
    const { authorization, exchangesFile } = backEnds;
    const affected = exchanges(500, affectedApplicationId);
    const claimless = JSON.stringify({
      data: {
        '@odata.type': 'microsoft.graph.onTokenIssuanceStartResponseData',
        actions: [{ '@odata.type': 'microsoft.graph.tokenIssuanceStart.provideClaimsForToken', claims: {} }],
      },
    });
    const department = (number: number): string => claimless.replace('{}', `{"department":"Department ${number % 20}"}`);
    const files = {
      works: await backEnds.file(
        'affected-works.json',
        affected.map(({ body }, number) => ({ body, answer: department(number) })),
      ),
      hangs: await backEnds.file(
        'affected-hangs.json',
        affected.map(({ body }) => ({ body, answer: claimless })),
      ),
    };
    const both = async (state: 'works' | 'hangs') => {
      const [unaffected, waiting] = await Promise.all([
        load.run({ url, authorization, seconds, connections, exchanges: exchangesFile }),
        other.run({ url, authorization, seconds, connections: 150, rate: 50, exchanges: files[state] }),
      ]);
      return { perSecond: unaffected.answers / unaffected.seconds, waiting };
    };
    await both('works');
    const throughput: number[] = [];
    const latencies: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const before = await both('works');
      network.blackHole();
      const during = await both('hangs');
      await network.restore();
      // Answers that come late are kept for 10 s, for who asks again.
      if (round < rounds - 1) await new Promise((resolve) => setTimeout(resolve, 12_000));
      throughput.push(during.perSecond / before.perSecond);
      latencies.push(...during.waiting.latencies);
    }
    latencies.sort((left, right) => left - right);
    return {
      throughput: median(throughput),
      p99: percentile(latencies, 0.99),
      slowest: latencies.at(-1)!,
      deadline,
      answers: latencies.length,
    };
  } finally {
    other[Symbol.dispose]();
    await process[Symbol.asyncDispose]();
    await network.stop();
  }
}
