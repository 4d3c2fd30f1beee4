import { AdminProblem, type AdminAnswer, type AdminClient } from '../api/admin-client.js';
import { mappingPath, type Difference, type ImportItem, type Issue, type Mapping } from '../api/contract.js';
import { CommandError, exitCodes, type ExitCode } from '../exit-codes.js';
import { printable, type Output } from '../output.js';
import { differenceLines } from './differences.js';
import { namedDocuments, type NamedDocument } from './documents.js';

interface PlannedChange {
  readonly tenant: string;
  readonly name: string;
  /** What is in the file; absent for what is to be deleted. */
  readonly document?: NamedDocument['document'];
  /** The version of the mapping that was looked at, which alone is changed; 0: there is none. */
  readonly version: number;
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
    for (const change of changes) {
      if (change.result === 'unchanged') applied.push({ tenant: change.tenant, name: change.name, result: 'unchanged' });
      else if (change.document) applied.push(await applyDocument(api, change, change.document, comment, draftOnly));
      else if (!draftOnly) applied.push(await remove(api, change));
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

/** Documents are compared in batches: a request has a limit, and the service answers sign-ins in between. */
const batchSize = 50;

async function plannedChanges(
  api: AdminClient,
  documents: readonly NamedDocument[],
  prune: boolean,
): Promise<readonly PlannedChange[]> {
  const changes: PlannedChange[] = [];
  for (let start = 0; start < documents.length; start += batchSize) {
    const batch = documents.slice(start, start + batchSize);
    const { body } = await api.call('POST', '/admin/v1/mappings/compare', {
      body: { format: 'claimbridge-mappings/1', documents: batch.map(({ document }) => document) },
    });
    for (const { index, result, issues, differences, version = 0 } of body.items as readonly ImportItem[]) {
      const { tenant, name, document } = batch[index]!;
      changes.push({ tenant, name, document, version, result, issues, differences });
    }
  }
  return prune ? [...changes, ...(await surplus(api, documents))] : changes;
}

/** What is in force in the tenants of the documents, and is none of them: claim sets last, for mappings include them. */
async function surplus(api: AdminClient, documents: readonly NamedDocument[]): Promise<readonly PlannedChange[]> {
  const found: Mapping[] = [];
  for (const tenant of new Set(documents.map((document) => document.tenant)))
    for await (const mapping of api.pages<Mapping>('/admin/v1/mappings', { tenant, state: 'published' }))
      if (!documents.some((document) => document.tenant === tenant && document.name === mapping.name)) found.push(mapping);
  return found
    .toSorted((left, right) => Number(left.kind === 'claimSet') - Number(right.kind === 'claimSet'))
    .map(({ tenant, name, version, draft }) => ({
      tenant,
      name,
      version,
      result: draft ? 'conflict' : 'deleted',
      issues: [],
      differences: [],
    }));
}

async function applyDocument(
  api: AdminClient,
  { tenant, name, version }: PlannedChange,
  document: NamedDocument['document'],
  comment: string,
  draftOnly: boolean,
): Promise<AppliedChange> {
  const path = mappingPath({ tenant, name });
  const saved =
    version === 0
      ? await create(api, document)
      : await api.call('PUT', `${path}/draft`, { body: document, ifMatch: `"${version}"` });
  if (draftOnly) return { tenant, name, result: 'saved' };
  const ifMatch = required(saved.etag);
  try {
    const published = await api.call('POST', `${path}/publish`, { body: { comment }, ifMatch });
    return { tenant, name, result: 'published', number: (published.body as Mapping).published!.number };
  } catch (error) {
    // The draft is this call's own: left behind, it would look like somebody's work to the next one.
    if (error instanceof AdminProblem && error.problem.status === 422) await api.call('DELETE', `${path}/draft`, { ifMatch });
    throw error;
  }
}

async function create(api: AdminClient, document: NamedDocument['document']): Promise<AdminAnswer> {
  try {
    return await api.call('POST', '/admin/v1/mappings', { body: document });
  } catch (error) {
    if (!(error instanceof AdminProblem) || error.problem.code !== 'mapping.exists') throw error;
    throw new CommandError(exitCodes.conflict, error.message, error.remedy);
  }
}

async function remove(api: AdminClient, { tenant, name, version }: PlannedChange): Promise<AppliedChange> {
  await api.call('DELETE', mappingPath({ tenant, name }), { ifMatch: `"${version}"` });
  return { tenant, name, result: 'deleted' };
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
    ...issues.map(({ path, reason, remedy }) => {
      const where = path.length === 0 ? '' : `${path.join('.')}: `;
      return printable(`    ${where}${reason}${remedy === undefined ? '' : ` (${remedy})`}`);
    }),
    ...(result === 'changed' ? differenceLines(output, differences).map((line) => `    ${line}`) : []),
  ]);
}
