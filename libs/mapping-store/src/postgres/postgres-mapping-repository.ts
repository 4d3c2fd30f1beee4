import {
  MappingRepository,
  type Actor,
  type Answer,
  type AuditEntry,
  type AuditFilter,
  type AuditPage,
  type Change,
  type Following,
  type LoadedMappings,
  type MappingDraft,
  type MappingFilter,
  type MappingKey,
  type MappingPage,
  type MappingRecord,
  type MappingRevision,
  type Publication,
  type PublishCheck,
  type RepositoryUnavailable,
  type Secrets,
  type Unknown,
  revisionOf,
} from '#claims';
import { bulkhead, isBulkheadRejectedError } from 'cockatiel';
import type { DataSource, EntityManager } from 'typeorm';
import { contentOf } from '../document-content.js';
import { Listeners } from '../listeners.js';
import { CheckFailure, change, type Made, type OpenDocument } from './change.js';
import type { DatabaseOptions } from './database-options.js';
import { AuditRow, PublicationRow, RevisionRow } from './entities.js';
import { InForce } from './in-force.js';
import { MappingDatabase } from './mapping-database.js';
import { PublishWatch } from './publish-watch.js';
import { auditOf, draftOf, insertAudit, readRecord, recordOf, revisionOfRow, selectRecords, storable } from './records.js';

export interface PostgresStoreOptions extends DatabaseOptions {
  /** How often it is asked for publications that were not told, in milliseconds. */
  readonly polling: number;
  /** Whether the tables are brought up to date before they are first used. */
  readonly migrate: boolean;
}

const largestPage = 1_000;
/** Publications that may wait for their turn. */
const waiting = 64;
const unknown: Unknown = { kind: 'unknown' };

/** Documents, revisions and audit in PostgreSQL. It may be unreachable at any time: every answer says so, and the next call tries again. */
export class PostgresMappingRepository extends MappingRepository {
  override readonly kind = 'postgres';
  private readonly database: MappingDatabase;
  private readonly inForce = new InForce();
  /** They wait for one another with a session in hand each; one is left for those who read. */
  private readonly publications;
  private readonly listeners = new Listeners();
  private watch: PublishWatch | undefined;

  constructor(
    private readonly options: PostgresStoreOptions,
    secrets: Secrets,
    /** Told of every entry that was written to the audit. */
    private readonly audited: (entry: AuditEntry) => void = () => undefined,
  ) {
    super();
    this.database = new MappingDatabase(options, secrets, options.migrate);
    this.publications = bulkhead(Math.max(1, options.connections - 1), waiting);
  }

  override get following(): Following {
    return this.watch?.following ?? { listening: false };
  }

  override async load(): Promise<LoadedMappings> {
    return this.database.use(async ({ manager }) => {
      // Before the rest: what is published meanwhile is told, or found, after this number.
      const sequence = await readSequence(manager);
      const mappings = await this.inForce.read(manager);
      this.watch?.caughtUp(sequence);
      return { kind: 'loaded', mappings };
    });
  }

  override async list(filter: MappingFilter): Promise<({ readonly kind: 'found' } & MappingPage) | RepositoryUnavailable> {
    const { tenant, name, application, state, after } = filter;
    const limit = pageSize(filter.limit);
    return this.database.use(async ({ manager }) => {
      const query = selectRecords(manager);
      if (tenant !== undefined) query.andWhere('document.tenant = :tenant', { tenant: storable(tenant) });
      if (name !== undefined) query.andWhere('position(:part in document.name) > 0', { part: storable(name).toLowerCase() });
      if (application !== undefined)
        query.andWhere('(:application = any(revision.applications) or :application = any(draft.applications))', {
          application: storable(application).toLowerCase(),
        });
      if (state === 'published') query.andWhere('document.published is not null');
      if (state === 'draft') query.andWhere('draft.tenant is not null');
      if (state === 'deleted') query.andWhere('document.deleted_at is not null');
      if (after !== undefined) {
        const [, afterTenant = '', afterName = ''] = /^([^/]*)\/?(.*)$/s.exec(storable(after)) ?? [];
        query.andWhere('(document.tenant, document.name) > (:afterTenant, :afterName)', { afterTenant, afterName });
      }
      const rows = await query
        .orderBy('document.tenant')
        .addOrderBy('document.name')
        .limit(limit + 1)
        .getMany();
      const records = rows.slice(0, limit).map(recordOf);
      const last = records.at(-1);
      return { kind: 'found', records, ...(rows.length > limit && last && { next: `${last.tenant}/${last.name}` }) };
    });
  }

