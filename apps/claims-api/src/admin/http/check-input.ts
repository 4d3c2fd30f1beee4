import { configurationIssues } from '#claims';
import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { z } from 'zod';
import { issueBodies } from '../contract/problem.js';
import { invalidRequest } from './admin-problem.js';

/** Checks what a parameter of a handler gets by the schema that its decorator names. Unknown keys are refused, not dropped. */
export class CheckInput implements PipeTransform {
  constructor(private readonly part: 'body' | 'query' | 'path') {}

  /** @throws AdminProblem `request.body`, `request.query` or `request.path`, with the path of every defect */
  transform(value: unknown, { schema }: ArgumentMetadata): unknown {
    if (!(schema instanceof z.ZodType)) throw new Error('CheckInput: the parameter names no schema');
    const given: unknown = typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : value;
    const parsed = schema.safeParse(given);
    if (!parsed.success) throw invalidRequest(this.part, issueBodies(configurationIssues(parsed.error)));
    return parsed.data;
  }
}
