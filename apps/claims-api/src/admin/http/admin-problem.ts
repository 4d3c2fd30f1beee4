import type { Issue } from '../contract/problem.js';

/** A request of an operator that is not carried out. The filter of the door recognises it by its shape and answers RFC 9457. */
export class AdminProblem extends Error {
  override readonly name = 'AdminProblem';
  readonly code: string;
  readonly status: number;
  readonly publicMessage: string;
  readonly headers: Readonly<Record<string, string>>;
  /** For the log. */
  readonly detail: string;
  readonly more: { readonly issues?: readonly Issue[] };
  /** Further members of the body (RFC 9457 §3.2). */
  readonly members: Readonly<Record<string, string>>;

  constructor(problem: {
    readonly code: string;
    readonly status: number;
    readonly title: string;
    readonly remedy: string;
    readonly errors?: readonly Issue[];
    readonly etag?: string;
    readonly detail?: string;
    readonly headers?: Readonly<Record<string, string>>;
  }) {
    const { code, status, title, remedy, errors, etag, headers = {} } = problem;
    super(title);
    this.code = code;
    this.status = status;
    this.publicMessage = title;
    this.headers = { ...headers, ...(etag && { etag }) };
    this.detail = problem.detail ?? title;
    this.more = errors ? { issues: errors } : {};
    this.members = { remedy, ...(etag && { etag }) };
  }
}

/** 400: the request itself, not what it is about. */
export const invalidRequest = (part: 'body' | 'query' | 'path' | 'headers', errors: readonly Issue[]): AdminProblem =>
  new AdminProblem({
    code: `request.${part}`,
    status: 400,
    title: `The request’s ${part} is not as it must be.`,
    remedy: 'Correct what errors names; GET /admin/v1/openapi.json describes every request.',
    errors,
  });

/** 503: the configuration database cannot be reached; sign-ins go on without it. */
export const repositoryUnavailable = (detail: string, remedy = ''): AdminProblem =>
  new AdminProblem({
    code: 'repository.unavailable',
    status: 503,
    title: 'The store of the mappings cannot be reached. Sign-ins go on by the mappings in force.',
    remedy: `${remedy}Look at store in GET /admin/health, and try again when it is up.`,
    detail,
    headers: { 'retry-after': '5' },
  });

/** 503 for a change: where the answer to its commit was lost, it is in force. */
export const changeUnknown = (detail: string): AdminProblem =>
  repositoryUnavailable(detail, 'It may have happened: read the mapping, its version tells. ');

/** 429: the bound on what operators may have worked out at the same time, so that sign-ins are not slowed by it. */
export const busy = (what: string): AdminProblem =>
  new AdminProblem({
    code: 'admin.busy',
    status: 429,
    title: `Too many requests of this kind (${what}) are under way.`,
    remedy: 'Try again in a moment.',
    headers: { 'retry-after': '1' },
  });
