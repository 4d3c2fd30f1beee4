import { setImmediate as nextTurn } from 'node:timers/promises';
import { revisionOf, type Actor, type MappingKey, type MappingRecord, type MappingRepository } from '#claims';
import type { z } from 'zod';
import type { ExportBody, ImportBody, exportQuery, importQuery } from '../contract/mapping.js';
import { issueBodies } from '../contract/problem.js';
import { changeUnknown } from '../http/admin-problem.js';
import { documentBytes } from '../http/read-body.js';
import type { Turns } from '../http/turns.js';
import { keyOfDocument } from './key-of-document.js';
import type { InForceView } from './in-force-view.js';
import type { MappingCheck } from './mapping-check.js';
import { readOnlyMappings } from './mapping-problems.js';
import { found } from './mapping-workbench.js';

type Document = Readonly<Record<string, unknown>>;
type Item = ImportBody['items'][number];

interface Taking {
  readonly tenant?: string | undefined;
  readonly replaceDrafts: boolean;
  /** Who saves; absent: nothing is saved. */
  readonly actor?: Actor;
}

const pageSize = 200;

/** Many documents at once, out and in. */
export class MappingTransfer {
  constructor(
    private readonly repository: MappingRepository | undefined,
    private readonly view: InForceView,
    private readonly check: MappingCheck,
    private readonly turns: Turns,
  ) {}

  /** The documents in force; with `drafts` each draft instead of what it would replace. */
  export({ tenant, drafts }: z.output<typeof exportQuery>): Promise<ExportBody> {
    return this.turns.take(async () => {
      const documents: Record<string, unknown>[] = [];
      if (this.repository) {
        for await (const record of this.records(this.repository, tenant)) {
          const document = await this.documentOf(this.repository, record, drafts);
          if (document !== undefined) documents.push(document as Record<string, unknown>);
        }
      } else {
        for (const { key, document } of this.view.documents)
          if (tenant === undefined || key.tenant === tenant) documents.push({ ...document });
      }
      return { format: 'claimbridge-mappings/1', documents };
    });
  }

  /** What an import would change, for who may not import. */
  compare(documents: readonly Document[]): Promise<ImportBody> {
    return this.takeAll(documents, { replaceDrafts: false });
  }

  /** Makes each document the draft of its mapping; what is in force already is left alone. */
  import(documents: readonly Document[], { dryRun, ...query }: z.output<typeof importQuery>, actor: Actor): Promise<ImportBody> {
    return this.takeAll(documents, dryRun ? query : { ...query, actor });
  }

  private takeAll(documents: readonly Document[], taking: Taking): Promise<ImportBody> {
    const { repository } = this;
    if (!repository) throw readOnlyMappings();
    return this.turns.take(async () => {
      const items: Item[] = [];
      const seen = new Set<string>();
      for (const [index, document] of documents.entries()) {
        items.push({ index, ...(await this.take(repository, document, taking, seen)) });
        // Sign-ins are answered by the same thread.
        await nextTurn();
      }
      return { dryRun: taking.actor === undefined, items };
    });
  }

  private async take(
    repository: MappingRepository,
    document: Document,
    { tenant, replaceDrafts, actor }: Taking,
    seen: Set<string>,
  ): Promise<Omit<Item, 'index'>> {
    const identified = keyOfDocument(document);
    if (identified.kind === 'invalid') return refused(identified.issues);
    const key: MappingKey = { tenant: identified.tenant, name: identified.name };
    const named = (result: Omit<Item, 'index'>): Omit<Item, 'index'> => ({ ...key, ...result });
    if (tenant !== undefined && key.tenant !== tenant)
      return named(refused([{ path: ['tenant'], reason: `must be ${tenant}, which the import is for` }]));
    if (seen.has(`${key.tenant}/${key.name}`)) return named(refused([{ path: ['name'], reason: 'stands twice in this import' }]));
    seen.add(`${key.tenant}/${key.name}`);
    if (Buffer.byteLength(JSON.stringify(document)) > documentBytes)
      return named(refused([{ path: [], reason: `is larger than ${documentBytes} bytes` }]));

    const { record, inForce } = await this.present(repository, key);
    const version = record?.version ?? 0;
    const compared = this.differencesOf(inForce, document);
    if (compared.kind === 'unreadable') return named({ ...refused(compared.issues), version });
    const { differences } = compared;
    if (inForce !== undefined && differences.length === 0)
      return named({ version, result: 'unchanged', issues: [], differences });
    const result = record ? ('changed' as const) : ('created' as const);
    if (record?.draft && (await this.isDraft(repository, key, document)))
      return named({ version, result, issues: [], differences });
    if (record?.draft && !replaceDrafts)
      return named({
        version,
        result: 'conflict',
        issues: [
          { path: [], reason: 'there is a draft already', remedy: 'Publish it, throw it away, or say replaceDrafts=true.' },
        ],
        differences,
      });
    if (!actor) return named({ version, result, issues: [], differences });
    const change = await repository.saveDraft(key, document, version, actor);
    if (change.kind === 'unavailable') throw changeUnknown(change.detail);
    if (change.kind === 'refused') return named({ ...refused(change.issues), version });
    if (change.kind !== 'changed')
      return named({
        version: change.kind === 'conflict' ? change.current : 0,
        result: 'conflict',
        issues: [{ path: [], reason: 'was changed meanwhile', remedy: 'Import it again.' }],
        differences,
      });
    return named({ version: change.record.version, result, issues: [], differences });
  }

  /** What is in force and cannot be read any more does not stand in the way of what would replace it. */
  private differencesOf(inForce: unknown, document: Document): ReturnType<MappingCheck['differences']> {
    const compared = this.check.differences(inForce, document);
    const isNew = compared.kind === 'unreadable' && compared.side === 'before';
    return isNew ? this.check.differences(undefined, document) : compared;
  }

  /** Whether the draft is this document already: that of an import or a publish before that came to no end. */
  private async isDraft(repository: MappingRepository, key: MappingKey, document: Document): Promise<boolean> {
    const read = await repository.readDraft(key);
    return read.kind !== 'unknown' && revisionOf(found(read, 'draft').document) === revisionOf(document);
  }

  private async present(
    repository: MappingRepository,
    key: MappingKey,
  ): Promise<{ readonly record?: MappingRecord; readonly inForce?: unknown }> {
    const read = await repository.read(key);
    if (read.kind === 'unknown') return {};
    const { record } = found(read, 'mapping');
    if (!record.published) return { record };
    return { record, inForce: found(await repository.readRevision(key, record.published.number), 'revision').document };
  }

  private async *records(repository: MappingRepository, tenant: string | undefined): AsyncGenerator<MappingRecord> {
    let after: string | undefined;
    do {
      const page = found(
        await repository.list({
          ...(tenant !== undefined && { tenant }),
          ...(after !== undefined && { after }),
          limit: pageSize,
        }),
        'mapping',
      );
      yield* page.records;
      after = page.next;
    } while (after !== undefined);
  }

  private async documentOf(repository: MappingRepository, record: MappingRecord, drafts: boolean): Promise<unknown> {
    if (drafts && record.draft) {
      const draft = await repository.readDraft(record);
      if (draft.kind === 'found') return draft.document;
    }
    return record.published && found(await repository.readRevision(record, record.published.number), 'revision').document;
  }
}

function refused(issues: Parameters<typeof issueBodies>[0]): Omit<Item, 'index'> {
  return { result: 'refused', issues: issueBodies(issues), differences: [] };
}
