import type { Actor } from '#claims';
import type { z } from 'zod';
import type { ExportBody, ImportBody, exportQuery, importQuery } from '../contract/mapping.js';
export abstract class MappingTransfer {
  abstract export(query: z.output<typeof exportQuery>): Promise<ExportBody>;
  abstract import(
    documents: readonly Readonly<Record<string, unknown>>[],
    query: z.output<typeof importQuery>,
    actor: Actor,
  ): Promise<ImportBody>;
}
