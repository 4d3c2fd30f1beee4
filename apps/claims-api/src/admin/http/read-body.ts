import 'reflect-metadata';
import type { IncomingMessage } from 'node:http';
import type { PipeTransform } from '@nestjs/common';
import { parse } from 'yaml';
import { AdminProblem, invalidRequest } from './admin-problem.js';

/** The longest body of a request that holds one document. */
export const documentBytes = 256 * 1024;
/** The longest body of an import. */
export const importBytes = 16 * 1024 * 1024;

const deepest = 64;

/**
 * Reads the body of a request, which the door hands on unread so that nothing of it is taken in before its sender is known: JSON, or
 * YAML for people with an editor.
 */
export class ReadBody implements PipeTransform {
  constructor(private readonly limit: number) {}

  /** @throws AdminProblem `request.tooLarge`, `request.contentType` or `request.body` */
  async transform(body: unknown): Promise<unknown> {
    if (body === undefined || body === null) return undefined;
    const request = body as IncomingMessage;
    const bytes = await bodyBytes(request, this.limit);
    if (bytes.length === 0) return undefined;
    const parser = parserOf(request.headers['content-type']);
    const text = decode(bytes);
    let value: unknown;
    try {
      value = parser(text);
    } catch (error) {
      // The parser's own words quote the body.
      const at =
        error instanceof Error && 'linePos' in error ? (error.linePos as [{ line: number }] | undefined)?.[0].line : undefined;
      throw invalidRequest('body', [{ path: [], reason: `cannot be read${at === undefined ? '' : ` (line ${at})`}` }]);
    }
    const hidden = hiddenKey(value, []);
    if (hidden) throw invalidRequest('body', [hidden]);
    return value;
  }
}

const reads = new WeakMap<object, Promise<Buffer>>();

/**
 * The bytes of a body; however often it is asked for, it is read once.
 * @throws AdminProblem `request.tooLarge`
 */
export function bodyBytes(body: unknown, limit: number): Promise<Buffer> {
  if (typeof body !== 'object' || body === null) return Promise.resolve(Buffer.alloc(0));
  const read = reads.get(body) ?? readAll(body as IncomingMessage, limit);
  reads.set(body, read);
  return read;
}

async function readAll(request: IncomingMessage, limit: number): Promise<Buffer> {
  const tooLarge = new AdminProblem({
    code: 'request.tooLarge',
    status: 413,
    title: `The request body has more than ${limit / 1024} KB.`,
    remedy: 'Send less at a time.',
    headers: { connection: 'close' },
  });
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) throw tooLarge;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const limitKey = Symbol('admin:body-limit');

/** Notes how long the body of a route may be, for who reads it before the route does. */
export function noteBodyLimit(handler: object, limit: number): void {
  Reflect.defineMetadata(limitKey, limit, handler);
}

export const routeBodyLimit = (handler: object): number => (Reflect.getMetadata(limitKey, handler) as number | undefined) ?? 0;

function parserOf(header: string | undefined): (text: string) => unknown {
  const [, type] = /^\s*([^;\s]+)\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.exec(header ?? '') ?? [];
  switch (type?.toLowerCase()) {
    case 'application/json':
      return JSON.parse;
    case 'application/yaml':
      return (text) => parse(text, { maxAliasCount: 0, schema: 'core', merge: false, logLevel: 'silent' }) as unknown;
    default:
      throw new AdminProblem({
        code: 'request.contentType',
        status: 415,
        title: 'The content type must be application/json or application/yaml.',
        remedy: 'Send the header Content-Type: application/json, with a JSON body in UTF-8.',
      });
  }
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalidRequest('body', [{ path: [], reason: 'is not UTF-8' }]);
  }
}

/** A key to which JavaScript gives a meaning, or nesting that no request has. */
function hiddenKey(
  value: unknown,
  path: readonly (string | number)[],
): { path: (string | number)[]; reason: string } | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (path.length > deepest) return { path: path.slice(0, 8), reason: 'is nested too deeply' };
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const found = hiddenKey(item, [...path, index]);
      if (found) return found;
    }
    return undefined;
  }
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') return { path: [...path, key], reason: 'is not a known key' };
    const found = hiddenKey(item, [...path, key]);
    if (found) return found;
  }
  return undefined;
}
