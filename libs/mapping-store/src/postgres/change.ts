import type {
  Actor,
  AuditEntry,
  Changed,
  ConfigurationIssue,
  Conflict,
  MappingKey,
  MappingRecord,
  PublishCheck,
  Unknown,
} from '#claims';
import { EntityNotFoundError, type DataSource, type EntityManager } from 'typeorm';
import type { DocumentContent } from '../document-content.js';
import { DocumentRow, DraftRow, PublicationRow, RevisionRow } from './entities.js';
import type { InForce } from './in-force.js';
import { insertAudit, readRecord, storable, storableActor } from './records.js';

/** Ends a transaction that the check refused. */
class Refusal {
  constructor(readonly issues: readonly ConfigurationIssue[]) {}
}

/** Keeps what the check itself threw apart from the database's failures. */
export class CheckFailure {
  constructor(readonly thrown: unknown) {}
}

/** What every publication needs. */
export interface PublicationTools {
  readonly inForce: InForce;
  readonly check: PublishCheck;
  /** Told after the commit. */
  readonly published: (sequence: number) => void;
}

export type Made =
  | { readonly kind: 'made'; readonly action: string; readonly details: AuditEntry['details'] }
  | Conflict
  | Unknown;

export type ChangeResult =
  | (Changed & { readonly entry: AuditEntry })
  | Conflict
  | Unknown
  | { readonly kind: 'refused'; readonly issues: readonly ConfigurationIssue[] };

/** One change of one document, as one transaction: locks, the comparison of versions, the change, the audit and, for a publication, its check and its number. */
export async function change(
  source: DataSource,
  { key, expected, actor }: { readonly key: MappingKey; readonly expected: number; readonly actor: Actor },
  make: (open: OpenDocument) => Promise<Made>,
  publication?: PublicationTools,
): Promise<ChangeResult> {
  let sequence: number | undefined;
  const result = await source
    .transaction(async (manager): Promise<ChangeResult> => {
      // One publication of a tenant at a time, so that two that contradict each other cannot both pass their checks.
      if (publication)
        await manager.query(`select pg_advisory_xact_lock(hashtext('claimbridge publication'), hashtext($1))`, [key.tenant]);
      const document = await OpenDocument.open(manager, key, expected, actor);
      if (document.kind !== 'open') return document;
      const made = await make(document);
      if (made.kind !== 'made') return made;
      if (publication) {
        const issues = await judge(publication, manager, key.tenant);
        if (issues.length > 0) throw new Refusal(issues);
        sequence = await countPublication(manager);
      }
      const record = (await readRecord(manager, key)) ?? { ...key, kind: document.kindOf, version: document.version };
      const entry: AuditEntry = {
        at: document.at,
        actor: document.actor,
        action: made.action,
        tenant: key.tenant,
        target: key.name,
        details: { ...made.details, version: document.version },
      };
      await insertAudit(manager, entry);
      return { kind: 'changed', record, entry };
    })
    .catch((error: unknown): ChangeResult => {
      if (error instanceof Refusal) return { kind: 'refused', issues: error.issues };
      throw error;
    });
  if (sequence !== undefined && result.kind === 'changed') publication?.published(sequence);
  return result;
}

async function judge(
  { inForce, check }: PublicationTools,
  manager: EntityManager,
  tenant: string,
): Promise<readonly ConfigurationIssue[]> {
  const stored = await inForce.read(manager, tenant);
  try {
    return await check(stored);
  } catch (error) {
    throw new CheckFailure(error);
  }
}

/** The row stays locked until the commit, so numbers become visible in their order. */
async function countPublication(manager: EntityManager): Promise<number> {
  const { raw } = await manager
    .createQueryBuilder()
    .update(PublicationRow)
    .set({ sequence: () => 'sequence + 1' })
    .returning('sequence')
    .execute();
  const [row] = raw as readonly { sequence: number }[];
  if (!row) throw new EntityNotFoundError(PublicationRow, { single: true });
  return row.sequence;
}

/** A document that this transaction alone can change, at the version that its author saw. */
export class OpenDocument {
  readonly kind = 'open';
  readonly at = new Date();

  private constructor(
    private readonly manager: EntityManager,
    private readonly row: DocumentRow,
    readonly actor: Actor,
    private readonly hasDraft: boolean,
  ) {}

