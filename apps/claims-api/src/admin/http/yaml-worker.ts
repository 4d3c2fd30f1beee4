// Reads one YAML document in a thread of its own and answers it as JSON.
import { parentPort, workerData } from 'node:worker_threads';
import { parse } from 'yaml';

/** What the thread answers; the parser's own words would quote the document. */
export type YamlAnswer = { readonly json: string | undefined } | { readonly line: number | undefined };

function read(text: string): YamlAnswer {
  try {
    return { json: JSON.stringify(parse(text, { maxAliasCount: 0, schema: 'core', merge: false, logLevel: 'error' })) };
  } catch (error) {
    const { linePos } = error as { readonly linePos?: readonly [{ readonly line: number }] };
    return { line: linePos?.[0].line };
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
parentPort?.postMessage(read(workerData as string));
