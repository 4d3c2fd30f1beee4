import { parseArgs } from 'node:util';
import { startSimulator } from './index.js';

const usage = `entra-simulator --config FILE
  --port N            8443 by default; 0 takes a free one
  --host H            127.0.0.1 by default
  --target-url URL    instead of every extension's targetUrl
  --ca-file PATH      where the CA certificate is written (PEM)
  --public-url URL    the base of issuers and metadata; https://localhost:<port> by default
  --san NAME          one more host name or address in the certificate; may be repeated
  --exit-with-stdin   ends when the standard input does`;

function readArguments() {
  const { values } = parseArgs({
    options: {
      config: { type: 'string' },
      port: { type: 'string', default: '8443' },
      host: { type: 'string' },
      'target-url': { type: 'string' },
      'ca-file': { type: 'string' },
      'public-url': { type: 'string' },
      san: { type: 'string', multiple: true },
      'exit-with-stdin': { type: 'boolean', default: false },
    },
  });
  const port = /^\d{1,5}$/.test(values.port) ? Number(values.port) : Number.NaN;
  if (values.config === undefined || !(port <= 65_535)) throw new Error(usage);
  return { ...values, config: values.config, port };
}

async function main(): Promise<void> {
  const flags = readArguments();
  const simulator = await startSimulator({
    config: flags.config,
    port: flags.port,
    host: flags.host,
    targetUrl: flags['target-url'],
    publicUrl: flags['public-url'],
    caFile: flags['ca-file'],
    names: flags.san,
  });
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    process.stdin.destroy();
    void simulator.stop();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (flags['exit-with-stdin']) process.stdin.on('end', stop).on('error', stop).resume();
  process.stdout.write(`${JSON.stringify({ ready: true, url: simulator.url, caFile: flags['ca-file'] })}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : 'The simulator failed.'}\n`);
  process.exitCode = 1;
});
