import { AdminProblem, type AdminClient } from '../api/admin-client.js';
import { mappingPath, type Difference, type ImportItem, type Issue, type Mapping } from '../api/contract.js';
import { CommandError, exitCodes, type ExitCode } from '../exit-codes.js';
import type { Output } from '../output.js';
import { differenceLines } from './differences.js';
import { namedDocuments, type NamedDocument } from './documents.js';

interface PlannedChange {
  readonly tenant: string;
  readonly name: string;
  /** The file; absent for what is to be deleted. */
  readonly origin?: string;
  readonly result: ImportItem['result'] | 'deleted';
  readonly issues: readonly Issue[];
  readonly differences: readonly Difference[];
}

export interface PlanOptions {
  /** Deletes what is in force, in the tenants of the files, and in no file. */
  readonly prune?: boolean;
  /** Ends with findings where something would change, for a pipeline that compares. */
  readonly check?: boolean;
}

/** Says what `apply` would change, by what the documents mean. Changes nothing. */
export async function plan(
  api: AdminClient,
  output: Output,
  paths: readonly string[],
  { prune = false, check = false }: PlanOptions,
): Promise<ExitCode> {
  const changes = await plannedChanges(api, await namedDocuments(paths), prune);
  output.result({ changes }, () => changeLines(output, changes));
  const refused = changes.some(({ result }) => result === 'refused');
  const differs = changes.some(({ result }) => result !== 'unchanged');
  return refused || (check && differs) ? exitCodes.findings : exitCodes.ok;
}

export interface ApplyOptions {
  readonly prune?: boolean;
  readonly comment?: string;
  /** Saves drafts and publishes nothing. */
  readonly draftOnly?: boolean;
}

interface AppliedChange {
  readonly tenant: string;
  readonly name: string;
  readonly result: 'published' | 'saved' | 'unchanged' | 'deleted';
  /** The number of the revision that is in force now. */
  readonly number?: number;
}

/**
 * Makes the service have what the files say: each document that differs becomes a draft and is published, claim sets first. What
 * somebody else changes meanwhile, or is working on, is never overwritten. It stops at the first document that is refused; what was
 * published before stays, and the same call goes on from there.
 */
export async function apply(
  api: AdminClient,
  output: Output,
  paths: readonly string[],
  { prune = false, comment = '', draftOnly = false }: ApplyOptions,
): Promise<ExitCode> {
  const documents = await namedDocuments(paths);
  const changes = await plannedChanges(api, documents, prune);
  const hindered = changes.filter(({ result }) => result === 'refused' || result === 'conflict');
  if (hindered.length > 0) {
    output.result({ applied: [], hindered }, () => [...changeLines(output, hindered), output.bad('nothing was applied')]);
    return hindered.some(({ result }) => result === 'refused') ? exitCodes.findings : exitCodes.conflict;
  }
  const applied: AppliedChange[] = [];
  try {
    for (const { tenant, name, result } of changes) {
      const document = documents.find((each) => each.tenant === tenant && each.name === name);
      if (result === 'unchanged') applied.push({ tenant, name, result });
      else if (document) applied.push(await applyDocument(api, document, comment, draftOnly));
      else if (!draftOnly) applied.push(await remove(api, { tenant, name }));
    }
  } finally {
    output.result({ applied }, () =>
      applied.map(
        ({ tenant, name, result, number }) =>
          `${output.good('✓')} ${tenant}/${name}: ${result}${number === undefined ? '' : ` as revision ${number}`}`,
      ),
    );
  }
  return exitCodes.ok;
}

async function plannedChanges(
  api: AdminClient,
  documents: readonly NamedDocument[],
  prune: boolean,
): Promise<readonly PlannedChange[]> {
  const { body } = await api.call('POST', '/admin/v1/mappings/import', {
    query: { dryRun: true },
    body: { format: 'claimbridge-mappings/1', documents: documents.map(({ document }) => document) },
  });
  const changes = (body.items as readonly ImportItem[]).map(({ index, result, issues, differences }): PlannedChange => {
    const { origin, tenant, name } = documents[index]!;
    return { tenant, name, origin, result, issues, differences };
  });
  return prune ? [...changes, ...(await surplus(api, documents))] : changes;
}

/** What is in force in the tenants of the documents, and is none of them. */
async function surplus(api: AdminClient, documents: readonly NamedDocument[]): Promise<readonly PlannedChange[]> {
  const deleted: PlannedChange[] = [];
  for (const tenant of new Set(documents.map((document) => document.tenant)))
    for await (const { name } of api.pages<Mapping>('/admin/v1/mappings', { tenant, state: 'published' }))
      if (!documents.some((document) => document.tenant === tenant && document.name === name))
        deleted.push({ tenant, name, result: 'deleted', issues: [], differences: [] });
  return deleted;
}

async function applyDocument(
  api: AdminClient,
  { tenant, name, document }: NamedDocument,
  comment: string,
  draftOnly: boolean,
): Promise<AppliedChange> {
  const path = mappingPath({ tenant, name });
  const seen = await stateOf(api, path);
  const saved = seen
    ? await api.call('PUT', `${path}/draft`, { body: document, ifMatch: seen })
    : await api.call('POST', '/admin/v1/mappings', { body: document });
  if (draftOnly) return { tenant, name, result: 'saved' };
  const published = await api.call('POST', `${path}/publish`, { body: { comment }, ifMatch: required(saved.etag) });
  return { tenant, name, result: 'published', number: (published.body as Mapping).published!.number };
}

async function remove(
  api: AdminClient,
  { tenant, name }: { readonly tenant: string; readonly name: string },
): Promise<AppliedChange> {
  const path = mappingPath({ tenant, name });
  await api.call('DELETE', path, { ifMatch: required(await stateOf(api, path)) });
  return { tenant, name, result: 'deleted' };
}

/** The ETag of a mapping; undefined where there is none yet. */
async function stateOf(api: AdminClient, path: string): Promise<string | undefined> {
  try {
    return (await api.call('GET', path)).etag;
  } catch (error) {
    if (error instanceof AdminProblem && error.problem.status === 404) return undefined;
    throw error;
  }
}

function required(etag: string | undefined): string {
  if (etag === undefined) throw new CommandError(exitCodes.unreachable, 'the service answered without an ETag');
  return etag;
}

const signs: Readonly<Record<PlannedChange['result'], string>> = {
  created: '+',
  changed: '~',
  unchanged: '=',
  deleted: '-',
  conflict: '✗',
  refused: '✗',
};

function changeLines(output: Output, changes: readonly PlannedChange[]): readonly string[] {
  return changes.flatMap(({ tenant, name, result, issues, differences }) => [
    `${signs[result]} ${tenant}/${name}: ${result === 'conflict' ? 'conflict: somebody is working on a draft of it' : result}`,
    ...issues.map(({ path, reason, remedy }) => `    ${path.join('.')}: ${reason}${remedy === undefined ? '' : ` (${remedy})`}`),
    ...(result === 'changed' ? differenceLines(output, differences).map((line) => `    ${line}`) : []),
  ]);
}
