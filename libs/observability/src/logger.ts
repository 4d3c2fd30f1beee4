import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * Names under which a value of a person or a secret might be handed to the log by mistake. What callers log is chosen field by
 * field; this is the net below it.
 */
const censored: ReadonlySet<string> = new Set([
  'authorization',
  'token',
  'access_token',
  'password',
  'secret',
  'claims',
  'user',
  'subject',
  'userPrincipalName',
  'mail',
  'ip',
  'body',
  'parameters',
  'attributes',
]);

/** How deep names are looked for below the top: in `lookups: [{ … }]` too. */
const censoredDepth = 2;

/** One JSON object a line, on stdout unless told otherwise. */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: undefined,
    timestamp: isoTime(),
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (line: Record<string, unknown>) => censor(line, censoredDepth) as Record<string, unknown>,
    },
    serializers: { err: describeError },
  };
  return pino(options, destination ?? stdoutByTurns());
}

/** The same object where no name in it is censored, which is every line that is as it should be; otherwise a copy. */
function censor(value: object, depth: number): object {
  if (value instanceof Error) return value;
  let copy: Record<string, unknown> | undefined;
  for (const name of Object.keys(value)) {
    const held = (value as Readonly<Record<string, unknown>>)[name];
    let told = held;
    if (held === undefined) continue;
    if (censored.has(name)) told = '[censored]';
    else if (depth > 0 && typeof held === 'object' && held !== null) told = censor(held, depth - 1);
    if (told !== held) (copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>)[name] = told;
  }
  return copy ?? value;
}

/** Lines of one millisecond have one text for it. */
function isoTime(): () => string {
  let [at, text] = [0, ''];
  return () => {
    const now = Date.now();
    if (now !== at) {
      at = now;
      text = `,"time":"${new Date(now).toISOString()}"`;
    }
    return text;
  };
}

/** The lines of one turn of the event loop are one write, done at the end of the turn, or when the process ends before. */
function stdoutByTurns(): DestinationStream {
  const stdout = pino.destination({ dest: 1, sync: true, minLength: 8_192 });
  let due = false;
  const flush = (): void => {
    due = false;
    stdout.flush();
  };
  process.on('exit', () => {
    try {
      stdout.flushSync();
    } catch {
      // Nobody reads any more.
    }
  });
  return {
    write(line) {
      stdout.write(line);
      if (due) return;
      due = true;
      setImmediate(flush);
    },
  };
}

/** Type, code and stack of a defect. Its enumerable properties are left out: drivers put rows and parameters there. */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return { type: error.name, ...code, message: error.message, stack: error.stack };
}
