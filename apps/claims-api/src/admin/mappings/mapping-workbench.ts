import type { Actor, Change, MappingKey, MappingRecord, MappingRepository, Publication } from '#claims';
import { identifyDocument } from '#claims';
import type { z } from 'zod';
import { withoutAbsent } from '../audit/audit-trail.js';
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
import { changeUnknown, invalidRequest, repositoryUnavailable } from '../http/admin-problem.js';
import { Tagged } from '../http/entity-tag.js';
import { draftBody, mappingBody, revisionBody } from './bodies.js';
import { keyOfDocument } from './key-of-document.js';
import type { InForceView } from './in-force-view.js';
import type { MappingCheck } from './mapping-check.js';
import {
  changedMeanwhile,
  mappingExists,
  mappingRefused,
  readOnlyMappings,
  unknownMapping,
  unreadableVersion,
} from './mapping-problems.js';

type Document = Readonly<Record<string, unknown>>;
type Found<Answer> = Extract<Answer, { kind: 'found' }>;

/**
 * Mappings, worked on: drafts, revisions, publish, roll-back, deletion. Every method throws an AdminProblem for what it does not do.
 * Without a repository (mappings in files) there is only what is in force, and it can be read.
 */
export class MappingWorkbench {
  constructor(
    private readonly repository: MappingRepository | undefined,
    private readonly view: InForceView,
    private readonly check: MappingCheck,
  ) {}

  async list(filter: z.output<typeof mappingFilter>): Promise<z.output<typeof mappingPage>> {
    if (!this.repository) return this.view.page(filter);
    const page = found(await this.repository.list(withoutAbsent(filter)), 'mapping');
    return { items: page.records.map(mappingBody), ...(page.next !== undefined && { next: page.next }) };
  }

  async read(key: MappingKey): Promise<Tagged<MappingBody>> {
    if (this.repository) return tagged(found(await this.repository.read(key), 'mapping').record);
    const document = this.view.find(key);
    if (!document) throw unknownMapping('mapping');
    return new Tagged(document.stored.revision, this.view.body(document));
  }

  async create(document: Document, actor: Actor): Promise<Tagged<MappingBody>> {
    const key = keyOfDocument(document);
    if (key.kind === 'invalid') throw invalidRequest('body', key.issues);
    const change = await this.writable().saveDraft(key, document, 0, actor);
    if (change.kind === 'conflict') throw mappingExists(change.current);
    return changed(change);
  }

  async readDraft(key: MappingKey): Promise<Tagged<DraftBody>> {
    const { draft, document, version } = found(await this.writable().readDraft(key), 'draft');
    return new Tagged(version, { ...draftBody(draft), document: document as Record<string, unknown> });
  }

  async saveDraft(key: MappingKey, document: Document, seen: number, actor: Actor): Promise<Tagged<MappingBody>> {
    const identity = identifyDocument(document);
    const strayed = (['tenant', 'name'] as const).filter((part) => identity[part] !== key[part]);
    if (strayed.length > 0)
      throw invalidRequest(
        'body',
        strayed.map((part) => ({
          path: [part],
          reason: `must be ${key[part]}, as the address says`,
          remedy: 'A mapping keeps its tenant and its name; create another one, and delete this one.',
        })),
      );
    return this.change(key, seen, (repository) => repository.saveDraft(key, document, seen, actor));
  }

  discardDraft(key: MappingKey, seen: number, actor: Actor): Promise<Tagged<MappingBody>> {
    return this.change(key, seen, (repository) => repository.discardDraft(key, seen, actor), 'draft');
  }

  async revisions(key: MappingKey, page: z.output<typeof pageOnly>): Promise<z.output<typeof revisionPage>> {
    if (!this.repository) {
      const document = this.view.find(key);
      if (!document) throw unknownMapping('mapping');
      return { items: [this.view.revision(document.stored)] };
    }
    const { revisions, next } = found(await this.repository.revisions(key, withoutAbsent(page)), 'mapping');
    return { items: revisions.map(revisionBody), ...(next !== undefined && { next }) };
  }

