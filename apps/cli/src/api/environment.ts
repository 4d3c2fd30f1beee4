import { readFileSync } from 'node:fs';
import { CommandError, exitCodes } from '../exit-codes.js';
import type { Credentials } from './token.js';

/** What the admin API is reached by. Secrets come from the environment or from files, never from the command line, which others can see. */
export interface Environment {
  /** The management door, without a path. */
  readonly url: string;
  readonly credentials: Credentials;
}

/**
 * CLAIMBRIDGE_URL (http://127.0.0.1:9090 by default), and either CLAIMBRIDGE_TOKEN, or CLAIMBRIDGE_TOKEN_URL with
 * CLAIMBRIDGE_CLIENT_ID, CLAIMBRIDGE_CLIENT_SECRET and CLAIMBRIDGE_SCOPE. Each variable may be given as NAME_FILE, a file that holds it.
 * @throws CommandError where they contradict each other or are not there
 */
export function readEnvironment(variables: NodeJS.ProcessEnv, url = readVariable(variables, 'CLAIMBRIDGE_URL')): Environment {
  const address = url ?? 'http://127.0.0.1:9090';
  mustBeProtected('CLAIMBRIDGE_URL', address);
  return { url: address.replace(/\/+$/, ''), credentials: readCredentials(variables) };
}

/** Tokens and secrets go to this address: https, or plain http on this machine. */
function mustBeProtected(name: string, address: string): void {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const local = url?.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (url?.protocol !== 'https:' && !local)
    throw new CommandError(exitCodes.usage, `${name} must be https://, or http:// on this machine`);
}

function readCredentials(variables: NodeJS.ProcessEnv): Credentials {
  const token = readVariable(variables, 'CLAIMBRIDGE_TOKEN');
  if (token !== undefined) return { kind: 'token', token };
  const names = ['CLAIMBRIDGE_TOKEN_URL', 'CLAIMBRIDGE_CLIENT_ID', 'CLAIMBRIDGE_CLIENT_SECRET', 'CLAIMBRIDGE_SCOPE'] as const;
  const [tokenUrl, clientId, clientSecret, scope] = names.map((name) => readVariable(variables, name));
  if (tokenUrl !== undefined && clientId !== undefined && clientSecret !== undefined && scope !== undefined) {
    mustBeProtected('CLAIMBRIDGE_TOKEN_URL', tokenUrl);
    return { kind: 'client', tokenUrl, clientId, clientSecret, scope };
  }
  throw new CommandError(
    exitCodes.usage,
    'there are no credentials for the admin API',
    `Set CLAIMBRIDGE_TOKEN, or ${names.join(', ')}. CLAIMBRIDGE_SCOPE is <audience of the admin API>/.default.`,
  );
}

/** A variable, or what is in the file that the variable of its name with _FILE names. */
export function readVariable(variables: NodeJS.ProcessEnv, name: string): string | undefined {
  const direct = variables[name]?.trim();
  if (direct) return direct;
  const file = variables[`${name}_FILE`];
  if (!file) return undefined;
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new CommandError(exitCodes.usage, `${name}_FILE: cannot be read (${code})`);
  }
}
