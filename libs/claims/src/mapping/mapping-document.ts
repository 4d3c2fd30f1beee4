import { z } from 'zod';
import { duration } from '../duration.js';
import { alias, applicationId, claimValue, configurationName, guid, reference } from './names.js';
import { testDocument } from './test-document.js';
import { transformDocument, transformJsonSchema } from './transform-document.js';

const lookupName = z.string().regex(/^[a-z0-9-]+\.[a-z0-9-]+$/, { error: 'must be <source>.<lookup>' });

const lookup = z
  .strictObject({
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
    trustUnverified: z
      .boolean()
      .default(false)
      .describe('Needed for a parameter that the person or another tenant can set, such as subject.mail; then for members only.'),
  })
  .meta({ id: 'lookup' });

const treatment = z.union([z.enum(['fail', 'omit']), z.strictObject({ default: claimValue })], {
  error: 'must be fail, omit or { default: value }',
});

const stalePolicy = z.strictObject({
  stale: duration.describe('The last known value is used while it is not older.'),
  then: treatment.default('fail').describe('Where there is none, or it is older.'),
});

const claim = z
  .strictObject({
    when: z
      .string()
      .min(1)
      .optional()
      .describe(
        'A CEL expression: the claim is given only where it is true. Where it is false the claim is absent, and nothing fails.',
      ),
    from: reference.optional().describe('Where the value comes from: subject.<property> or <lookup>.<attribute>.'),
    value: claimValue.optional().describe('A value that is the same for everybody.'),
    list: z.boolean().default(false).describe('true: the claim is always a list, also with one value.'),
    transform: z.array(transformDocument).max(16).default([]).describe('Applied in order.'),
    whenUnavailable: z
      .union([...treatment.options, stalePolicy], {
        error: 'must be fail, omit, { default: value } or { stale: duration, then: fail|omit|{ default: value } }',
      })
      .default('fail')
      .describe(
        'What the claim becomes where the source did not answer, or several entries matched where one person was asked for; fail where it is left out.',
      ),
    whenMissing: treatment.default('omit').describe('What the claim becomes where the source answered that there is nothing.'),
    acceptDegraded: z.boolean().default(false).describe('Whether what a fallback gave may be the value.'),
  })
  .superRefine((document, context) => {
    if ((document.from === undefined) === (document.value === undefined))
      context.addIssue({ code: 'custom', message: 'must have either from or value' });
  })
  .meta({ id: 'claim' });

const version = z
  .literal(1, { error: 'must be 1, the version of the language that this Claimbridge reads' })
  .default(1)
  .describe('The version of the mapping language.');
const tenant = configurationName.describe('The tenant, by its alias in the operator’s configuration.');
const lookups = z.record(alias, lookup).default({}).describe('What is asked of the sources, each question by a name of its own.');
const claims = z
  .record(
    z.string().regex(/^[A-Za-z][A-Za-z0-9_.:/-]{0,127}$/, {
      error: 'must be a letter followed by letters, digits and _ . : / - (at most 128)',
    }),
    claim,
  )
  .describe('What the answer has, by the names that Entra knows (claimIdInApiResponse), case included.');
const tests = z
  .array(testDocument)
  .max(200)
  .default([])
  .describe('What must come of it; a test that fails refuses the document.');

/**
 * The mapping document: which applications, which lookups, which claims. Unknown keys are refused at every level.
 * Its JSON Schema is published as docs/reference/mapping.schema.json.
 */
export const mappingDocument = z
  .strictObject({
    version,
    name: configurationName.describe('Unique within the tenant.'),
    tenant,
    applications: z
      .union([z.tuple([z.literal('*')]), z.array(applicationId).min(1)], {
        error: 'must be a list of application ids, or ["*"] for the tenant’s fallback',
      })
      .describe(
        'Whom the token is for: the application (client) ids. An access token’s claims belong to the resource’s application. ' +
          '["*"]: the tenant’s fallback, for applications without a mapping of their own.',
      ),
    clients: z.array(guid).min(1).optional().describe('Narrows the mapping to tokens that these client applications ask for.'),
    extensions: z
      .array(guid)
      .min(1)
      .optional()
      .describe('Narrows the mapping to calls of these custom authentication extensions.'),
    include: z
      .array(configurationName)
      .max(16)
      .default([])
      .describe('Claim sets whose lookups and claims the mapping takes over. A claim of its own replaces one of a claim set.'),
    lookups,
    claims: claims.default({}),
    overflow: z
      .union([z.literal('fail'), z.strictObject({ drop: z.array(z.string()).min(1) })], {
        error: 'must be fail or { drop: [claim, …] }',
      })
      .default('fail')
      .describe('What happens where names and values exceed Entra’s limit of 3 KB: fail, or drop these claims in this order.'),
    tests,
  })
  .refine(({ include, claims: own }) => include.length > 0 || Object.keys(own).length > 0, {
    error: 'must have claims or include',
  })
  .meta({ title: 'Mapping' });

/** Lookups and claims that several mappings of the tenant include. */
export const claimSetDocument = z
  .strictObject({
    version,
    claimSet: configurationName.describe('Its name, unique within the tenant among mappings and claim sets.'),
    tenant,
    lookups,
    claims,
    tests,
  })
  .meta({ title: 'Claim set' });

export type ClaimSetDocument = z.output<typeof claimSetDocument>;
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

/** What a document says of itself, as far as it says so: whether or not it is valid. */
export interface DocumentIdentity {
  readonly kind: 'mapping' | 'claimSet';
  readonly tenant?: string;
  readonly name?: string;
  /** In lower case; `*` for the fallback. Absent where they cannot be told, and for a claim set. */
  readonly applications?: readonly string[];
  /** The claim sets that it includes. */
  readonly include: readonly string[];
}

/** Which document this is. For everybody who files documents without compiling them. */
export function identifyDocument(document: unknown): DocumentIdentity {
  const fields = (typeof document === 'object' && document !== null ? document : {}) as Readonly<Record<string, unknown>>;
  const kind = Object.hasOwn(fields, 'claimSet') ? 'claimSet' : 'mapping';
  const text = (key: string): string | undefined => {
    const value = Object.hasOwn(fields, key) ? fields[key] : undefined;
    return typeof value === 'string' ? value : undefined;
  };
  const texts = (key: string): readonly string[] => {
    const value = Object.hasOwn(fields, key) ? fields[key] : undefined;
    return Array.isArray(value) && value.every((entry) => typeof entry === 'string') ? value : [];
  };
  const [documentTenant, name] = [text('tenant'), text(kind === 'claimSet' ? 'claimSet' : 'name')];
  const applications = kind === 'claimSet' ? [] : texts('applications');
  return {
    kind,
    ...(documentTenant !== undefined && { tenant: documentTenant }),
    ...(name !== undefined && { name }),
    ...(applications.length > 0 && { applications: applications.map((application) => application.toLowerCase()) }),
    include: texts('include'),
  };
}

/** A name and no address: nobody is asked for it. */
const schemaId = 'urn:claimbridge:schema:mapping:1';

/** The JSON Schema (draft 2020-12) of mappings and claim sets, as editors and other tools read it. */
export function mappingJsonSchema(): object {
  const schema = z.toJSONSchema(z.union([mappingDocument, claimSetDocument]), {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema === transformDocument) Object.assign(jsonSchema, transformJsonSchema());
      if (zodSchema === claim) jsonSchema.oneOf = [{ required: ['from'] }, { required: ['value'] }];
    },
  });
  const { $schema, ...rest } = schema;
  return { $schema, $id: schemaId, title: 'Claimbridge mapping or claim set', ...rest };
}