  async readRevision(key: MappingKey, number: number | 'published'): Promise<RevisionDocumentBody> {
    if (!this.repository) {
      const inForce = this.view.find(key);
      if (!inForce || (number !== 'published' && number !== 1)) throw unknownMapping('revision');
      return { ...this.view.revision(inForce.stored), document: { ...inForce.document } };
    }
    const wanted = number === 'published' ? found(await this.repository.read(key), 'mapping').record.published?.number : number;
    if (wanted === undefined) throw unknownMapping('revision in force');
    const { revision, document } = found(await this.repository.readRevision(key, wanted), 'revision');
    return { ...revisionBody(revision), document: document as Record<string, unknown> };
  }

  async diff(key: MappingKey, from: DiffVersion, to: DiffVersion): Promise<Tagged<DiffBody>> {
    // Read first: what changes meanwhile is shown under an ETag that no longer publishes it.
    const { version } = await this.read(key);
    const [before, after] = await Promise.all([this.version(key, from), this.version(key, to)]);
    const compared = this.check.differences(before, after);
    if (compared.kind === 'unreadable') throw unreadableVersion(compared.side === 'before' ? from : to, compared.issues);
    return new Tagged(version, { from, to, differences: compared.differences });
  }

  publish(key: MappingKey, seen: number, comment: string, actor: Actor): Promise<Tagged<MappingBody>> {
    const check = this.check.publication(key);
    return this.change(key, seen, (repository) => repository.publish(key, seen, comment, actor, check), 'draft');
  }

  rollBack(key: MappingKey, to: number, seen: number, comment: string, actor: Actor): Promise<Tagged<MappingBody>> {
    const check = this.check.publication(key);
    return this.change(key, seen, (repository) => repository.rollBack(key, to, seen, comment, actor, check), 'revision');
  }

  delete(key: MappingKey, seen: number, actor: Actor): Promise<Tagged<MappingBody>> {
    const check = this.check.publication(key);
    return this.change(key, seen, (repository) => repository.delete(key, seen, actor, check));
  }

  restore(key: MappingKey, seen: number, actor: Actor): Promise<Tagged<MappingBody>> {
    const check = this.check.publication(key);
    return this.change(key, seen, (repository) => repository.restore(key, seen, actor, check), 'deleted mapping');
  }

  /** The document of a version; undefined where nothing is in force. */
  async version(key: MappingKey, version: DiffVersion): Promise<Document | undefined> {
    if (!this.repository) {
      if (version === 'draft') throw readOnlyMappings();
      return (await this.readRevision(key, version)).document;
    }
    if (version === 'draft') return found(await this.repository.readDraft(key), 'draft').document as Document;
    if (version !== 'published') return (await this.readRevision(key, version)).document;
    const { published } = found(await this.repository.read(key), 'mapping').record;
    return published && (await this.readRevision(key, published.number)).document;
  }

  private writable(): MappingRepository {
    if (!this.repository) throw readOnlyMappings();
    return this.repository;
  }

  /** A version that no mapping ever had is no licence to create one. */
  private async change(
    key: MappingKey,
    seen: number,
    make: (repository: MappingRepository) => Promise<Publication>,
    what = 'mapping',
  ): Promise<Tagged<MappingBody>> {
    const repository = this.writable();
    if (seen === 0) throw changedMeanwhile(found(await repository.read(key), 'mapping').record.version);
    const change = await make(repository);
    if (change.kind === 'unknown') found(await repository.read(key), 'mapping');
    return changed(change, what);
  }
}

/** What was found, or the problem that it was not. */
export function found<Answer extends { readonly kind: string }>(answer: Answer, what: string): Found<Answer> {
  if (answer.kind === 'unavailable') throw repositoryUnavailable((answer as unknown as { detail: string }).detail);
  if (answer.kind === 'unknown') throw unknownMapping(what);
  return answer as Found<Answer>;
}

function changed(change: Change | Publication, what = 'mapping'): Tagged<MappingBody> {
  switch (change.kind) {
    case 'changed':
      return tagged(change.record);
    case 'conflict':
      throw changedMeanwhile(change.current);
    case 'refused':
      throw mappingRefused(change.issues);
    case 'unavailable':
      throw changeUnknown(change.detail);
    case 'unknown':
      throw unknownMapping(what);
  }
}

function tagged(record: MappingRecord): Tagged<MappingBody> {
  return new Tagged(record.version, mappingBody(record));
}
