import { parseArgs } from 'node:util';
import { startSimulator } from './simulator.js';
const usage =
  'simulator --config FILE [--host H] [--port N] [--public-url URL] [--san NAME]… [--target-url URL] [--ca-file FILE] [--exit-with-stdin]';
function readArguments() {
  const { values } = parseArgs({
    options: {
      config: { type: 'string' },
      host: { type: 'string' },
      port: { type: 'string', default: '8443' },
      'public-url': { type: 'string' },
      san: { type: 'string', multiple: true },
      'target-url': { type: 'string' },
      'ca-file': { type: 'string' },
      'exit-with-stdin': { type: 'boolean', default: false },
    },
  });
  const port = Number(values.port);
  if (values.config === undefined) throw new Error(`--config FILE is missing\n${usage}`);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`--port is a number up to 65535\n${usage}`);
  return {
    options: {
      config: values.config,
      port,
      ...(values.host !== undefined && { host: values.host }),
      ...(values['public-url'] !== undefined && { publicUrl: values['public-url'] }),
      ...(values.san && { names: values.san }),
      ...(values['target-url'] !== undefined && { targetUrl: values['target-url'] }),
      ...(values['ca-file'] !== undefined && { caFile: values['ca-file'] }),
    },
    exitWithStdin: values['exit-with-stdin'],
  };
}
async function main(): Promise<void> {
  const { options, exitWithStdin } = readArguments();
  const simulator = await startSimulator(options);
  const stop = () => void simulator.stop().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  if (exitWithStdin) process.stdin.once('close', stop).once('end', stop).resume();
  process.stdout.write(`${JSON.stringify({ ready: true, url: simulator.url, caFile: options.caFile })}\n`);
}
main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : 'unknown error'}\n`);
  process.exit(1);
});
