import type { Actor, MappingKey } from '#claims';
import type { z } from 'zod';
import type {
  DiffBody,
  DiffVersion,
  DraftBody,
  MappingBody,
  RevisionDocumentBody,
  mappingFilter,
  mappingPage,
  pageOnly,
  revisionPage,
} from '../contract/mapping.js';
import type { Tagged } from '../http/entity-tag.js';
type Document = Readonly<Record<string, unknown>>;
export abstract class MappingWorkbench {
  abstract list(filter: z.output<typeof mappingFilter>): Promise<z.output<typeof mappingPage>>;
  abstract create(document: Document, actor: Actor): Promise<Tagged<MappingBody>>;
  abstract read(key: MappingKey): Promise<Tagged<MappingBody>>;
  abstract readDraft(key: MappingKey): Promise<Tagged<DraftBody>>;
  abstract saveDraft(key: MappingKey, document: Document, seen: number, actor: Actor): Promise<Tagged<MappingBody>>;
  abstract discardDraft(key: MappingKey, seen: number, actor: Actor): Promise<Tagged<MappingBody>>;
  abstract revisions(key: MappingKey, page: z.output<typeof pageOnly>): Promise<z.output<typeof revisionPage>>;
  abstract readRevision(key: MappingKey, number: number | 'published'): Promise<RevisionDocumentBody>;
  abstract diff(key: MappingKey, from: DiffVersion, to: DiffVersion): Promise<DiffBody>;
  abstract publish(key: MappingKey, seen: number, comment: string, actor: Actor): Promise<Tagged<MappingBody>>;
  abstract rollBack(key: MappingKey, to: number, seen: number, comment: string, actor: Actor): Promise<Tagged<MappingBody>>;
  abstract delete(key: MappingKey, seen: number, actor: Actor): Promise<Tagged<MappingBody>>;
  abstract restore(key: MappingKey, seen: number, actor: Actor): Promise<Tagged<MappingBody>>;
}
