import { types } from 'node:util';
import { pino, type Bindings, type ChildLoggerOptions, type DestinationStream, type Logger } from 'pino';

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
const deepest = 50;

/** One JSON object a line, on stdout unless told otherwise. What a child logger is bound to is censored as a line is. */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: undefined,
    timestamp: isoTime(),
    formatters: {
      level: (label: string) => ({ level: label }),
      log: censorLine,
    },
    // `censorLine` has described it; pino's own way would be the error's properties.
    serializers: { err: (described: unknown) => described },
  };
  return withCensoredBindings(pino(options, destination ?? stdoutByTurns()));
}

/** pino has no formatter for what a child logger is bound to. Children inherit these, and so do theirs. */
function withCensoredBindings(logger: Logger): Logger {
  const { child, setBindings } = logger;
  logger.child = function <Levels extends string>(this: Logger, bindings: Bindings, options?: ChildLoggerOptions<Levels>) {
    return child.call(this, censorLine(bindings), options) as Logger<Levels>;
  } as Logger['child'];
  logger.setBindings = function (this: Logger, bindings: Bindings) {
    setBindings.call(this, censorLine(bindings));
  };
  return logger;
}

function censorLine(line: Record<string, unknown>): Record<string, unknown> {
  const { err } = line;
  const described = err === undefined || isError(err) ? line : { ...line, err: describeError(err) };
  return censor(described, censoredDepth, []) as Record<string, unknown>;
}

/**
 * The same object where nothing in it is to be told otherwise, which is every line that is as it should be; otherwise a copy.
 *
 * @param above the objects in which it is
 */
function censor(value: object, depth: number, above: object[]): object {
  let copy: Record<string, unknown> | undefined;
  above.push(value);
  for (const name of Object.keys(value)) {
    const held = (value as Readonly<Record<string, unknown>>)[name];
    if (held === undefined) continue;
    const told = depth >= 0 && censored.has(name) ? '[censored]' : tell(held, depth - 1, above);
    if (told !== held) (copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>)[name] = told;
  }
  above.pop();
  return copy ?? value;
}

/** What JSON makes of a value, censored; of errors at any depth no more than `describeError` tells. */
function tell(held: unknown, depth: number, above: object[]): unknown {
  if (typeof held !== 'object' || held === null) return typeof held === 'function' ? undefined : held;
  if (isError(held)) return describeError(held);
  if (above.length > deepest || above.includes(held)) return '[circular or too deep]';
  const json = 'toJSON' in held && typeof held.toJSON === 'function' ? jsonOf(held.toJSON.bind(held)) : held;
  if (typeof json !== 'object' || json === null) return json;
  return isError(json) ? describeError(json) : censor(json, depth, above);
}

function jsonOf(toJson: () => unknown): unknown {
  try {
    return toJson();
  } catch {
    return '[no JSON]';
  }
}

/** Those of another realm too. */
function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
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
  if (!isError(error)) return { type: typeof error };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return { type: error.name, ...code, message: error.message, stack: error.stack };
}
