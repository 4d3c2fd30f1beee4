import type { StoredMapping } from '#claims';
import { In, type EntityManager } from 'typeorm';
import { DocumentRow, RevisionRow } from './entities.js';

/** Contents that one statement fetches. */
const batch = 1_000;

/**
 * What is in force, read cheaply: which revisions, and the contents of those only that were not read before. A content never changes,
 * since its revision is its hash. Only what a full reading found is kept: a publish that is refused leaves nothing behind.
 */
export class InForce {
  private known: ReadonlyMap<string, StoredMapping> = new Map();

  /** Every document in force, or those of one tenant, in the order of tenant and name. */
  async read(manager: EntityManager, tenant?: string): Promise<readonly StoredMapping[]> {
    const list = await manager
      .createQueryBuilder(DocumentRow, 'document')
      .innerJoin(
        RevisionRow,
        'revision',
        'revision.tenant = document.tenant and revision.name = document.name and revision.number = document.published',
      )
      .select(['document.tenant as tenant', 'document.name as name', 'revision.revision as revision'])
      .where(tenant === undefined ? 'true' : 'document.tenant = :tenant', { tenant })
      .orderBy('document.tenant')
      .addOrderBy('document.name')
      .getRawMany<{ tenant: string; name: string; revision: string }>();
    const { known } = this;
    const missing = list.filter((entry) => !known.has(keyOf(entry)));
    const contents = new Map<string, string>();
    for (let start = 0; start < missing.length; start += batch) {
      const rows = await manager.find(RevisionRow, {
        select: { revision: true, content: true },
        where: { revision: In(missing.slice(start, start + batch).map(({ revision }) => revision)) },
      });
      for (const { revision, content } of rows) contents.set(revision, content);
    }
    const stored = list.map(
      (entry): StoredMapping =>
        known.get(keyOf(entry)) ?? {
          origin: `${entry.tenant}/${entry.name}`,
          revision: entry.revision,
          content: { kind: 'document', document: JSON.parse(contents.get(entry.revision)!) as unknown },
        },
    );
    if (tenant === undefined) this.known = new Map(list.map((entry, index) => [keyOf(entry), stored[index]!]));
    return stored;
  }
}

function keyOf({ tenant, name, revision }: { tenant: string; name: string; revision: string }): string {
  return `${tenant}/${name}@${revision}`;
}
