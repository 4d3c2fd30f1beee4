import { configurationName, guid } from '#claims';
import { z } from 'zod';
import { flag, mappingKey, page } from './input.js';
import { issue } from './problem.js';

const time = z.iso.datetime();

const exampleDocument = {
  name: 'billing-portal',
  tenant: 'contoso',
  applications: ['3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9a01'],
  lookups: { person: { use: 'corp-ad.user' } },
  claims: { department: { from: 'person.department', whenUnavailable: 'omit' } },
};

const exampleAuthor = { id: '5d1f0c3e-9a4b-4c2d-8e7f-6a5b4c3d2e1f', name: 'Adele Vance', address: '192.0.2.7' };

export const actor = z
  .strictObject({
    id: z.string().describe('The object id of the person or of the application’s service principal.'),
    name: z.string().optional(),
    address: z.string().optional(),
  })
  .meta({ id: 'Actor' });

/** A mapping document as it is written: `GET /admin/v1/schemas/mapping` has its JSON Schema. A draft may be unfinished. */
export const mappingDocument = z
  .record(z.string(), z.unknown())
  .describe('A mapping document; /admin/v1/schemas/mapping has its JSON Schema. A draft may be unfinished.')
  .meta({ id: 'MappingDocument', examples: [exampleDocument] });

export const revision = z
  .strictObject({
    number: z.int().min(1),
    revision: z.string().describe('Identifies the content; the log line of a sign-in names it.'),
    author: actor,
    at: time,
    comment: z.string(),
    rolledBackTo: z.int().optional().describe('The number of the revision that it brought back.'),
  })
  .meta({
    id: 'Revision',
    examples: [
      {
        number: 3,
        revision: '9f86d081884c',
        author: exampleAuthor,
        at: '2026-11-26T08:00:00.000Z',
        comment: 'Department for the portal',
      },
    ],
  });

const draftKeys = {
  author: actor,
  at: time,
  basedOn: z.int().optional().describe('The number of the revision that it started from.'),
};

export const mapping = z
  .strictObject({
    tenant: z.string(),
    name: z.string(),
    kind: z
      .enum(['mapping', 'claimSet'])
      .describe('What its newest revision is, or its draft while nothing was published: a claim set has no applications.'),
    version: z.int().describe('Changes with every change, the draft’s included; the ETag is this number in quotes.'),
    published: revision.optional().describe('The revision in force.'),
    draft: z.strictObject(draftKeys).optional().describe('What is being worked on.'),
    deleted: z.strictObject({ by: actor, at: time }).optional().describe('It is out of force; restore brings it back.'),
  })
  .meta({
    id: 'Mapping',
    examples: [
      {
        tenant: 'contoso',
        name: 'billing-portal',
        kind: 'mapping',
        version: 7,
        published: {
          number: 3,
          revision: '9f86d081884c',
          author: exampleAuthor,
          at: '2026-11-26T08:00:00.000Z',
          comment: 'Department for the portal',
        },
        draft: { author: exampleAuthor, at: '2026-11-26T09:30:00.000Z', basedOn: 3 },
      },
    ],
  });

export const mappingPage = z.strictObject({ items: z.array(mapping), next: z.string().optional() }).meta({ id: 'MappingPage' });

export const mappingFilter = z.strictObject({
  tenant: configurationName.optional().describe('Of this tenant only.'),
  name: z.string().min(1).max(63).optional().describe('Part of the name, ignoring case.'),
  application: guid.optional().describe('Whose version in force or draft names this application.'),
  state: z.enum(['published', 'draft', 'deleted']).optional(),
  ...page,
});

export const pageOnly = z.strictObject(page);

export const revisionPage = z
  .strictObject({ items: z.array(revision), next: z.string().optional() })
  .meta({ id: 'RevisionPage' });

export const revisionKey = mappingKey.extend({
  number: z.union([z.literal('published'), z.coerce.number().int().min(1)], {
    error: 'must be the number of a revision, or published',
  }),
});

export const revisionDocument = z.strictObject({ ...revision.shape, document: mappingDocument }).meta({ id: 'RevisionDocument' });

export const draftDocument = z.strictObject({ ...draftKeys, document: mappingDocument }).meta({ id: 'DraftDocument' });

const version = z.union([z.enum(['draft', 'published']), z.coerce.number().int().min(1)], {
  error: 'must be draft, published or the number of a revision',
});

export const diffQuery = z.strictObject({
  from: version.default('published').describe('draft, published, or the number of a revision.'),
  to: version.default('draft').describe('As from.'),
});

const part = z.strictObject({
  part: z.string().describe('Such as the transform of a claim.'),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
});

