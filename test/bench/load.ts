// The load, in a process of its own: what it costs must not be taken for the server's.
import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';
import type { Exchange } from './people.js';

export interface Job {
  readonly url: string;
  readonly authorization: string;
  readonly seconds: number;
  readonly connections: number;
  /** Requests a second; as many as go without. */
  readonly rate?: number;
  /** A JSON file of exchanges. */
  readonly exchanges: string;
}

export interface Outcome {
  readonly answers: number;
  /** From the first answer to the last. */
  readonly seconds: number;
  /** Of all right answers, in milliseconds, in ascending order. */
  readonly latencies: readonly number[];
  /** Connections that failed, and requests that got no answer. */
  readonly errors: number;
  /** Answers that were not 200 with exactly the expected document. */
  readonly wrong: number;
  /** One of them. */
  readonly firstWrong?: { readonly status: number; readonly body: string; readonly expected: string };
}

async function run({ url, authorization, seconds, connections, rate, exchanges }: Job): Promise<Outcome> {
  const all = JSON.parse(readFileSync(exchanges, 'utf8')) as readonly Exchange[];
  const latencies: number[] = [];
  let [answers, wrong, first, last, opened] = [0, 0, 0, 0, 0];
  let firstWrong: Outcome['firstWrong'];
  const check = ({ answer }: Exchange, status: number, body: string): void => {
    answers++;
    last = performance.now();
    first ||= last;
    if (status === 200 && body === answer) return;
    wrong++;
    firstWrong ??= { status, body, expected: answer };
  };
  const { pathname } = new URL(url);
  const headers = { authorization, 'content-type': 'application/json' };
  const { errors } = await autocannon({
    url,
    connections,
    duration: seconds,
    ...(rate !== undefined && { overallRate: rate }),
    sampleInt: 100,
    timeout: 10,
    setupClient: (client) => {
      // Each connection has people of its own: two that asked for the same person at once would share a lookup.
      const own = all.filter((_, index) => index % connections === opened);
      opened++;
      client.setRequests(
        own.map((exchange) => ({
          method: 'POST',
          path: pathname,
          headers,
          body: exchange.body,
          onResponse: (status: number, body: string) => check(exchange, status, body),
        })),
      );
      client.on('response', (_status, _bytes, milliseconds) => void latencies.push(milliseconds));
    },
  });
  return {
    answers,
    seconds: (last - first) / 1_000,
    latencies: latencies.toSorted((left, right) => left - right),
    errors,
    wrong,
    ...(firstWrong && { firstWrong }),
  };
}

process.on('message', (job: Job) => void run(job).then((outcome) => process.send?.(outcome)));
process.on('disconnect', () => process.exit(0));
