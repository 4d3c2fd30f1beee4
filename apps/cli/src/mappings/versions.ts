import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { identifyDocument } from '#claims';
import { stringify } from 'yaml';
import type { AdminClient } from '../api/admin-client.js';
import { mappingPath, type Difference, type Mapping } from '../api/contract.js';
import { CommandError, exitCodes, type ExitCode } from '../exit-codes.js';
import type { Output } from '../output.js';
import { differenceLines } from './differences.js';
import { ifMatchLines } from './if-match.js';

export interface MappingName {
  readonly tenant: string;
  readonly name: string;
}

export interface ListOptions {
  readonly tenant?: string;
  readonly application?: string;
  readonly state?: string;
}

/** Every mapping with its state. */
export async function list(api: AdminClient, output: Output, { tenant, application, state }: ListOptions): Promise<ExitCode> {
  const mappings: Mapping[] = [];
  for await (const mapping of api.pages<Mapping>('/admin/v1/mappings', { tenant, application, state })) mappings.push(mapping);
  output.result({ mappings }, () => {
    const rows = mappings.map(({ tenant: of, name, version, published, draft, deleted }) => [
      of,
      name,
      String(version),
      deleted ? 'deleted' : published ? `revision ${published.number}` : 'not published',
      published ? `${published.at.slice(0, 16).replace('T', ' ')} ${published.author.name ?? published.author.id}` : '',
      draft ? `by ${draft.author.name ?? draft.author.id}` : '',
    ]);
    return rows.length === 0
      ? ['there are no mappings']
      : output.table(['tenant', 'name', 'version', 'in force', 'since', 'draft'], rows);
  });
  return exitCodes.ok;
}

/** Compares two versions of a mapping by what they mean. */
export async function diff(
  api: AdminClient,
  output: Output,
  mapping: MappingName,
  { from, to }: { readonly from?: string; readonly to?: string },
): Promise<ExitCode> {
  const { body, etag } = await api.call('GET', `${mappingPath(mapping)}/diff`, { query: { from, to } });
  const differences = body.differences as readonly Difference[];
  output.result({ ...body, etag }, () => [
    ...(differences.length === 0 ? ['they mean the same'] : differenceLines(output, differences)),
    ...ifMatchLines(etag, { isDraft: body.to === 'draft' }),
  ]);
  return exitCodes.ok;
}

export interface PublishOptions {
  readonly comment: string;
  /** The ETag of the version that was looked at. Without: whatever there is now. */
  readonly ifMatch?: string;
}

/** Puts the draft in force. */
export async function publish(
  api: AdminClient,
  output: Output,
  mapping: MappingName,
  { comment, ifMatch }: PublishOptions,
): Promise<ExitCode> {
  return putInForce(api, output, mapping, 'publish', { body: { comment }, ifMatch });
}

/** Puts an earlier revision in force again, as a new one. */
export async function rollBack(
  api: AdminClient,
  output: Output,
  mapping: MappingName,
  to: number,
  { comment, ifMatch }: PublishOptions,
): Promise<ExitCode> {
  return putInForce(api, output, mapping, 'rollback', { body: { to, comment }, ifMatch });
}

async function putInForce(
  api: AdminClient,
  output: Output,
  mapping: MappingName,
  action: 'publish' | 'rollback',
  { body, ifMatch }: { readonly body: object; readonly ifMatch: string | undefined },
): Promise<ExitCode> {
  const address = mappingPath(mapping);
  const etag = ifMatch ?? (await api.call('GET', address)).etag;
  if (etag === undefined) throw new CommandError(exitCodes.unreachable, 'the service answered without an ETag');
  const answer = await api.call('POST', `${address}/${action}`, { body, ifMatch: etag });
  const { published } = answer.body as Mapping;
  output.result(answer.body, () => [
    `${output.good('✓')} ${mapping.tenant}/${mapping.name}: revision ${published?.number} is in force (${published?.revision})`,
  ]);
  return exitCodes.ok;
}

export interface ExportOptions {
  readonly tenant?: string;
  /** A folder; standard output without. */
  readonly output?: string;
  readonly drafts?: boolean;
}

/** Writes what is in force: to a folder as one YAML file for each document, as apply takes them, or all of it to standard output. */
export async function exportMappings(api: AdminClient, output: Output, options: ExportOptions): Promise<ExitCode> {
  const { body } = await api.call('GET', '/admin/v1/mappings/export', {
    query: { tenant: options.tenant, drafts: options.drafts },
  });
  const documents = body.documents as readonly Readonly<Record<string, unknown>>[];
  if (options.output === undefined) {
    output.result(body, () => [documents.map((document) => stringify(document)).join('---\n')]);
    return exitCodes.ok;
  }
  const files: string[] = [];
  for (const document of documents) {
    const { tenant, name } = identifyDocument(document);
    const file = path.join(options.output, fileName(tenant), `${fileName(name)}.yaml`);
    await write(file, stringify(document));
    files.push(file);
  }
  output.result({ files }, () => files.map((file) => `${output.good('✓')} ${file}`));
  return exitCodes.ok;
}

async function write(file: string, text: string): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new CommandError(exitCodes.usage, `${file}: cannot be written (${code})`);
  }
}

/** A name from the service as a part of a path: what is none must not lead elsewhere. */
function fileName(name: string | undefined): string {
  if (name !== undefined && /^[a-z0-9][a-z0-9-]*$/.test(name)) return name;
  throw new CommandError(exitCodes.unreachable, 'the service answered a document whose name or tenant is none');
}
