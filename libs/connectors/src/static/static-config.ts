import { configurationName, type LocateRule } from '#claims';
import { z } from 'zod';
import { fileReference, lookupCache, lookupParameters, sourceKeys } from '../connector.js';
import { checkTrust, locateRuleKeys } from '../locate-rule.js';
import { tableOfRecords } from './read-table.js';
import { missingColumn, type Table } from './table.js';

const column = z.string().min(1);

const locateRule = z
  .strictObject({ ...locateRuleKeys, column: column.describe('The column that has the key.') })
  .superRefine(checkTrust);

const lookup = z
  .strictObject({
    locate: z.array(locateRule).min(1).optional().describe('How this source finds the person signing in.'),
    parameters: lookupParameters,
    match: z
      .record(column, z.string())
      .optional()
      .describe('Which column must be the same as which parameter; all of them must.'),
    cache: lookupCache,
    ignoreCase: z.boolean().default(false).describe('Whether A finds a.'),
  })
  .superRefine((document, context) => {
    const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    const { locate, parameters, match } = document;
    if (locate) {
      if (parameters) refuse('parameters', 'is not allowed beside locate');
      if (match) refuse('match', 'is not allowed beside locate: each rule has its own column');
    } else if (!parameters || !match) {
      refuse('locate', 'is missing: a lookup has either locate, or parameters and match');
    } else if (new Set(parameters).size < parameters.length) {
      refuse('parameters', 'names a parameter twice');
    } else {
      const used = new Set(Object.values(match));
      if (used.size !== parameters.length || !parameters.every((name) => used.has(name)))
        refuse('match', `must use exactly the parameters ${parameters.join(', ')}`);
    }
  })
  .transform(({ locate, parameters = [], match = {}, cache, ignoreCase }) => ({
    cache,
    parameters: parameters as readonly string[],
    locate: (locate ?? []).map(({ key, when, fallThrough }): LocateRule => ({ key, when, fallThrough })),
    /** By locate rule, each a column with the name of its parameter; a lookup with parameters has one. */
    keys: locate ? locate.map((rule) => [[rule.column, 'value'] as const]) : [Object.entries(match)],
    ignoreCase,
  }));

const text = z.string({ error: 'must be text: write numbers and the like in quotes' });

/** The configuration of a source of type `static`; README.md describes every key. */
export const staticConfig = z
  .strictObject({
    ...sourceKeys('static'),
    file: fileReference
      .optional()
      .describe('The file that holds the table, relative to the configuration; read again when it changes.'),
    format: z.enum(['csv', 'yaml']).optional().describe('What the file is; its ending says so by default.'),
    delimiter: z.string().length(1).optional().describe('Between the columns of CSV, a comma by default.'),
    separators: z
      .record(column, z.string().min(1))
      .optional()
      .describe('By column of CSV: what stands between its values, where it has several.'),
    records: z
      .array(
        z.record(column, z.union([text, z.array(text)], { error: 'must be text or a list of texts; write numbers in quotes' })),
      )
      .optional()
      .describe('The table itself, instead of a file.'),
    lookups: z.record(configurationName, lookup).describe('The questions that mappings may ask, by name.'),
  })
  .transform((document, context) => {
    const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    const { file, format, delimiter = ',', separators = {}, records, ...rest } = document;
    const ending = /\.(csv|ya?ml|json)$/i.exec(file ?? '')?.[1]?.toLowerCase();
    const known = format ?? (ending === undefined ? undefined : ending === 'csv' ? ('csv' as const) : ('yaml' as const));
    if ((file === undefined) === (records === undefined)) refuse('file', 'is needed, or records instead of it');
    if (file !== undefined && known === undefined) refuse('format', 'is needed: the file does not end in .csv, .yaml or .json');
    if (records && format) refuse('format', 'is of a file');
    if (known !== 'csv' && document.delimiter !== undefined) refuse('delimiter', 'is of CSV');
    if (known !== 'csv' && document.separators !== undefined) refuse('separators', 'is of CSV: other tables have lists');
    let table: Table | undefined;
    if (records) {
      const read = tableOfRecords(records);
      const missing = read.kind === 'read' ? missingColumn(read.table, keyColumns(rest)) : undefined;
      if (read.kind === 'malformed') refuse('records', `has ${read.detail}`);
      else if (missing !== undefined) refuse('lookups', `there is no column ${missing}`);
      else ({ table } = read);
    }
    return { ...rest, file, table, reading: { format: known ?? ('yaml' as const), delimiter, separators } };
  });

/** Every column by which a lookup finds. */
export function keyColumns({
  lookups,
}: {
  readonly lookups: Readonly<Record<string, z.output<typeof lookup>>>;
}): readonly string[] {
  return Object.values(lookups).flatMap(({ keys }) => keys.flat().map(([name]) => name));
}

export type StaticConfig = z.output<typeof staticConfig>;
export type StaticLookup = StaticConfig['lookups'][string];
