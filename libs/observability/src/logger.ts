import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * Names under which a value of a person or a secret might be handed to the log by mistake. What callers log is chosen field by
 * field; this is the net below it.
 */
const censored = [
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
];

/** One JSON object a line, on stdout unless told otherwise. */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: undefined,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: censored.flatMap((name) => [name, `*.${name}`]), censor: '[censored]' },
    serializers: { err: describeError },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** Type, code and stack of a defect. Its enumerable properties are left out: drivers put rows and parameters there. */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return { type: error.name, ...code, message: error.message, stack: error.stack };
}
