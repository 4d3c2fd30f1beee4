import { z } from 'zod';
import { dateFormats, datePattern } from '../plan/dates.js';
import { configurationName, reference } from './names.js';

const text = z.string().min(1).max(1_024);
const output = z.union([z.strictObject({ value: text }), z.strictObject({ from: reference })], {
  error: 'must be { value: text } or { from: reference }',
});
const otherwise = z
  .union([z.enum(['drop', 'keep']), z.strictObject({ default: text }), z.strictObject({ from: reference })], {
    error: 'must be drop, keep, { default: text } or { from: reference }',
  })
  .describe('What becomes of a value that does not match.');
const then = output.optional().describe('What a value that matches becomes; left out, it stays as it is.');

/** Transforms without a parameter; Entra's own names where Entra has the transform (Microsoft: Customize SAML token claims). */
const plainTransform = z.enum(['ToLowercase', 'ToUppercase', 'ExtractMailPrefix', 'GroupName', 'First', 'Sort', 'Unique']);

const joinTransform = z
  .strictObject({
    Join: z.string().max(16).describe('Separator put between the values.'),
    with: z.array(reference).min(1).max(5).optional().describe('More values, appended in this order.'),
  })
  .describe('All values as one text.');

const splitTransform = z
  .strictObject({ Split: z.string().min(1).max(16).describe('Separator at which a value is cut.') })
  .describe('One value as several; empty parts are dropped.');

const bytesTransform = z
  .strictObject({ Format: z.enum(['guid', 'sid', 'base64']) })
  .describe('Bytes as text: an objectGUID, an objectSid, or Base64 (as in ImmutableID).');

const dateTransform = z
  .strictObject({
    Format: z.union([z.enum(['date', 'dateTime', 'epoch']), z.string().max(32).regex(datePattern)], {
      error: 'must be date, dateTime, epoch, or a pattern of yyyy MM dd HH mm ss and signs',
    }),
    from: z.enum(dateFormats).describe('How the source writes it.'),
  })
  .describe('A moment, written differently; in UTC.');

const mapTransform = z
  .strictObject({
    Map: z
      .record(z.string().min(1), z.string().min(1))
      .refine((table) => new Set(Object.keys(table).map((key) => key.toLowerCase())).size === Object.keys(table).length, {
        error: 'has two entries that differ only in case',
      })
      .describe('Value → value; values compare ignoring case.'),
    otherwise: z
      .union([z.enum(['drop', 'keep']), z.strictObject({ default: z.string().min(1) })], {
        error: 'must be drop, keep or { default: text }',
      })
      .default('drop')
      .describe('What becomes of a value that the table lacks.'),
  })
  .describe('A table of values.');

const testTransform = <const Name extends string>(name: Name, what: string) =>
  z
    .strictObject({ [name]: text.describe(what), then, otherwise: otherwise.default('drop') } as {
      [key in Name]: typeof text;
    } & { then: typeof then; otherwise: z.ZodDefault<typeof otherwise> })
    .describe('Each value by whether it matches; texts compare ignoring case.');

const containsTransform = testTransform('Contains', 'What the value has to contain.');
const startWithTransform = testTransform('StartWith', 'What the value has to begin with.');
const endWithTransform = testTransform('EndWith', 'What the value has to end with.');

const extractTransform = z
  .strictObject({
    Extract: z
      .strictObject({ after: text.optional(), before: text.optional() })
      .refine(({ after, before }) => (after ?? before) !== undefined, { error: 'must have after, before or both' }),
    otherwise: otherwise.default('drop'),
  })
  .describe('The part of a value after one text, before another, or between two.');

const alphaTransform = z
  .strictObject({ ExtractAlpha: z.enum(['prefix', 'suffix']) })
  .describe('The letters at one end of a value.');
const numericTransform = z
  .strictObject({ ExtractNumeric: z.enum(['prefix', 'suffix']) })
  .describe('The digits at one end of a value.');

const ifEmptyTransform = z
  .strictObject({ IfEmpty: output })
  .describe('What stands in where there is no value. A source that does not answer is not empty.');
const ifNotEmptyTransform = z
  .strictObject({ IfNotEmpty: output, otherwise: output.optional() })
  .describe('What stands in where there is a value.');

const substringTransform = z
  .strictObject({
    Substring: z.strictObject({
      start: z.int().min(0).max(10_000).describe('The first character, counted from 0.'),
      length: z.int().min(1).max(10_000).optional().describe('How many characters; left out: to the end.'),
    }),
  })
  .describe('A part of each value, by position.');

