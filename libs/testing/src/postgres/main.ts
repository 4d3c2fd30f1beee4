import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { portOption, serveUntilTold } from '../process/serve-until-told.js';
import { startPostgres } from './postgres.js';

/** `node postgres/main.js [--sql FILE]… [--database NAME] [--port N]` */
await serveUntilTold(async () => {
  const { values } = parseArgs({
    options: { sql: { type: 'string', multiple: true }, database: { type: 'string' }, port: { type: 'string' } },
  });
  const sql = await Promise.all((values.sql ?? []).map((file) => readFile(file, 'utf8')));
  const port = portOption(values.port) || undefined;
  const { stop, host, port: listening, database, user, password } = await startPostgres({ sql, database: values.database, port });
  return { report: { host, port: listening, database, user, password }, stop };
});
