import { randomUUID } from 'node:crypto';
import { CommandError, exitCodes } from '../exit-codes.js';
import { printable } from '../output.js';
import type { Issue, Page } from './contract.js';
import type { Environment } from './environment.js';
import { bearerToken, networkCode } from './token.js';

export interface AdminRequest {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** The ETag of the version that this change is made to. */
  readonly ifMatch?: string;
}

export interface AdminAnswer {
  readonly status: number;
  readonly etag: string | undefined;
  // oxlint-disable-next-line typescript/no-explicit-any -- the shapes are those of docs/reference/admin-api.json, checked by the service
  readonly body: any;
  /** The service's clock, from the header Date. */
  readonly date: Date | undefined;
}

/** A problem document (RFC 9457) of the admin API; of what answers in its place, only the status. */
export interface Problem {
  readonly status: number;
  readonly code?: string;
  readonly title?: string;
  readonly remedy?: string;
  readonly errors?: readonly Issue[];
}

/** The admin API refused, and says why. */
export class AdminProblem extends CommandError {
  constructor(readonly problem: Problem) {
    super(exitCodeOf(problem.status), textOf(problem), problem.remedy);
  }
}

/** Calls the admin API of one service. */
export class AdminClient {
  private token: Promise<string> | undefined;

  constructor(private readonly environment: Environment) {}

  /** @throws AdminProblem for every status from 400 on; CommandError where the service does not answer */
  async call(method: string, path: string, { query = {}, body, ifMatch }: AdminRequest = {}): Promise<AdminAnswer> {
    const url = new URL(`${this.environment.url}${path}`);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
    const authorization = `Bearer ${await (this.token ??= bearerToken(this.environment.credentials))}`;
    const { response, text } = await this.exchange(url, {
      method,
      redirect: 'error',
      signal: AbortSignal.timeout(60_000),
      headers: {
        authorization,
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(ifMatch !== undefined && { 'if-match': ifMatch }),
        ...(method === 'POST' && { 'idempotency-key': randomUUID() }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const json = /json/.test(response.headers.get('content-type') ?? '') ? parsed(text) : undefined;
    if (response.status >= 400) throw new AdminProblem({ ...(json as object | undefined), status: response.status });
    const date = response.headers.get('date');
    return {
      status: response.status,
      etag: response.headers.get('etag') ?? undefined,
      body: json,
      date: date === null ? undefined : new Date(date),
    };
  }

  private async exchange(url: URL, request: RequestInit): Promise<{ readonly response: Response; readonly text: string }> {
    try {
      const response = await fetch(url, request);
      return { response, text: await response.text() };
    } catch (error) {
      throw new CommandError(
        exitCodes.unreachable,
        `${this.environment.url} cannot be reached (${networkCode(error)})`,
        'Set CLAIMBRIDGE_URL or --url to the management door, and NODE_EXTRA_CA_CERTS where its certificate is of a private authority.',
      );
    }
  }

  /** Every item of a list, page after page. */
  async *pages<Item>(path: string, query: AdminRequest['query']): AsyncGenerator<Item> {
    for (let after: string | undefined; ;) {
      const { items, next } = (await this.call('GET', path, { query: { ...query, limit: 200, after } })).body as Page<Item>;
      yield* items;
      if (next === undefined) return;
      after = next;
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandError(exitCodes.unreachable, 'what answers there is not the admin API');
  }
}

function exitCodeOf(status: number): CommandError['exitCode'] {
  if (status === 401 || status === 403 || status >= 500) return exitCodes.unreachable;
  return status === 412 ? exitCodes.conflict : exitCodes.findings;
}

function textOf({ status, code, title, errors = [] }: Problem): string {
  const lines = errors.map(({ path, reason, remedy }) => {
    const where = path.length === 0 ? '' : `${path.join('.')}: `;
    return printable(`  ${where}${reason}${remedy === undefined ? '' : ` (${remedy})`}`);
  });
  return [printable(`${status}${code === undefined ? '' : ` ${code}`}: ${title ?? 'refused'}`), ...lines].join('\n');
}
