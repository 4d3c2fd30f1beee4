import { randomUUID } from 'node:crypto';
import { HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** What the log learns of a refused or failed request. */
export interface ProblemReport {
  readonly code: string;
  readonly status: number;
  readonly correlationId: string;
  /** For the operator only. */
  readonly detail: string;
  /** Set where it is a defect of ours. */
  readonly error?: unknown;
}

interface Problem {
  readonly status: number;
  readonly code: string;
  readonly publicMessage: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly issues?: unknown;
  readonly members?: Readonly<Record<string, string>> | undefined;
  readonly correlationId?: string;
  readonly detail: string;
  readonly defect: boolean;
}

const titles: Readonly<Record<number, { readonly code: string; readonly text: string }>> = {
  400: { code: 'request.malformed', text: 'The request is malformed.' },
  401: { code: 'caller.unknown', text: 'The caller is not known.' },
  403: { code: 'caller.forbidden', text: 'The caller may not do this.' },
  404: { code: 'route.unknown', text: 'There is nothing at this address.' },
  405: { code: 'route.method', text: 'This method is not offered here.' },
  408: { code: 'request.timeout', text: 'The request took too long to arrive.' },
  413: { code: 'request.tooLarge', text: 'The request body is too large.' },
  415: { code: 'request.contentType', text: 'The content type must be application/json.' },
  417: { code: 'request.expectation', text: 'The expectation cannot be met.' },
  431: { code: 'request.headersTooLarge', text: 'The request headers are too large.' },
  503: { code: 'service.unavailable', text: 'The service cannot answer now.' },
};

/** Errors of this project's libraries, recognised by shape so that the libraries need no base class in common. */
interface CodedError {
  readonly code: string;
  readonly status: number;
  readonly publicMessage: string;
  readonly detail?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly more?: { readonly issues?: unknown; readonly detail?: string; readonly correlationId?: string };
  /** Further members of the body (RFC 9457 §3.2). They go out. */
  readonly members?: Readonly<Record<string, string>>;
}

function isCoded(error: unknown): error is CodedError {
  if (typeof error !== 'object' || error === null) return false;
  const { code, status, publicMessage } = error as Partial<CodedError>;
  return typeof code === 'string' && typeof status === 'number' && typeof publicMessage === 'string';
}

function problemOf(error: unknown): Problem {
  if (isCoded(error)) {
    const { code, status, publicMessage, headers = {}, more, members } = error;
    const detail = more?.detail ?? error.detail ?? publicMessage;
    return {
      code,
      status,
      publicMessage,
      headers,
      issues: more?.issues,
      members,
      correlationId: more?.correlationId,
      detail,
      defect: false,
    };
  }
  const status = statusOf(error);
  const known = titles[status];
  const message = error instanceof Error ? error.message : 'thrown value is not an Error';
  // Nest's words for an unknown address repeat it, with its query.
  const detail = known && status === 404 ? known.text : message;
  if (known) return { status, code: known.code, publicMessage: known.text, headers: {}, detail, defect: false };
  return { status: 500, code: 'service.defect', publicMessage: 'The service failed.', headers: {}, detail, defect: true };
}

function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  const status = typeof error === 'object' && error !== null ? (error as { statusCode?: unknown }).statusCode : undefined;
  return typeof status === 'number' ? status : 500;
}

/** The body of an error, as RFC 9457 has it. Holds nothing but what is given. */
export function problemBody(problem: {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly correlationId: string;
  readonly errors?: unknown;
  readonly members?: Readonly<Record<string, string>> | undefined;
}): string {
  const { status, code, title, correlationId, errors, members } = problem;
  return JSON.stringify({ type: `urn:claimbridge:problem:${code}`, title, status, code, correlationId, ...members, errors });
}

/** Answers every error as application/problem+json with a stable code and a correlation id; no stack, no message of ours leaves. */
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly report: (request: FastifyRequest, problem: ProblemReport) => void = () => undefined) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const problem = problemOf(error);
    const correlationId = problem.correlationId ?? randomUUID();
    const { code, status, detail } = problem;
    this.report(request, { code, status, correlationId, detail, ...(problem.defect && { error }) });
    if (reply.sent) return;
    void reply
      .status(status)
      .headers(problem.headers)
      .header('content-type', 'application/problem+json')
      .send(
        problemBody({
          status,
          code,
          title: problem.publicMessage,
          correlationId,
          errors: problem.issues,
          members: problem.members,
        }),
      );
  }
}
