/** What the specs of this folder share: servers, secrets, and sources in front of them. */
import { Secrets, type Outcome, type Source } from '#claims';
import {
  startHttpServer,
  startTcpProxy,
  type HttpResponder,
  type HttpServerOptions,
  type RunningHttpServer,
  type TcpProxy,
} from '#testing';
import { afterEach, vi } from 'vitest';
import { composeSource } from '../wrappers/compose-source.js';
import { HttpConnector } from './http-connector.js';

const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const each of cleanUp.splice(0).toReversed()) await each();
});

export async function server(responder: HttpResponder, options?: HttpServerOptions): Promise<RunningHttpServer> {
  const running = await startHttpServer(responder, options);
  cleanUp.push(() => running.stop());
  return running;
}

export async function proxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const running = await startTcpProxy(target);
  cleanUp.push(() => running.stop());
  return running;
}

/** By reference; what is not there cannot be read. */
export class KnownSecrets extends Secrets {
  readonly reads: string[] = [];
  constructor(readonly known: Record<string, string> = {}) {
    super();
  }
  override read(reference: string): Promise<string> {
    this.reads.push(reference);
    const secret = this.known[reference];
    return secret === undefined ? Promise.reject(new Error(`${reference}: the variable is not set`)) : Promise.resolve(secret);
  }
}

/** With the lookup `it`, GET /it?key={key}, whose attribute `v` is at /v. */
export function http(
  url: string,
  { secrets = new KnownSecrets(), lookup = {}, ...options }: { secrets?: Secrets; lookup?: object; [key: string]: unknown } = {},
): Source & { logged: object[] } {
  const connector = new HttpConnector();
  const config = connector.config.parse({
    type: 'http',
    tenants: ['contoso'],
    url,
    allowClearText: true,
    allowAddresses: ['127.0.0.1/32'],
    limits: { operation: '10s', connect: '300ms', concurrency: 5 },
    ...options,
    lookups: {
      it: { parameters: ['key'], request: { path: '/it', query: { key: '{key}' } }, attributes: { v: '/v' }, ...lookup },
    },
  });
  const logged: object[] = [];
  const note = (fields: object): void => void logged.push(fields);
  const source = connector.create('hr-api', config, { secrets, log: { warn: note, error: note } });
  cleanUp.push(() => source.close());
  return Object.assign(source, { logged });
}

/** As the service uses it. */
export function composed(source: Source): Source {
  const limits = { operation: 10_000, connect: 300, concurrency: 5, queue: 5 };
  const config = { limits, breaker: { failures: 100, retryAfter: 1_000 }, cache: { entries: 1, bytes: 1_024 }, lookups: {} };
  const listener = { fetched: () => undefined, answered: () => undefined, circuit: () => undefined };
  return composeSource(source, config, listener, 60_000).source;
}

export const patient = new AbortController().signal;

export function ask(source: Source, key = 'adele', signal = patient, projection = ['v']): Promise<Outcome> {
  return source.fetch({ lookup: 'it', parameters: new Map([['key', key]]), projection }, signal);
}

export async function values(source: Source, key = 'adele'): Promise<readonly unknown[] | Outcome> {
  const outcome = await ask(source, key);
  return outcome.kind === 'found' ? outcome.attributes.get('v') : outcome;
}

const now = performance.now.bind(performance);

/** From now on the clock is so much ahead of the real one. */
export function later(milliseconds: number): void {
  vi.spyOn(performance, 'now').mockImplementation(() => now() + milliseconds);
}