/** What a change means, not which lines differ. */
export const difference = z
  .strictObject({
    kind: z.enum(['mapping', 'claimSet', 'application', 'client', 'extension', 'include', 'lookup', 'claim', 'test']),
    name: z.string().describe('Of the claim, lookup or test; the id of the application.'),
    change: z.enum(['added', 'removed', 'changed']),
    parts: z.array(part).describe('Each part that differs.'),
  })
  .meta({
    id: 'Difference',
    examples: [
      {
        kind: 'claim',
        name: 'department',
        change: 'changed',
        parts: [{ part: 'whenUnavailable', before: 'fail', after: 'omit' }],
      },
    ],
  });

export const diff = z
  .strictObject({
    from: z.union([z.string(), z.int()]),
    to: z.union([z.string(), z.int()]),
    differences: z.array(difference).describe('Empty: they mean the same, however they are written.'),
  })
  .meta({ id: 'Diff' });

const comment = z.string().max(1_000).default('').describe('Why; it stays with the revision.');

export const publishRequest = z
  .strictObject({ comment })
  .prefault({})
  .meta({ id: 'PublishRequest', examples: [{ comment: 'Department for the portal' }] });

export const rollBackRequest = z
  .strictObject({ to: z.int().min(1).describe('The number of the revision that comes back, as a new one.'), comment })
  .meta({ id: 'RollBackRequest', examples: [{ to: 2, comment: 'The department broke the portal' }] });

export const validation = z
  .strictObject({
    valid: z.boolean().describe('Whether it could be published beside what is in force now.'),
    issues: z.array(issue),
    warnings: z.array(issue),
    tests: z.array(
      z.strictObject({ name: z.string(), passed: z.boolean(), why: z.array(z.string()).describe('A line for each difference.') }),
    ),
    size: z
      .strictObject({
        limit: z.int(),
        least: z.int().describe('Bytes of names and values at least.'),
        most: z.int().optional().describe('At most; absent where a claim is unbounded.'),
        claims: z.array(
          z.strictObject({
            claim: z.string(),
            least: z.int(),
            most: z.int().optional(),
            unbounded: z.enum(['values', 'length']).optional(),
          }),
        ),
      })
      .optional()
      .describe('Where it compiles.'),
  })
  .meta({
    id: 'Validation',
    examples: [
      {
        valid: false,
        issues: [{ path: ['claims', 'department', 'from'], reason: 'there is no lookup persn in this mapping' }],
        warnings: [],
        tests: [],
      },
    ],
  });

export const exportQuery = z.strictObject({
  tenant: configurationName.optional().describe('Of this tenant only.'),
  drafts: flag.describe('Takes the draft where there is one, and documents that were never published.'),
});

const formatName = 'claimbridge-mappings/1';

export const exported = z
  .strictObject({ format: z.literal(formatName), documents: z.array(mappingDocument) })
  .meta({ id: 'MappingExport', examples: [{ format: formatName, documents: [exampleDocument] }] });

export const importQuery = z.strictObject({
  tenant: configurationName.optional().describe('Refuses documents of any other tenant.'),
  dryRun: flag.describe('Says what would become of each document, and changes nothing.'),
  replaceDrafts: flag.describe('Replaces drafts that are being worked on; without it they are conflicts.'),
});

export const importRequest = z
  .strictObject({ format: z.literal(formatName), documents: z.array(mappingDocument).min(1).max(20_000) })
  .meta({ id: 'MappingImport', examples: [{ format: formatName, documents: [exampleDocument] }] });

export const importReport = z
  .strictObject({
    dryRun: z.boolean(),
    items: z.array(
      z.strictObject({
        index: z.int().describe('Which document of the import.'),
        tenant: z.string().optional(),
        name: z.string().optional(),
        version: z
          .int()
          .optional()
          .describe(
            'The mapping’s version: in a dry run the one that was looked at (0: there is none), otherwise the one that it has now. Absent where the document was not compared.',
          ),
        result: z
          .enum(['created', 'changed', 'unchanged', 'conflict', 'refused'])
          .describe('created and changed: it is a draft now, and not in force. unchanged: it is what is in force.'),
        issues: z.array(issue),
        differences: z.array(difference).describe('Against what is in force.'),
      }),
    ),
  })
  .meta({ id: 'ImportReport' });

export type DifferenceBody = z.output<typeof difference>;
export type MappingBody = z.output<typeof mapping>;
export type RevisionBody = z.output<typeof revision>;
export type RevisionDocumentBody = z.output<typeof revisionDocument>;
export type DraftBody = z.output<typeof draftDocument>;
export type DiffBody = z.output<typeof diff>;
export type DiffVersion = z.output<typeof version>;
export type ValidationBody = z.output<typeof validation>;
export type ExportBody = z.output<typeof exported>;
export type ImportBody = z.output<typeof importReport>;
