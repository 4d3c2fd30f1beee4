import { AdminClient } from './api/admin-client.js';
import { readEnvironment } from './api/environment.js';
import type { Output } from './output.js';

/** The process around a command: what it may read and write. */
export interface Surroundings {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  readonly variables: NodeJS.ProcessEnv;
  /** Whether colours may be used on standard output. */
  readonly colours: boolean;
}

/** The options that every command has beside --json. */
export interface GlobalOptions {
  readonly url?: string;
}

/** One call of a command. */
export class Invocation {
  private readonly client: () => AdminClient;

  constructor(
    readonly output: Output,
    { variables }: Surroundings,
    { url }: GlobalOptions,
  ) {
    let made: AdminClient | undefined;
    this.client = () => (made ??= new AdminClient(readEnvironment(variables, url)));
  }

  /** The admin API. Only commands that use it need its address and credentials. */
  get api(): AdminClient {
    return this.client();
  }
}
