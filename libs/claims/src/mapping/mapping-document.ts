import { z } from 'zod';
import { duration } from '../duration.js';
import { claimValue, guid } from './claim-value.js';
import { testDocument } from './test-document.js';
import { transformDocument } from './transform-document.js';

/** Names of mappings, tenants, sources and lookups. */
export const configurationName = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, { error: 'must be 1 to 63 lower-case letters, digits and hyphens' });

const alias = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, { error: 'must be a letter followed by letters, digits and _ (at most 63)' })
  .refine((text) => !['subject', 'application', 'tenant', 'event'].includes(text), { error: 'is a reserved word' });

const reference = z.string().regex(/^[A-Za-z][A-Za-z0-9_]*\.[A-Za-z0-9][A-Za-z0-9_.;-]*$/, {
  error: 'must be subject.<property> or <lookup>.<attribute>',
});

const lookupName = z.string().regex(/^[a-z0-9-]+\.[a-z0-9-]+$/, { error: 'must be <source>.<lookup>' });

const lookup = z.strictObject({
  use: lookupName.describe('The lookup, as <source>.<lookup> of the operator’s configuration.'),
  with: z
    .record(z.string().min(1), reference)
    .optional()
    .describe('The lookup’s parameters, each from a property of the subject or an attribute of another lookup.'),
  keepLastKnown: duration
    .refine((milliseconds) => milliseconds > 0 && milliseconds <= 7 * 86_400_000, {
      error: 'must be at most 7d, and not nothing',
    })
    .optional()
    .describe('The last answer is kept that long, for claims that say stale.'),
  fallback: z
    .array(lookupName)
    .min(1)
    .max(4)
    .optional()
    .describe('Lookups of other sources, asked in order while this one is unavailable. What they give is degraded.'),
  acceptDegraded: z.boolean().default(false).describe('Whether what a fallback gave may be a parameter of this lookup.'),
});

const treatment = z.union([z.enum(['fail', 'omit']), z.strictObject({ default: claimValue })], {
  error: 'must be fail, omit or { default: value }',
});

const stalePolicy = z.strictObject({
  stale: duration.describe('The last known value is used while it is not older.'),
  then: treatment.default('fail').describe('Where there is none, or it is older.'),
});

const claim = z
  .strictObject({
    from: reference.optional().describe('Where the value comes from: subject.<property> or <lookup>.<attribute>.'),
    value: claimValue.optional().describe('A value that is the same for everybody.'),
    list: z.boolean().default(false).describe('true: the claim is always a list, also with one value.'),
    transform: z.array(transformDocument).max(16).default([]).describe('Applied in order.'),
    whenUnavailable: z
      .union([...treatment.options, stalePolicy], {
        error: 'must be fail, omit, { default: value } or { stale: duration, then: fail|omit|{ default: value } }',
      })
      .default('fail')
      .describe('The source did not answer, or several entries matched where one person was asked for.'),
    whenMissing: treatment.default('omit').describe('The source answered that there is nothing.'),
    acceptDegraded: z.boolean().default(false).describe('Whether what a fallback gave may be the value.'),
  })
  .superRefine((document, context) => {
    if ((document.from === undefined) === (document.value === undefined))
      context.addIssue({ code: 'custom', message: 'must have either from or value' });
  });

/**
 * The mapping document: which applications, which lookups, which claims. Unknown keys are refused at every level.
 * Its JSON Schema is published as docs/reference/mapping.schema.json.
 */
export const mappingDocument = z
  .strictObject({
    version: z
      .literal(1, { error: 'must be 1, the version of the language that this Claimbridge reads' })
      .default(1)
      .describe('The version of the mapping language.'),
    name: configurationName.describe('Unique within the tenant.'),
    tenant: configurationName.describe('The tenant, by its alias in the operator’s configuration.'),
    applications: z
      .array(guid)
      .min(1)
      .describe(
        'Whom the token is for: the application (client) ids. An access token’s claims belong to the resource’s application.',
      ),
    clients: z.array(guid).min(1).optional().describe('Narrows the mapping to tokens that these client applications ask for.'),
    extensions: z
      .array(guid)
      .min(1)
      .optional()
      .describe('Narrows the mapping to calls of these custom authentication extensions.'),
    lookups: z.record(alias, lookup).default({}),
    claims: z.record(
      z.string().regex(/^[A-Za-z][A-Za-z0-9_.:/-]{0,127}$/, {
        error: 'must be a letter followed by letters, digits and _ . : / - (at most 128)',
      }),
      claim,
    ),
    overflow: z
      .union([z.literal('fail'), z.strictObject({ drop: z.array(z.string()).min(1) })], {
        error: 'must be fail or { drop: [claim, …] }',
      })
      .default('fail')
      .describe('What happens where names and values exceed Entra’s limit of 3 KB: fail, or drop these claims in this order.'),
    tests: z
      .array(testDocument)
      .max(200)
      .default([])
      .describe('What the mapping must give; a test that fails refuses the mapping.'),
  })
  .meta({ title: 'Claimbridge mapping' });

export type MappingDocument = z.output<typeof mappingDocument>;
export type ClaimDocument = MappingDocument['claims'][string];
export type LookupDocument = MappingDocument['lookups'][string];
/** What a claim becomes without a value. */
export type TreatmentDocument = ClaimDocument['whenMissing'];

/** One reason why a document is refused, or one thing in it that its author should know. */
export interface ConfigurationIssue {
  /** Where in the document, from the top: property names and list indexes. */
  readonly path: readonly (string | number)[];
  readonly reason: string;
  /** What to write instead, where that can be said. */
  readonly remedy?: string;
  /** The name of the document that it is in, where that is another one of the same tenant. */
  readonly document?: string;
}

/** zod's findings in our shape, unknown keys each at its own path. */
export function configurationIssues(error: z.ZodError): readonly ConfigurationIssue[] {
  return error.issues.flatMap((issue): ConfigurationIssue[] => {
    const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({ path: [...path, key], reason: 'is not a known key' }));
    if (issue.code === 'invalid_key') return [{ path, reason: `the name ${issue.issues[0]?.message ?? 'is not valid'}` }];
    return [{ path, reason: issue.message }];
  });
}

/** The JSON Schema (draft 2020-12) of the mapping document, as editors and other tools read it. */
export function mappingJsonSchema(): object {
  return z.toJSONSchema(mappingDocument, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema === claim) jsonSchema.oneOf = [{ required: ['from'] }, { required: ['value'] }];
    },
  });
}