  override async read(key: MappingKey): Promise<Answer<{ readonly record: MappingRecord }>> {
    return this.about(key, async (manager) => {
      const record = await readRecord(manager, key);
      return record ? { kind: 'found', record } : unknown;
    });
  }

  override async readDraft(
    key: MappingKey,
  ): Promise<Answer<{ readonly draft: MappingDraft; readonly document: unknown; readonly version: number }>> {
    return this.about(key, async (manager) => {
      const row = await selectRecords(manager)
        .addSelect('draft.content')
        .andWhere('document.tenant = :tenant and document.name = :name', key)
        .getOne();
      if (!row?.draft) return unknown;
      return { kind: 'found', draft: draftOf(row.draft), document: JSON.parse(row.draft.content), version: row.version };
    });
  }

  override async readRevision(
    key: MappingKey,
    number: number,
  ): Promise<Answer<{ readonly revision: MappingRevision; readonly document: unknown }>> {
    if (!isNumber(number)) return unknown;
    return this.about(key, async (manager) => {
      const row = await manager
        .createQueryBuilder(RevisionRow, 'revision')
        .addSelect('revision.content')
        .where({ tenant: key.tenant, name: key.name, number })
        .getOne();
      return row ? { kind: 'found', revision: revisionOfRow(row), document: JSON.parse(row.content) } : unknown;
    });
  }

