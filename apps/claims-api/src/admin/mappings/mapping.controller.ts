import type { Actor } from '#claims';
import { Controller, Delete, Get, Post, Put } from '@nestjs/common';
import type { z } from 'zod';
import { mappingKey } from '../contract/input.js';
import {
  diff,
  diffQuery,
  draftDocument,
  mapping,
  mappingDocument,
  pageOnly,
  publishRequest,
  revisionDocument,
  revisionKey,
  revisionPage,
  rollBackRequest,
  type DiffBody,
  type DraftBody,
  type MappingBody,
  type RevisionDocumentBody,
} from '../contract/mapping.js';
import { AdminRoute, CheckedBody, CheckedPath, CheckedQuery } from '../http/admin-route.js';
import { AdminTag } from '../http/route-marks.js';
import { By } from '../http/caller.js';
import { SeenVersion, type Tagged } from '../http/entity-tag.js';
import { MappingWorkbench } from './mapping-workbench.js';

type Key = z.output<typeof mappingKey>;

@AdminTag('mapping')
@Controller('admin/v1/mappings/:tenant/:name')
export class MappingController {
  constructor(private readonly workbench: MappingWorkbench) {}

  @Get()
  @AdminRoute('Claims.Read', {
    summary: 'Read what is known of a mapping.',
    answer: mapping,
    etag: true,
    refusals: [404, 503],
  })
  read(@CheckedPath(mappingKey) key: Key): Promise<Tagged<MappingBody>> {
    return this.workbench.read(key);
  }

  @Delete()
  @AdminRoute('Claims.Publish', {
    summary: 'Take a mapping out of force.',
    description: 'Its revisions stay, and restore brings it back.',
    answer: mapping,
    etag: true,
    ifMatch: true,
    refusals: [422],
  })
  delete(@CheckedPath(mappingKey) key: Key, @SeenVersion() seen: number, @By() actor: Actor): Promise<Tagged<MappingBody>> {
    return this.workbench.delete(key, seen, actor);
  }

  @Post('restore')
  @AdminRoute('Claims.Publish', {
    summary: 'Put a deleted mapping in force again.',
    answer: mapping,
    etag: true,
    ifMatch: true,
    idempotent: true,
    refusals: [422],
  })
  restore(@CheckedPath(mappingKey) key: Key, @SeenVersion() seen: number, @By() actor: Actor): Promise<Tagged<MappingBody>> {
    return this.workbench.restore(key, seen, actor);
  }

  @Get('draft')
  @AdminRoute('Claims.Read', { summary: 'Read the draft.', answer: draftDocument, etag: true, refusals: [404, 409, 503] })
  readDraft(@CheckedPath(mappingKey) key: Key): Promise<Tagged<DraftBody>> {
    return this.workbench.readDraft(key);
  }

  @Put('draft')
  @AdminRoute('Claims.Edit', {
    summary: 'Save the draft.',
    description: 'It may be unfinished; validate says what is missing. Tenant and name are those of the address.',
    answer: mapping,
    etag: true,
    ifMatch: true,
    refusals: [413, 415],
  })
  saveDraft(
    @CheckedPath(mappingKey) key: Key,
    @SeenVersion() seen: number,
    @CheckedBody(mappingDocument) document: z.output<typeof mappingDocument>,
    @By() actor: Actor,
  ): Promise<Tagged<MappingBody>> {
    return this.workbench.saveDraft(key, document, seen, actor);
  }

  @Delete('draft')
  @AdminRoute('Claims.Edit', { summary: 'Throw the draft away.', answer: mapping, etag: true, ifMatch: true })
  discardDraft(@CheckedPath(mappingKey) key: Key, @SeenVersion() seen: number, @By() actor: Actor): Promise<Tagged<MappingBody>> {
    return this.workbench.discardDraft(key, seen, actor);
  }

  @Get('revisions')
  @AdminRoute('Claims.Read', {
    summary: 'List the revisions, the newest first.',
    answer: revisionPage,
    refusals: [404, 503],
  })
  revisions(
    @CheckedPath(mappingKey) key: Key,
    @CheckedQuery(pageOnly) page: z.output<typeof pageOnly>,
  ): Promise<z.output<typeof revisionPage>> {
    return this.workbench.revisions(key, page);
  }

  @Get('revisions/:number')
  @AdminRoute('Claims.Read', {
    summary: 'Read a revision with its document.',
    description: 'published instead of a number is the one in force.',
    answer: revisionDocument,
    refusals: [404, 503],
  })
  readRevision(@CheckedPath(revisionKey) { number, ...key }: z.output<typeof revisionKey>): Promise<RevisionDocumentBody> {
    return this.workbench.readRevision(key, number);
  }

  @Get('diff')
  @AdminRoute('Claims.Read', {
    summary: 'Compare two versions by what they mean.',
    description:
      'By claim, lookup and application, not by line; the draft against what is in force by default. With the ETag as If-Match, publish and rollback change no other state than the one that was compared.',
    answer: diff,
    etag: true,
    refusals: [404, 409, 422, 503],
    refusalTexts: { 422: 'One of the versions cannot be read as a mapping; title says which, and errors names each path of it.' },
  })
  diff(@CheckedPath(mappingKey) key: Key, @CheckedQuery(diffQuery) query: z.output<typeof diffQuery>): Promise<Tagged<DiffBody>> {
    return this.workbench.diff(key, query.from, query.to);
  }

  @Post('publish')
  @AdminRoute('Claims.Publish', {
    summary: 'Publish the draft.',
    description:
      'It becomes a revision and is in force at every replica within a second. One that does not compile, or whose tests fail, is refused.',
    answer: mapping,
    etag: true,
    ifMatch: true,
    idempotent: true,
    refusals: [413, 415, 422],
  })
  publish(
    @CheckedPath(mappingKey) key: Key,
    @SeenVersion() seen: number,
    @CheckedBody(publishRequest) request: z.output<typeof publishRequest>,
    @By() actor: Actor,
  ): Promise<Tagged<MappingBody>> {
    return this.workbench.publish(key, seen, request.comment, actor);
  }

  @Post('rollback')
  @AdminRoute('Claims.Publish', {
    summary: 'Put an earlier revision in force again.',
    description: 'Its content becomes a new revision; the draft stays.',
    answer: mapping,
    etag: true,
    ifMatch: true,
    idempotent: true,
    refusals: [413, 415, 422],
  })
  rollBack(
    @CheckedPath(mappingKey) key: Key,
    @SeenVersion() seen: number,
    @CheckedBody(rollBackRequest) request: z.output<typeof rollBackRequest>,
    @By() actor: Actor,
  ): Promise<Tagged<MappingBody>> {
    return this.workbench.rollBack(key, request.to, seen, request.comment, actor);
  }
}
