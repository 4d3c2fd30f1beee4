import { z } from 'zod';

/** Transforms without a parameter; Entra's own names where Entra has the transform (Microsoft: claims customization reference). */
const plainTransform = z.enum(['ToLowercase', 'ToUppercase', 'ExtractMailPrefix', 'GroupName', 'First', 'Sort', 'Unique']);

const joinTransform = z
  .strictObject({ Join: z.string().max(16).describe('Separator put between the values.') })
  .describe('All values as one text.');

const splitTransform = z
  .strictObject({ Split: z.string().min(1).max(16).describe('Separator at which a value is cut.') })
  .describe('One value as several; empty parts are dropped.');

const formatTransform = z
  .strictObject({ Format: z.enum(['guid', 'sid', 'base64']) })
  .describe('Bytes as text: an objectGUID, an objectSid, or Base64 (as in ImmutableID).');

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

export const transformDocument = z.union([plainTransform, joinTransform, splitTransform, formatTransform, mapTransform], {
  error: (issue) =>
    typeof issue.input === 'string'
      ? `is not a transform; those without a parameter are ${plainTransform.options.join(', ')}`
      : 'must be the name of a transform, { Join: separator }, { Split: separator }, { Format: guid|sid|base64 } or { Map: { value: value }, otherwise: drop|keep|{ default: text } }',
});

export type TransformDocument = z.output<typeof transformDocument>;