  override async revisions(
    key: MappingKey,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<Answer<{ readonly revisions: readonly MappingRevision[]; readonly next?: string }>> {
    const limit = pageSize(page.limit);
    const before = Number(page.after ?? Number.NaN);
    return this.about(key, async (manager) => {
      if (!(await readRecord(manager, key))) return unknown;
      const query = manager
        .createQueryBuilder(RevisionRow, 'revision')
        .where('revision.tenant = :tenant and revision.name = :name', key);
      if (isNumber(before)) query.andWhere('revision.number < :before', { before });
      const rows = await query
        .orderBy('revision.number', 'DESC')
        .limit(limit + 1)
        .getMany();
      const revisions = rows.slice(0, limit).map(revisionOfRow);
      return { kind: 'found', revisions, ...(rows.length > limit && { next: String(revisions.at(-1)!.number) }) };
    });
  }

  override async saveDraft(key: MappingKey, document: unknown, expected: number, actor: Actor): Promise<Publication> {
    const content = contentOf(key, document);
    if (content.kind === 'refused') return content;
    return this.change(key, expected, actor, async (open) => {
      await open.saveDraft(content);
      return made('mapping.draft.save');
    });
  }

  override async discardDraft(key: MappingKey, expected: number, actor: Actor): Promise<Change> {
    const result = await this.change(key, expected, actor, async (open) => {
      if (!(await open.draft())) return unknown;
      await open.discardDraft();
      return made('mapping.draft.discard');
    });
    return result as Change;
  }

  override async publish(
    key: MappingKey,
    expected: number,
    comment: string,
    actor: Actor,
    check: PublishCheck,
  ): Promise<Publication> {
    const publishDraft = async (open: OpenDocument): Promise<Made> => {
      const draft = await open.draft();
      if (!draft) return unknown;
      const { content, applications } = draft;
      const revision = revisionOf(JSON.parse(content));
      const number = await open.publish({ content, applications, revision }, { comment, spendsDraft: true });
      return made('mapping.publish', { number, revision });
    };
    return this.change(key, expected, actor, publishDraft, check);
  }

  override async rollBack(
    key: MappingKey,
    to: number,
    expected: number,
    comment: string,
    actor: Actor,
    check: PublishCheck,
  ): Promise<Publication> {
    const bringBack = async (open: OpenDocument): Promise<Made> => {
      const earlier = isNumber(to) ? await open.revision(to) : undefined;
      if (!earlier) return unknown;
      const number = await open.publish(earlier, { comment, rolledBackTo: to, spendsDraft: false });
      return made('mapping.rollback', { number, to, revision: earlier.revision });
    };
    return this.change(key, expected, actor, bringBack, check);
  }

  override async delete(key: MappingKey, expected: number, actor: Actor, check: PublishCheck): Promise<Publication> {
    const takeOut = async (open: OpenDocument): Promise<Made> => {
      if (open.deleted) return unknown;
      const number = open.published;
      await open.delete();
      return made('mapping.delete', number === undefined ? {} : { number });
    };
    return this.change(key, expected, actor, takeOut, check);
  }

  override async restore(key: MappingKey, expected: number, actor: Actor, check: PublishCheck): Promise<Publication> {
    const putBack = async (open: OpenDocument): Promise<Made> => {
      if (!open.deleted) return unknown;
      const number = await open.restore();
      return made('mapping.restore', number === 0 ? {} : { number });
    };
    return this.change(key, expected, actor, putBack, check);
  }

  override async record(entry: AuditEntry): Promise<{ readonly kind: 'recorded' } | RepositoryUnavailable> {
    const recorded = await this.database.use(async ({ manager }) => {
      await insertAudit(manager, entry);
      return { kind: 'recorded' as const };
    });
    if (recorded.kind === 'recorded') this.audited(entry);
    return recorded;
  }

  override async audit(filter: AuditFilter): Promise<({ readonly kind: 'found' } & AuditPage) | RepositoryUnavailable> {
    const { tenant, action, target, actor, from, to, after } = filter;
    const limit = pageSize(filter.limit);
    const texts = [tenant, action, target, actor].map((text) => (text === undefined ? null : storable(text)));
    const before = after !== undefined && /^\d{1,18}$/.test(after) ? after : null;
    return this.database.use(async (source) => {
      const rows: AuditRow[] = await source.query('select * from claimbridge.read_audit($1, $2, $3, $4, $5, $6, $7, $8)', [
        ...texts,
        from ?? null,
        to ?? null,
        before,
        limit + 1,
      ]);
      const next = rows.length > limit ? { next: rows[limit - 1]!.id } : {};
      return { kind: 'found', entries: rows.slice(0, limit).map(auditOf), ...next };
    });
  }

  override onPublish(listener: () => void): Disposable {
    this.watch ??= new PublishWatch({
      connect: () => this.database.client('publish watch'),
      poll: () => this.sequence(),
      interval: this.options.polling,
      changed: () => this.listeners.tell(),
    });
    return this.listeners.add(listener);
  }

  /** Brings the tables up to date. @returns the names of the migrations that were run */
  migrate(): Promise<readonly string[]> {
    return this.database.migrate();
  }

  /** Takes back the last migration. What it had added is lost. */
  revertMigration(): Promise<void> {
    return this.database.revert();
  }

  override async close(): Promise<void> {
    await Promise.all([this.watch?.close(), this.database.close()]);
  }

  private async sequence(): Promise<number | undefined> {
    const found = await this.database.use(async ({ manager }) => ({
      kind: 'found' as const,
      sequence: await readSequence(manager),
    }));
    return found.kind === 'found' ? found.sequence : undefined;
  }

  /** A question about one document; no question is asked for a name that no document can have. */
  private async about<Found>(
    key: MappingKey,
    work: (manager: EntityManager) => Promise<Found>,
  ): Promise<Found | Unknown | RepositoryUnavailable> {
    if (contentOf(key, {}).kind === 'refused') return unknown;
    return this.database.use(({ manager }) => work(manager));
  }

  private async change(
    key: MappingKey,
    expected: number,
    actor: Actor,
    make: (open: OpenDocument) => Promise<Made>,
    check?: PublishCheck,
  ): Promise<Publication> {
    if (contentOf(key, {}).kind === 'refused') return unknown;
    const tools = check && { inForce: this.inForce, check, published: (sequence: number) => this.watch?.announce(sequence) };
    const work = (source: DataSource) => change(source, { key, expected, actor }, make, tools);
    try {
      const run = () => this.database.use(work);
      const result = await (check ? this.publications.execute(run) : run());
      if (result.kind !== 'changed') return result;
      this.audited(result.entry);
      return { kind: 'changed', record: result.record };
    } catch (error) {
      if (isBulkheadRejectedError(error)) return { kind: 'unavailable', detail: 'too many publications are waiting' };
      throw error instanceof CheckFailure ? error.thrown : error;
    }
  }
}

async function readSequence(manager: EntityManager): Promise<number> {
  return (await manager.findOneByOrFail(PublicationRow, { single: true })).sequence;
}

function made(action: string, details: AuditEntry['details'] = {}): Made {
  return { kind: 'made', action, details };
}

function pageSize(limit: number): number {
  return Math.max(1, Math.min(largestPage, Math.trunc(limit) || largestPage));
}

/** Whether a revision can have it. */
function isNumber(number: number): boolean {
  return Number.isInteger(number) && number > 0 && number <= 2 ** 31 - 1;
}
