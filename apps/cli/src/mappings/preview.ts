import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import type { AdminClient } from '../api/admin-client.js';
import type { Preview } from '../api/contract.js';
import { CommandError, exitCodes, type ExitCode } from '../exit-codes.js';
import { printable, type Output } from '../output.js';
import { namedDocuments } from './documents.js';
import { ifMatchLines } from './if-match.js';

export interface PreviewOptions {
  readonly tenant: string;
  readonly application?: string;
  readonly client?: string;
  /** The custom authentication extension that calls. */
  readonly extension?: string;
  /** In Entra's words, such as OAUTH2.0. */
  readonly protocol?: string;
  /** `property=value`, as the event has them. */
  readonly user?: readonly string[];
  /** A service signs in: there is no person. */
  readonly service?: boolean;
  /** A file with an event as Entra sends it. */
  readonly event?: string;
  readonly mapping?: string;
  /** published, draft or the number of a revision. */
  readonly revision?: string;
  /** A file with a document that is not saved. */
  readonly file?: string;
  /** false: hides values also from who may see them. */
  readonly values?: boolean;
}

/**
 * What a sign-in would get, worked out by the service as it works out a sign-in.
 * @throws CommandError for options that leave open who signs in where, or by what
 */
export async function preview(api: AdminClient, output: Output, options: PreviewOptions): Promise<ExitCode> {
  const answer = await api.call('POST', '/admin/v1/preview', { body: await requestOf(options) });
  const body = answer.body as Preview;
  output.result(body, () => describe(output, body, options));
  return body.answer === 'failure' ? exitCodes.findings : exitCodes.ok;
}

async function requestOf(options: PreviewOptions): Promise<object> {
  const { tenant, application, client, extension, protocol, event, values } = options;
  if (event === undefined && application === undefined)
    throw new CommandError(exitCodes.usage, 'the token would be for nobody', 'Say --application ID, or --event FILE.');
  return {
    tenant,
    ...(application !== undefined && { application }),
    ...(client !== undefined && { client }),
    ...(extension !== undefined && { extension }),
    ...(protocol !== undefined && { protocol }),
    ...(event === undefined ? { person: personOf(options) } : { event: await readEvent(event) }),
    ...(await mappingOf(options)),
    ...(values !== undefined && { values }),
  };
}

function personOf({ user = [], service = false }: PreviewOptions): Readonly<Record<string, string>> | null {
  if (service) return null;
  const properties = user.map((text): [string, string] => {
    const equals = text.indexOf('=');
    if (equals <= 0)
      throw new CommandError(
        exitCodes.usage,
        'a property of the person is given as property=value',
        'Such as --user mail=adele@corp.example.',
      );
    return [text.slice(0, equals), text.slice(equals + 1)];
  });
  if (properties.length === 0)
    throw new CommandError(
      exitCodes.usage,
      'nobody signs in',
      'Say --user property=value, --event FILE, or --service where a service signs in.',
    );
  return Object.fromEntries(properties);
}

async function mappingOf({ mapping, revision, file }: PreviewOptions): Promise<object> {
  if (file !== undefined) {
    const [document, ...more] = await namedDocuments([file]);
    if (more.length > 0) throw new CommandError(exitCodes.usage, `${file}: has several documents, and one is previewed`);
    return { mapping: { document: document!.document } };
  }
  if (mapping === undefined) {
    if (revision === undefined) return {};
    throw new CommandError(exitCodes.usage, 'a revision of which mapping?', 'Say --mapping NAME beside --revision.');
  }
  const version = revision === undefined || !/^\d+$/.test(revision) ? revision : Number(revision);
  return { mapping: { name: mapping, ...(version !== undefined && { version }) } };
}

async function readEvent(file: string): Promise<unknown> {
  try {
    return parse(await readFile(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'not JSON';
    throw new CommandError(exitCodes.usage, `${file}: cannot be read (${reason})`);
  }
}

function describe(output: Output, body: Preview, { values = true }: PreviewOptions): readonly string[] {
  const { answer, code, failedClaims = [], mapping, claims, valuesHidden, explain, person, ms, deadlineMs, size } = body;
  const by = mapping === undefined ? 'no mapping' : `${mapping.name} ${mapping.version} (${mapping.revision})`;
  const verdict =
    answer === 'claims'
      ? output.good('a token with these claims')
      : answer === 'failure'
        ? output.bad(`no token: ${code}${failedClaims.length > 0 ? `, because of ${failedClaims.join(', ')}` : ''}`)
        : 'no mapping serves this application';
  const valueText = (value: Preview['claims'][number]['value']): string =>
    value === undefined ? '(hidden)' : typeof value === 'string' ? value : value.join(', ');
  return [
    `${verdict}, by ${by}; ${Math.round(ms)} of ${deadlineMs} ms, ${size.bytes} of ${size.limit} bytes`,
    ...section(
      output,
      ['claim', 'values', 'value'],
      claims.map(({ name, list, count, value }) => [name, list ? String(count) : 'text', valueText(value)]),
    ),
    ...section(
      output,
      ['lookup', 'of', 'outcome', 'ms', 'asked by', 'kept'],
      explain.lookups.map(({ alias, use, outcome, reason, ms: took, key = '', asked, ageMs, degraded }) => [
        alias,
        use,
        `${outcome}${reason === undefined ? '' : ` (${reason})`}${degraded ? ', degraded' : ''}`,
        took.toFixed(1),
        asked === undefined ? key : askedText(asked),
        ageMs === undefined ? '' : `${Math.round(ageMs / 1_000)} s ago`,
      ]),
    ),
    ...section(
      output,
      ['claim', 'from', 'became', 'condition'],
      explain.claims.map(({ claim, from, result, why, when = '' }) => [
        claim,
        from,
        `${result}${why === undefined ? '' : ` (${why})`}`,
        when,
      ]),
    ),
    ...(valuesHidden
      ? ['', `Values are hidden${values ? ': to see them takes the role Claims.ReadValues' : ', as --no-values says'}.`]
      : []),
    ...(person && person.missing.length > 0 ? ['', `A sign-in may know more of the person: ${person.missing.join(', ')}.`] : []),
    ...body.warnings.map(({ path, reason, remedy = '' }) => printable(`! ${path.join('.')}: ${reason}. ${remedy}`.trimEnd())),
    ...ifMatchLines(body.etag, { isDraft: true }),
  ];
}

function section(output: Output, heads: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return rows.length === 0 ? [] : ['', ...output.table(heads, rows)];
}

function askedText(asked: Readonly<Record<string, string>>): string {
  return Object.entries(asked)
    .map(([name, value]) => printable(`${name} ${value}`))
    .join(', ');
}
