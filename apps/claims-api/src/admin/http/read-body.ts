import 'reflect-metadata';
import type { IncomingMessage } from 'node:http';
import type { PipeTransform } from '@nestjs/common';
import { AdminProblem, invalidRequest } from './admin-problem.js';
import { parseYaml } from './parse-yaml.js';
import { Turns } from './turns.js';

/** The longest body of a request that holds one document. */
export const documentBytes = 256 * 1024;
/** The longest body of an import. */
export const importBytes = 2 * 1024 * 1024;

const deepest = 64;

/** Long bodies that are in memory at the same time before their turn comes. */
const longBodies = new Turns('import', { concurrency: 4, queue: 8 });

/**
 * Reads the body of a request, which the door hands on unread so that nothing of it is taken in before its sender is known: JSON, or
 * YAML for people with an editor; what may be longer than one document is JSON only.
 */
export class ReadBody implements PipeTransform {
  constructor(private readonly limit: number) {}

  /** @throws AdminProblem `request.tooLarge`, `request.contentType` or `request.body` */
  async transform(body: unknown): Promise<unknown> {
    if (body === undefined || body === null) return undefined;
    const request = body as IncomingMessage;
    const bytes = await bodyBytes(request, this.limit);
    if (bytes.length === 0) return undefined;
    const parse = parserOf(request.headers['content-type'], this.limit);
    const value = await parse(bytes);
    const hidden = hiddenKey(value, []);
    if (hidden) throw invalidRequest('body', [hidden]);
    return value;
  }
}

const reads = new WeakMap<object, Promise<Buffer>>();

/**
 * The bytes of a body; however often it is asked for, it is read once.
 * @throws AdminProblem `request.tooLarge`, and `admin.busy` where too many long ones are being read
 */
export function bodyBytes(body: unknown, limit: number): Promise<Buffer> {
  if (typeof body !== 'object' || body === null) return Promise.resolve(Buffer.alloc(0));
  const readNow = (): Promise<Buffer> => readAll(body as IncomingMessage, limit);
  const read = reads.get(body) ?? (limit > documentBytes ? longBodies.take(readNow) : readNow());
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

const bodyKey = Symbol('admin:body');

/** What a route says of its body. */
export interface RouteBody {
  readonly limit: number;
  /** Whether a request may come without one. */
  readonly optional: boolean;
}

/** Notes what the body of a route may be, for who reads it before the route does and who describes it. */
export function noteBody(handler: object, body: RouteBody): void {
  Reflect.defineMetadata(bodyKey, body, handler);
}

export const routeBodyOf = (handler: object): RouteBody | undefined =>
  Reflect.getMetadata(bodyKey, handler) as RouteBody | undefined;

/** The content types that a body of this length may have, the usual one first. */
export const contentTypesOf = (limit: number): readonly string[] =>
  limit <= documentBytes ? ['application/json', 'application/yaml'] : ['application/json'];

function parserOf(header: string | undefined, limit: number): (bytes: Buffer) => unknown {
  const [, type] = /^\s*([^;\s]+)\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.exec(header ?? '') ?? [];
  const allowed = contentTypesOf(limit);
  switch (allowed.find((each) => each === type?.toLowerCase())) {
    case 'application/json':
      return parseJson;
    case 'application/yaml':
      return (bytes) => parseYaml(decode(bytes));
    default:
      throw new AdminProblem({
        code: 'request.contentType',
        status: 415,
        title: `The content type must be ${allowed.join(' or ')}.`,
        remedy: 'Send the header Content-Type: application/json, with a JSON body in UTF-8.',
      });
  }
}

function parseJson(bytes: Buffer): unknown {
  if (isDeep(bytes)) throw invalidRequest('body', [{ path: [], reason: 'is nested too deeply' }]);
  const text = decode(bytes);
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words quote the body.
    throw invalidRequest('body', [{ path: [], reason: 'cannot be read' }]);
  }
}

/** Whether JSON is nested more deeply than any request, seen without building anything of it. */
function isDeep(json: Buffer): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (quoted) {
      if (byte === 0x5c) at++;
      else if (byte === 0x22) quoted = false;
    } else if (byte === 0x22) quoted = true;
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > deepest) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return false;
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalidRequest('body', [{ path: [], reason: 'is not UTF-8' }]);
  }
}

/** A key to which JavaScript gives a meaning, or nesting that no request has. */
function hiddenKey(value: unknown, path: (string | number)[]): { path: (string | number)[]; reason: string } | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (path.length > deepest) return { path: path.slice(0, 8), reason: 'is nested too deeply' };
  for (const [key, item] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
    path.push(key);
    if (key === '__proto__') return { path, reason: 'is not a known key' };
    const found = hiddenKey(item, path);
    if (found) return found;
    path.pop();
  }
  return undefined;
}