  static async open(
    manager: EntityManager,
    { tenant, name }: MappingKey,
    expected: number,
    actor: Actor,
  ): Promise<OpenDocument | Conflict | Unknown> {
    if (expected === 0)
      await manager
        .createQueryBuilder()
        .insert()
        .into(DocumentRow)
        .values({ tenant, name, version: 0 })
        .orIgnore()
        .updateEntity(false)
        .execute();
    const row = await manager.findOne(DocumentRow, { where: { tenant, name }, lock: { mode: 'pessimistic_write' } });
    if (!row) return { kind: 'unknown' };
    const hasDraft = await manager.exists(DraftRow, { where: { tenant, name } });
    // A document whose only draft was discarded is not there; its row remains, so that its versions never come again.
    const exists = hasDraft || row.published !== null || row.deletedAt !== null;
    if (expected !== (exists ? row.version : 0)) return exists ? { kind: 'conflict', current: row.version } : { kind: 'unknown' };
    return new OpenDocument(manager, row, storableActor(actor), hasDraft);
  }

  get version(): number {
    return this.row.version;
  }

  get kindOf(): MappingRecord['kind'] {
    return this.row.kind;
  }

  get published(): number | undefined {
    return this.row.published ?? undefined;
  }

  get deleted(): boolean {
    return this.row.deletedAt !== null;
  }

  private get key(): MappingKey {
    return { tenant: this.row.tenant, name: this.row.name };
  }

  async draft(): Promise<DraftRow | undefined> {
    if (!this.hasDraft) return undefined;
    return (
      (await this.withContents(DraftRow)
        .where({ ...this.key })
        .getOne()) ?? undefined
    );
  }

  async saveDraft({ text, applications }: DocumentContent): Promise<void> {
    const changes = { content: text, applications: [...applications], author: this.actor, at: this.at };
    if (this.hasDraft) await this.manager.update(DraftRow, this.key, changes);
    else await this.insert(DraftRow, { ...this.key, ...changes, basedOn: this.row.published });
    await this.save({});
  }

  async discardDraft(): Promise<void> {
    await this.manager.delete(DraftRow, this.key);
    await this.save({});
  }

  async revision(number: number): Promise<RevisionRow | undefined> {
    return (
      (await this.withContents(RevisionRow)
        .where({ ...this.key, number })
        .getOne()) ?? undefined
    );
  }

  async lastNumber(): Promise<number> {
    return (await this.manager.maximum(RevisionRow, 'number', this.key)) ?? 0;
  }

  /** Makes a content the newest revision and puts it in force. */
  async publish(
    content: Pick<RevisionRow, 'content' | 'revision' | 'applications'>,
    { comment, rolledBackTo, spendsDraft }: { comment: string; rolledBackTo?: number; spendsDraft: boolean },
  ): Promise<number> {
    const number = (await this.lastNumber()) + 1;
    await this.insert(RevisionRow, {
      ...this.key,
      number,
      revision: content.revision,
      content: content.content,
      applications: content.applications,
      author: this.actor,
      at: this.at,
      comment: storable(comment),
      rolledBackTo: rolledBackTo ?? null,
    });
    if (spendsDraft) await this.manager.delete(DraftRow, this.key);
    await this.save({ published: number, deletedBy: null, deletedAt: null });
    return number;
  }

  async delete(): Promise<void> {
    await this.save({ published: null, deletedBy: this.actor, deletedAt: this.at });
  }

  /** Without a revision it becomes a draft again. */
  async restore(): Promise<number> {
    const number = await this.lastNumber();
    await this.save({ published: number || null, deletedBy: null, deletedAt: null });
    return number;
  }

  private async save(changes: Partial<Pick<DocumentRow, 'published' | 'deletedBy' | 'deletedAt'>>): Promise<void> {
    Object.assign(this.row, changes, { version: this.row.version + 1 });
    await this.manager.update(DocumentRow, this.key, { ...changes, version: this.row.version });
  }

  private async insert<Row extends DraftRow | RevisionRow>(target: new () => Row, row: Row): Promise<void> {
    await this.manager
      .createQueryBuilder()
      .insert()
      .into(target)
      .values(row as never)
      .updateEntity(false)
      .execute();
  }

  private withContents<Row extends DraftRow | RevisionRow>(target: new () => Row) {
    return this.manager.createQueryBuilder(target, 'row').addSelect(['row.content', 'row.applications']);
  }
}
