import type { ConfigurationIssue } from '#claims';
import { z } from 'zod';

const path = z
  .array(z.union([z.string(), z.int()]))
  .describe('Where in the body, the query or the document, from the top: names and list indexes.');

/** One reason why something is refused, or why it deserves a second look. */
export const issue = z
  .strictObject({
    path,
    reason: z.string(),
    remedy: z.string().optional().describe('What to do about it, where the reason does not say so already.'),
    document: z.string().optional().describe('The name of the document that it is in, where that is another one.'),
  })
  .meta({
    id: 'Issue',
    examples: [
      {
        path: ['lookups', 'person', 'use'],
        reason: 'there is no source corp-ad2',
        remedy: 'GET /admin/v1/sources lists those that there are.',
      },
    ],
  });

/** The body of every error (RFC 9457). */
export const problem = z
  .strictObject({
    type: z.string().describe('urn:claimbridge:problem:<code>'),
    title: z.string(),
    status: z.int(),
    code: z.string().describe('Stable; docs/reference/problems.md lists them.'),
    correlationId: z.string().describe('The log line of the request has it too.'),
    remedy: z.string().optional().describe('What to do about it.'),
    errors: z.array(issue).optional(),
    etag: z.string().optional().describe('The present ETag, where the one that was sent is no longer it.'),
  })
  .meta({
    id: 'Problem',
    examples: [
      {
        type: 'urn:claimbridge:problem:mapping.changed',
        title: 'The mapping was changed meanwhile.',
        status: 412,
        code: 'mapping.changed',
        correlationId: '5e2f8d1c-3b4a-4c5d-9e6f-7a8b9c0d1e2f',
        remedy: 'Read it again, look at what changed, and send If-Match with its present ETag.',
        etag: '"7"',
      },
    ],
  });

export type Issue = z.output<typeof issue>;

/** What the core says of a document, as it goes out. */
export const issueBodies = (issues: readonly ConfigurationIssue[]): Issue[] =>
  issues.map(({ path: at, reason, remedy, document }) => ({
    path: [...at],
    reason,
    ...(remedy !== undefined && { remedy }),
    ...(document !== undefined && { document }),
  }));
