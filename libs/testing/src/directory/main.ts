import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { portOption, serveUntilTold } from '../process/serve-until-told.js';
import { StartError } from '../process/start-error.js';
import { startDirectory } from './server.js';
import { startSlapd } from './slapd.js';

/** `node directory/main.js --ldif FILE [--port N] [--host ADDRESS] [--engine in-process|slapd]` */
await serveUntilTold(async () => {
  const { values } = parseArgs({
    options: {
      ldif: { type: 'string' },
      port: { type: 'string' },
      host: { type: 'string', default: '127.0.0.1' },
      engine: { type: 'string', default: 'in-process' },
    },
  });
  if (values.ldif === undefined) throw new StartError('start.input', 'Say which entries to serve: --ldif FILE.');
  const ldif = await readFile(values.ldif, 'utf8');
  const port = portOption(values.port);
  switch (values.engine) {
    case 'in-process': {
      const { url, stop } = await startDirectory({ ldif, port, host: values.host });
      return { report: { url }, stop };
    }
    case 'slapd': {
      const { url, stop } = await startSlapd({ ldif, port: port || undefined, host: values.host });
      return { report: { url }, stop };
    }
    default:
      throw new StartError('start.input', '--engine is in-process or slapd.');
  }
});
