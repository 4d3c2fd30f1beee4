import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import type { ClaimsService } from '../conformance/events/claims-service.js';
import { claimsOf } from '../conformance/events/wire-answers.js';
import { canary, type Json } from '../conformance/events/wire-events.js';
import { bodyOf } from './bodies.js';
import { violation, type Memory, type Progress } from './report.js';

const workers = 16;
const refusals: Readonly<Record<number, string>> = { 400: 'request.body', 403: 'tenant.mismatch', 413: 'request.tooLarge' };

/**
 * Posts `count` generated bodies, with Entra's token, to a running service. Each answer must be a well-formed 200 or a refusal with
 * its code, and nothing of a body may come back in a refusal or reach the log.
 * @returns how many there were of each status
 * @throws Violation with the seed and the input
 */
export async function fuzzHttp(
  service: ClaimsService,
  events: readonly string[],
  count: number,
  seed: number,
  progress?: Progress,
): Promise<Readonly<Record<number, number>>> {
  await using parts = new AsyncDisposableStack();
  const pool = parts.adopt(new Pool(service.publicUrl, { connections: 8, pipelining: 4 }), (open) => open.destroy());
  const statuses: Record<number, number> = {};
  const logged = service.service.log.length;
  let next = 0;
  const work = async (end: number): Promise<void> => {
    while (next < end) {
      const index = next++;
      const body = bodyOf(seed, index, events);
      const fail = (fault: string): Error => violation('the service', seed, index, body, fault);
      const answer = await pool
        .request({
          method: 'POST',
          path: '/api/onTokenIssuanceStart',
          headers: { 'content-type': 'application/json', authorization: service.authorization },
          body,
          idempotent: true,
        })
        .catch((error: unknown) => Promise.reject(fail(`gave no answer: ${String(error)}`)));
      const text = await answer.body.text();
      const fault = faultOf(answer.statusCode, text);
      if (fault !== undefined) throw fail(fault);
      statuses[answer.statusCode] = (statuses[answer.statusCode] ?? 0) + 1;
    }
  };
  for (let tenth = 1; tenth <= 10; tenth++) {
    const end = Math.round((count * tenth) / 10);
    await Promise.all(Array.from({ length: workers }, () => work(end)));
    progress?.(end, await memoryOf(service));
  }
  const leaked = service.service.log.slice(logged).findIndex((line) => JSON.stringify(line).includes(canary));
  if (leaked !== -1)
    throw new Error(`the log has a value of a body (seed ${seed}): ${JSON.stringify(service.service.log[logged + leaked])}`);
  return statuses;
}

function faultOf(status: number, text: string): string | undefined {
  try {
    if (status === 200) {
      claimsOf(text);
      return undefined;
    }
    const problem = JSON.parse(text) as Json;
    if (problem['code'] !== refusals[status]) return `answered ${status} ${text}`;
    return text.includes(canary) ? 'repeated a value of the body' : undefined;
  } catch (error) {
    return `answered ${status} with something malformed: ${String(error)}`;
  }
}

/** Runs in the service before it: a signal makes it collect its garbage. */
const collector = `import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
process.on('SIGUSR2', () => collect());`;

/** The environment of a service of which the memory is to be measured after a garbage collection. */
export const collectable = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(collector)}` };

async function memoryOf({ service, managementUrl }: ClaimsService): Promise<Memory> {
  service.kill('SIGUSR2');
  await sleep(200);
  const metrics = await (await fetch(`${managementUrl}/metrics`)).text();
  const value = (name: string): number => Number(new RegExp(`^${name} (.+)$`, 'm').exec(metrics)?.[1]);
  return { resident: value('process_resident_memory_bytes'), heap: value('nodejs_heap_size_used_bytes') };
}
