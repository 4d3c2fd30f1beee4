import type { Actor } from '#claims';
import { Controller, Get, Post } from '@nestjs/common';
import type { z } from 'zod';
import {
  exportQuery,
  exported,
  importQuery,
  importReport,
  importRequest,
  mapping,
  mappingDocument,
  mappingFilter,
  mappingPage,
  validation,
  type ExportBody,
  type ImportBody,
  type MappingBody,
  type ValidationBody,
} from '../contract/mapping.js';
import { AdminRoute, CheckedBody, CheckedQuery } from '../http/admin-route.js';
import { AdminTag } from '../http/route-marks.js';
import { By } from '../http/caller.js';
import type { Tagged } from '../http/entity-tag.js';
import { importBytes } from '../http/read-body.js';
import { MappingCheck } from './mapping-check.js';
import { MappingTransfer } from './mapping-transfer.js';
import { MappingWorkbench } from './mapping-workbench.js';

@AdminTag('mappings')
@Controller('admin/v1/mappings')
export class MappingsController {
  constructor(
    private readonly workbench: MappingWorkbench,
    private readonly check: MappingCheck,
    private readonly transfer: MappingTransfer,
  ) {}

  @Get()
  @AdminRoute('Claims.Read', { summary: 'List mappings, by tenant and name.', answer: mappingPage, refusals: [503] })
  list(@CheckedQuery(mappingFilter) filter: z.output<typeof mappingFilter>): Promise<z.output<typeof mappingPage>> {
    return this.workbench.list(filter);
  }

  @Post()
  @AdminRoute('Claims.Edit', {
    summary: 'Create a mapping: the document becomes its draft.',
    description: 'Tenant and name are those of the document. It is not in force before it is published.',
    answer: mapping,
    status: 201,
    etag: true,
    idempotent: true,
    refusals: [409, 413, 415, 503],
  })
  create(
    @CheckedBody(mappingDocument) document: z.output<typeof mappingDocument>,
    @By() actor: Actor,
  ): Promise<Tagged<MappingBody>> {
    return this.workbench.create(document, actor);
  }

  @Post('validate')
  @AdminRoute('Claims.Read', {
    summary: 'Validate a document without saving it.',
    description: 'It is judged as if it were published now, beside what is in force. Its tests run; no source is asked.',
    answer: validation,
    refusals: [413, 415],
  })
  validate(@CheckedBody(mappingDocument) document: z.output<typeof mappingDocument>): Promise<ValidationBody> {
    return this.check.validate(document);
  }

  @Get('export')
  @AdminRoute('Claims.Read', {
    summary: 'Export documents.',
    description: 'Those in force, in one body, which import takes.',
    answer: exported,
    refusals: [503],
  })
  export(@CheckedQuery(exportQuery) query: z.output<typeof exportQuery>): Promise<ExportBody> {
    return this.transfer.export(query);
  }

  @Post('compare')
  @AdminRoute('Claims.Read', {
    summary: 'Say what an import would change.',
    description: 'The report of an import with dryRun=true. Nothing is saved, and no source is asked.',
    answer: importReport,
    refusals: [409, 413, 415, 503],
  })
  compare(@CheckedBody(importRequest, importBytes) request: z.output<typeof importRequest>): Promise<ImportBody> {
    return this.transfer.compare(request.documents);
  }

  @Post('import')
  @AdminRoute('Claims.Edit', {
    summary: 'Import documents as drafts.',
    description: 'Nothing is published. Each document is a change of its own, and the report names what became of each.',
    answer: importReport,
    idempotent: true,
    refusals: [409, 413, 415, 503],
  })
  import(
    @CheckedBody(importRequest, importBytes) request: z.output<typeof importRequest>,
    @CheckedQuery(importQuery) query: z.output<typeof importQuery>,
    @By() actor: Actor,
  ): Promise<ImportBody> {
    return this.transfer.import(request.documents, query, actor);
  }
}
