import { configurationName, guid, subjectProperties } from '#claims';
import { z } from 'zod';
import { mappingDocument } from './mapping.js';
import { issue } from './problem.js';

const property = z.string().min(1).max(1_024);

const person = z
  .partialRecord(z.enum(subjectProperties), property)
  .refine((given) => Object.keys(given).length > 0, { error: 'needs at least one property of the person, such as id' })
  .describe(
    'The properties of the person that are known, such as id, userPrincipalName or mail, and no others: nothing is asked of Entra. An event of a sign-in gives all of them.',
  );

const which = z
  .union(
    [
      z.strictObject({
        name: configurationName,
        version: z.union([z.enum(['published', 'draft']), z.int().min(1)]).default('published'),
      }),
      z.strictObject({ document: mappingDocument }),
    ],
    { error: 'must be { name, version } or { document }' },
  )
  .describe(
    'A version of a mapping, or a document that is not saved, as if it were in force. Without it, what is in force decides.',
  );

/** Who signs in where, and by which mapping. */
export const previewRequest = z
  .strictObject({
    tenant: configurationName,
    application: guid.optional().describe('Whom the token would be for.'),
    client: guid.optional().describe('The client application that asks for the token; the application itself by default.'),
    extension: guid.optional().describe('The custom authentication extension that calls.'),
    protocol: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe('In Entra’s words, such as OAUTH2.0, for conditions that ask for it.'),
    person: z.union([person, z.null()]).optional().describe('null: a service signs in, there is no person.'),
    event: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('An event as Entra sends it, instead of application, client, extension, protocol and person.'),
    mapping: which.optional(),
    values: z
      .boolean()
      .default(true)
      .describe('false: hides values also from who may see them. Who lacks Claims.ReadValues sees none.'),
  })
  .superRefine((request, context) => {
    const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if (request.event) {
      for (const key of ['application', 'client', 'extension', 'protocol', 'person'] as const)
        if (request[key] !== undefined) refuse(key, 'is in the event already');
      return;
    }
    if (request.application === undefined) refuse('application', 'is missing: say application and person, or paste an event');
    if (request.person === undefined) refuse('person', 'is missing: say who signs in, or null for a service');
  })
  .meta({
    id: 'PreviewRequest',
    examples: [
      {
        tenant: 'contoso',
        application: '3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9a01',
        person: { onPremisesSecurityIdentifier: 'S-1-5-21-1004336348-1177238915-682003330-1104', userType: 'Member' },
        mapping: { name: 'billing-portal', version: 'draft' },
      },
    ],
  });

const values = z.union([z.string(), z.array(z.string())]);

export const preview = z
  .strictObject({
    answer: z
      .enum(['claims', 'failure', 'noMapping'])
      .describe('What a sign-in would get. noMapping: the tenant’s unmappedApplications decides.'),
    code: z.string().optional().describe('The problem code of a failure.'),
    failedClaims: z.array(z.string()).optional().describe('The claims that make it fail.'),
    mapping: z
      .strictObject({
        name: z.string(),
        revision: z.string().describe('Identifies the content.'),
        version: z.union([z.enum(['inForce', 'draft', 'document']), z.int()]),
      })
      .optional(),
    etag: z.string().optional().describe('Of the mapping whose draft was previewed: as If-Match it publishes no other draft.'),
    claims: z.array(
      z.strictObject({
        name: z.string(),
        list: z.boolean(),
        count: z.int().describe('How many values.'),
        value: values.optional().describe('Left out where values are hidden.'),
      }),
    ),
    valuesHidden: z.boolean(),
    deviations: z.array(z.strictObject({ claim: z.string(), why: z.string(), treatment: z.string() })),
    explain: z.strictObject({
      lookups: z.array(
        z.strictObject({
          alias: z.string(),
          use: z.string(),
          outcome: z.enum(['found', 'notFound', 'ambiguous', 'unavailable']),
          reason: z.string().optional(),
          ms: z.number(),
          key: z.enum(subjectProperties).optional().describe('The property that found the person.'),
          asked: z
            .record(z.string(), z.string())
            .optional()
            .describe('What was asked by: the located property or the parameters. Left out where values are hidden.'),
          ageMs: z.number().optional().describe('Of an answer that was kept.'),
          lastKnownAgeMs: z.number().optional(),
          fallback: z.strictObject({ use: z.string(), outcome: z.string() }).optional(),
          degraded: z.boolean(),
        }),
      ),
      claims: z.array(
        z.strictObject({
          claim: z.string(),
          from: z.string(),
          steps: z.array(z.strictObject({ step: z.string(), count: z.int(), values: z.array(z.string()).optional() })),
          result: z.string(),
          why: z.string().optional(),
          when: z
            .enum(['holds', 'fails', 'unproven', 'unavailable'])
            .optional()
            .describe('What the claim’s condition came to. unproven: it asks for what the person or a source does not have.'),
        }),
      ),
    }),
    person: z
      .strictObject({
        known: z.array(z.enum(subjectProperties)),
        missing: z
          .array(z.enum(subjectProperties))
          .describe('What mapping and lookups read of the person, and was not given: a sign-in may have it.'),
      })
      .optional(),
    ms: z.number(),
    deadlineMs: z.int().describe('The time that a sign-in has.'),
    size: z.strictObject({ bytes: z.int(), limit: z.int() }),
    warnings: z.array(issue),
  })
  .meta({
    id: 'Preview',
    examples: [
      {
        answer: 'claims',
        mapping: { name: 'billing-portal', revision: '9f86d081884c', version: 'draft' },
        etag: '"8"',
        claims: [{ name: 'department', list: false, count: 1 }],
        valuesHidden: true,
        deviations: [],
        explain: {
          lookups: [
            {
              alias: 'person',
              use: 'corp-ad.user',
              outcome: 'found',
              ms: 4.1,
              key: 'onPremisesSecurityIdentifier',
              degraded: false,
            },
          ],
          claims: [{ claim: 'department', from: 'person.department', steps: [{ step: 'from', count: 1 }], result: 'value' }],
        },
        person: { known: ['userType', 'onPremisesSecurityIdentifier'], missing: [] },
        ms: 4.9,
        deadlineMs: 700,
        size: { bytes: 19, limit: 3_000 },
        warnings: [],
      },
    ],
  });

export type PreviewRequest = z.output<typeof previewRequest>;
export type PreviewBody = z.output<typeof preview>;
