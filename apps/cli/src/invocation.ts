import { AdminClient } from './api/admin-client.js';
import { readEnvironment } from './api/environment.js';
import { Output } from './output.js';

/** The process around a command: what it may read and write. */
export interface Surroundings {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  readonly variables: NodeJS.ProcessEnv;
  /** Whether colours may be used on standard output. */
  readonly colours: boolean;
}

/** The options that every command has. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly url?: string;
}

/** One call of a command. */
export class Invocation {
  readonly output: Output;
  private readonly client: () => AdminClient;

  constructor({ stdout, variables, colours }: Surroundings, { json = false, url }: GlobalOptions) {
    this.output = new Output(stdout, json, colours && !json);
    let made: AdminClient | undefined;
    this.client = () => (made ??= new AdminClient(readEnvironment(variables, url)));
  }

  /** The admin API. Only commands that use it need its address and credentials. */
  get api(): AdminClient {
    return this.client();
  }
}
