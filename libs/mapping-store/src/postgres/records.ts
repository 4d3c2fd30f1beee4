import type { Actor, AuditEntry, MappingDraft, MappingKey, MappingRecord, MappingRevision } from '#claims';
import type { EntityManager, SelectQueryBuilder } from 'typeorm';
import { AuditRow, DocumentRow, DraftRow, RevisionRow } from './entities.js';

/** Documents with their revision in force and their draft, without contents. */
export function selectRecords(manager: EntityManager): SelectQueryBuilder<DocumentRow> {
  return manager
    .createQueryBuilder(DocumentRow, 'document')
    .leftJoinAndMapOne(
      'document.revision',
      RevisionRow,
      'revision',
      'revision.tenant = document.tenant and revision.name = document.name and revision.number = document.published',
    )
    .leftJoinAndMapOne('document.draft', DraftRow, 'draft', 'draft.tenant = document.tenant and draft.name = document.name')
    .where('(document.published is not null or document.deleted_at is not null or draft.tenant is not null)');
}

export async function readRecord(manager: EntityManager, { tenant, name }: MappingKey): Promise<MappingRecord | undefined> {
  const row = await selectRecords(manager)
    .andWhere('document.tenant = :tenant and document.name = :name', { tenant, name })
    .getOne();
  return row ? recordOf(row) : undefined;
}

export function recordOf({ tenant, name, kind, version, revision, draft, deletedBy, deletedAt }: DocumentRow): MappingRecord {
  return {
    tenant,
    name,
    kind,
    version,
    ...(revision && { published: revisionOfRow(revision) }),
    ...(draft && { draft: draftOf(draft) }),
    ...(deletedBy && deletedAt && { deleted: { by: deletedBy, at: deletedAt } }),
  };
}

export function revisionOfRow(row: RevisionRow): MappingRevision {
  const { tenant, name, number, revision, author, at, comment, rolledBackTo } = row;
  return { tenant, name, number, revision, author, at, comment, ...(rolledBackTo !== null && { rolledBackTo }) };
}

export function draftOf({ author, at, basedOn }: DraftRow): MappingDraft {
  return { author, at, ...(basedOn !== null && { basedOn }) };
}

export function auditOf({ at, actor, action, tenant, target, details }: AuditRow): AuditEntry {
  return { at, actor, action, ...(tenant !== null && { tenant }), ...(target !== null && { target }), details };
}

/** Inserts without asking for anything back: the role that writes the audit may not read it. */
export async function insertAudit(manager: EntityManager, entry: AuditEntry): Promise<void> {
  const details = Object.entries(entry.details).map(([name, value]) => [
    storable(name),
    typeof value === 'string' ? storable(value) : value,
  ]);
  await manager
    .createQueryBuilder()
    .insert()
    .into(AuditRow)
    .values({
      at: entry.at,
      actor: storableActor(entry.actor),
      action: storable(entry.action),
      tenant: entry.tenant === undefined ? null : storable(entry.tenant),
      target: entry.target === undefined ? null : storable(entry.target),
      details: Object.fromEntries(details) as AuditEntry['details'],
    })
    .updateEntity(false)
    .execute();
}

export function storableActor({ id, name, address }: Actor): Actor {
  return {
    id: storable(id),
    ...(name !== undefined && { name: storable(name) }),
    ...(address !== undefined && { address: storable(address) }),
  };
}

/** PostgreSQL's texts hold neither NUL nor lone surrogates; both become the replacement character. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}
