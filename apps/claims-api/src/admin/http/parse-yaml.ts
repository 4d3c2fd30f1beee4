import { Worker } from 'node:worker_threads';
import { AdminProblem, invalidRequest } from './admin-problem.js';
import { Turns } from './turns.js';
import type { YamlAnswer } from './yaml-worker.js';

/** The longest YAML that is read. */
export const yamlBytes = 32 * 1024;

const patience = 2_000;
const turns = new Turns('YAML', { concurrency: 1, queue: 8 });

/**
 * Reads YAML, in a thread of its own that is ended when it takes too long: a thousand characters keep the parser busy for more than a minute,
 * and this thread answers sign-ins.
 * @throws AdminProblem `request.body`, `request.tooLarge` or `admin.busy`
 */
export function parseYaml(text: string): Promise<unknown> {
  if (Buffer.byteLength(text) > yamlBytes)
    throw new AdminProblem({
      code: 'request.tooLarge',
      status: 413,
      title: `A request body in YAML has more than ${yamlBytes / 1024} KB.`,
      remedy: 'Send it as JSON (Content-Type: application/json), which may be longer.',
    });
  return turns.take(async () => {
    const answer = await ask(text);
    if ('line' in answer)
      throw invalidRequest('body', [
        { path: [], reason: `cannot be read${answer.line === undefined ? '' : ` (line ${answer.line})`}` },
      ]);
    return answer.json === undefined ? undefined : (JSON.parse(answer.json) as unknown);
  });
}

async function ask(text: string): Promise<YamlAnswer> {
  const worker = new Worker(new URL('yaml-worker.js', import.meta.url), {
    workerData: text,
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 },
  });
  try {
    return await new Promise<YamlAnswer>((resolve, reject) => {
      const tooHard = (): void =>
        reject(
          invalidRequest('body', [
            {
              path: [],
              reason: 'is YAML that takes too long to read',
              remedy: 'Send it as JSON (Content-Type: application/json).',
            },
          ]),
        );
      setTimeout(tooHard, patience).unref();
      worker.once('message', resolve).once('error', tooHard).once('exit', tooHard);
    });
  } finally {
    await worker.terminate();
  }
}
