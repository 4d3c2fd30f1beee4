import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { Answer, Document } from '../e2e/stack.js';

const file = path.resolve(import.meta.dirname, '../../docs/reference/admin-api.json');

/** The admin API as it is published. */
export const described = JSON.parse(readFileSync(file, 'utf8')) as Document;

const local = (schema: unknown): Document =>
  JSON.parse(JSON.stringify(schema).replaceAll('#/components/schemas/', '#/$defs/')) as Document;

const definitions = local(described['components'].schemas);

/** Checks by a schema of the published document. */
export const schemaOf = (schema: unknown): z.ZodType => z.fromJSONSchema({ ...local(schema), $defs: definitions });

const routes = Object.entries(described['paths'] as Document).map(([template, methods]) => ({
  methods: methods as Document,
  pattern: new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
  // Fixed segments win over parameters.
  rank: template.split('{').length,
}));

/** What was sent, as far as the document says something of it. */
export interface Sent {
  readonly contentType: string;
  /** Undefined where there was no body. */
  readonly body: string | undefined;
}

/**
 * Holds an answer to the document: a status that it names, a body as it says; and of a request that was carried out, that the document
 * allows it.
 * @throws Error naming what differs; nothing for addresses that it does not have
 */
export function assertDescribed(method: string, address: string, answer: Answer, sent: Sent): void {
  const { status, json, text } = answer;
  const [pathname = ''] = address.split('?');
  const route = routes.filter(({ pattern }) => pattern.test(pathname)).toSorted((left, right) => left.rank - right.rank)[0];
  const operation = route?.methods[method.toLowerCase()] as Document | undefined;
  if (!operation) return;
  const response = operation['responses'][status] as Document | undefined;
  if (!response) throw new Error(`${method} ${pathname} answered ${status}, which is not described: ${text}`);
  const [content] = Object.values((response['content'] ?? {}) as Document);
  if (!content && text !== '')
    throw new Error(`${method} ${pathname} answered ${status} with a body that is not described: ${text}`);
  const { requestBody } = operation;
  if (status < 400 && sent.body === undefined && requestBody?.required)
    throw new Error(`${method} ${pathname} was carried out without the body that the document requires`);
  if (status < 400 && sent.body !== undefined && !requestBody?.content[sent.contentType])
    throw new Error(`${method} ${pathname} took ${sent.contentType}, which is not described`);
  if (!content?.schema) return;
  const result = schemaOf(content.schema).safeParse(json);
  if (!result.success)
    throw new Error(
      `${method} ${pathname} answered ${status} otherwise than described: ${z.prettifyError(result.error)}\n${text}`,
    );
}