const regexTransform = z
  .strictObject({
    RegexReplace: z.string().min(1).describe('A regular expression in RE2’s syntax, with named groups.'),
    with: z.string().max(1_024).describe('What a value that matches becomes; {name} is a named group or a parameter.'),
    parameters: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), reference)
      .optional()
      .describe('More values for the text.'),
    otherwise: otherwise.default('keep'),
  })
  .describe('Each value rewritten by a regular expression.');

const filterTransform = z
  .strictObject({
    Filter: z
      .strictObject({
        equals: z.array(text).min(1).optional(),
        startsWith: text.optional(),
        endsWith: text.optional(),
        contains: text.optional(),
        matches: z.string().min(1).optional().describe('A regular expression in RE2’s syntax.'),
        not: z.boolean().default(false).describe('true: what fulfils them is dropped instead.'),
      })
      .refine(({ equals, ...tests }) => equals !== undefined || Object.values(tests).some((test) => typeof test === 'string'), {
        error: 'must have equals, startsWith, endsWith, contains or matches',
      }),
  })
  .describe('Only the values that fulfil every test; texts compare ignoring case.');

const secretName = configurationName.describe('The name of a secret of the operator’s configuration.');
const hashTransform = z
  .strictObject({ Hash: z.enum(['sha256', 'sha512']), secret: secretName })
  .describe('HMAC of each value under a secret, in hexadecimal: without the secret, values that can be guessed could be found.');
const pairwiseTransform = z
  .strictObject({ Pairwise: secretName })
  .describe('A pseudonym of each value that differs from application to application and from tenant to tenant.');

const written = z.union([
  plainTransform,
  joinTransform,
  splitTransform,
  bytesTransform,
  dateTransform,
  mapTransform,
  containsTransform,
  startWithTransform,
  endWithTransform,
  extractTransform,
  alphaTransform,
  numericTransform,
  ifEmptyTransform,
  ifNotEmptyTransform,
  substringTransform,
  regexTransform,
  filterTransform,
  hashTransform,
  pairwiseTransform,
]);

export type TransformDocument = z.output<typeof written>;

/** By the key that names them; Format has two forms. */
const byName: Readonly<Record<string, z.ZodType<TransformDocument> | undefined>> = {
  Join: joinTransform,
  Split: splitTransform,
  Map: mapTransform,
  Contains: containsTransform,
  StartWith: startWithTransform,
  EndWith: endWithTransform,
  Extract: extractTransform,
  ExtractAlpha: alphaTransform,
  ExtractNumeric: numericTransform,
  IfEmpty: ifEmptyTransform,
  IfNotEmpty: ifNotEmptyTransform,
  Substring: substringTransform,
  RegexReplace: regexTransform,
  Filter: filterTransform,
  Hash: hashTransform,
  Pairwise: pairwiseTransform,
};

function schemaOf(input: object): z.ZodType<TransformDocument> | undefined {
  if (Object.hasOwn(input, 'Format')) return Object.hasOwn(input, 'from') ? dateTransform : bytesTransform;
  const name = Object.keys(input).find((key) => Object.hasOwn(byName, key));
  return name === undefined ? undefined : byName[name];
}

/** One transform. It is read by the schema of the one that it names, so that what is wrong with it is said where it is. */
export const transformDocument = z
  .unknown()
  .transform((input, context): TransformDocument => {
    const schema =
      typeof input === 'string' ? plainTransform : typeof input === 'object' && input !== null ? schemaOf(input) : undefined;
    const result = schema?.safeParse(input);
    if (result?.success) return result.data;
    if (result === undefined || typeof input === 'string')
      context.addIssue({
        code: 'custom',
        message: `is not a transform; there are ${[...plainTransform.options, 'Format', ...Object.keys(byName)].join(', ')}`,
      });
    else
      for (const issue of result.error.issues)
        for (const key of issue.code === 'unrecognized_keys' ? issue.keys : [undefined])
          context.addIssue({
            code: 'custom',
            path: key === undefined ? issue.path : [...issue.path, key],
            message: key === undefined ? issue.message : 'is not a known key',
          });
    return z.NEVER;
  })
  .meta({ id: 'transform' });

/** The JSON Schema of a transform: every form of it. */
export function transformJsonSchema(): object {
  const { $schema: _$schema, ...schema } = z.toJSONSchema(written, { io: 'input' });
  return schema;
}

export type OutputDocument = z.output<typeof output>;
export type OtherwiseDocument = z.output<typeof otherwise>;
