import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Secrets } from '#claims';
import { readServiceDocument, type ServiceDocument } from '#configuration';
import { logLevels, type LogLevel } from '#observability';
import { ConfigurationError } from './configuration/configuration-error.js';

/** Everything the service is told. The only file that reads the environment is this one. */
export class Configuration {
  constructor(
    /** The configuration file, for messages. */
    readonly file: string,
    readonly document: ServiceDocument,
    readonly logLevel: LogLevel,
  ) {}

  /** A path of the configuration file, relative to its folder. */
  resolve(relative: string): string {
    return path.resolve(path.dirname(this.file), relative);
  }

  /** The time that a request has from its receipt, in milliseconds. */
  get deadline(): number {
    return this.document.entra.timeout - this.document.entra.edgeAllowance;
  }
}

/**
 * Reads the file that CLAIMBRIDGE_CONFIG names (claimbridge.yaml by default) and LOG_LEVEL.
 * @throws ConfigurationError where the file or a variable is not as it must be
 */
export async function readConfiguration(environment: NodeJS.ProcessEnv = process.env): Promise<Configuration> {
  const file = path.resolve(environment['CLAIMBRIDGE_CONFIG'] ?? 'claimbridge.yaml');
  const level = environment['LOG_LEVEL'] ?? 'info';
  if (!isLogLevel(level))
    throw new ConfigurationError('LOG_LEVEL', [{ path: [], reason: `must be one of ${logLevels.join(', ')}` }]);
  const read = readServiceDocument(await readText(file));
  if (read.kind === 'refused') throw new ConfigurationError(file, read.issues);
  return new Configuration(file, read.document, level);
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new ConfigurationError(file, [{ path: [], reason: `cannot be read (${code})` }]);
  }
}

/** Secrets by reference: `env:NAME` from the environment, `file:PATH` from a file, relative to the configuration file. */
export class ReferencedSecrets extends Secrets {
  private readonly readings = new Map<string, { readonly readable: boolean; readonly readAt: Date }>();

  constructor(
    private readonly configuration: Configuration,
    private readonly environment: NodeJS.ProcessEnv = process.env,
  ) {
    super();
  }

  /** What became of the last reading of each reference. The references alone: they are names, not secrets. */
  get status(): readonly { readonly reference: string; readonly readable: boolean; readonly readAt: Date }[] {
    return [...this.readings].map(([reference, reading]) => ({ reference, ...reading }));
  }

  override async read(reference: string): Promise<string> {
    let readable = false;
    try {
      const secret = await this.readNow(reference);
      readable = true;
      return secret;
    } finally {
      // What is no reference might be a secret itself.
      if (/^(env|file):/.test(reference)) this.readings.set(reference, { readable, readAt: new Date() });
    }
  }

  private async readNow(reference: string): Promise<string> {
    const [, scheme, name] = /^(env|file):(.+)$/s.exec(reference) ?? [];
    if (scheme === 'env') {
      const value = this.environment[name!];
      if (value === undefined) throw new Error(`${reference}: the variable is not set`);
      return value;
    }
    if (scheme === 'file') {
      try {
        return (await readFile(this.configuration.resolve(name!), 'utf8')).replace(/\r?\n$/, '');
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
        throw new Error(`${reference}: cannot be read (${code})`, { cause: error });
      }
    }
    throw new Error('a secret is named as env:NAME or file:PATH');
  }
}

function isLogLevel(text: string): text is LogLevel {
  return (logLevels as readonly string[]).includes(text);
}
