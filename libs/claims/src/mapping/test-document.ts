import { z } from 'zod';
import { duration } from '../duration.js';
import { subjectProperties, type SubjectProperty } from '../subject.js';
import { claimValue, guid } from './names.js';

const bytes = z.strictObject({ base64: z.base64().min(1) }).describe('Bytes, such as an objectGUID.');
const attributeValue = z.union([z.string().min(1), bytes], { error: 'must be a text, or { base64: … } for bytes' });
const attributes = z
  .record(
    z.string().min(1),
    z.union([attributeValue, z.array(attributeValue).min(1)], { error: 'must be a value or a list of values' }),
  )
  .describe('The attributes that the lookup finds.');

const instead = z
  .strictObject({
    lastKnown: attributes.optional().describe('What the source last answered.'),
    age: duration.optional().describe('How old that is.'),
    fallback: z
      .union([attributes, z.literal('notFound')])
      .optional()
      .describe('What the lookup’s fallback answers.'),
  })
  .refine(
    ({ lastKnown, age, fallback }) => (lastKnown === undefined) === (age === undefined) && (lastKnown ?? fallback) !== undefined,
    {
      error: 'must have lastKnown with its age, or fallback, or both',
    },
  )
  .describe('The source is unavailable, and this stands in for it.');

const given = z.union(
  [
    z.enum(['notFound', 'ambiguous', 'unavailable']),
    instead.transform((stated) => ({ kind: 'instead' as const, ...stated })),
    attributes.transform((stated) => ({ kind: 'found' as const, attributes: stated })),
  ],
  {
    error:
      'must be attributes, notFound, ambiguous, unavailable, { lastKnown: attributes, age: duration } or { fallback: attributes }',
  },
);

/** As an event gives it: ids are in lower case there, however Entra writes them. */
function propertyDocument(property: SubjectProperty): z.ZodString {
  const text = z.string().min(1);
  return property === 'id' ? text.toLowerCase() : text;
}

/** One test beside a mapping: a person, what the sources answer, and what must come of it. */
export const testDocument = z
  .strictObject({
    name: z.string().min(1).max(200).describe('What it shows, in words.'),
    subject: z
      .strictObject(
        Object.fromEntries(subjectProperties.map((property) => [property, propertyDocument(property).optional()])) as Record<
          SubjectProperty,
          z.ZodOptional<z.ZodString>
        >,
      )
      .nullable()
      .default({})
      .describe('The person, by the properties that Entra’s event has; null where a service signs in.'),
    application: guid.optional().describe('Whom the token is for; the mapping’s first application where it is left out.'),
    client: guid.optional().describe('The client application that asks for the token.'),
    extension: guid.optional().describe('The custom authentication extension that calls.'),
    protocol: z.string().min(1).optional().describe('The protocol of the sign-in in Entra’s words, such as OAUTH2.0 or SAML.'),
    given: z
      .record(z.string(), given)
      .default({})
      .describe('What each lookup answers, by its name in this mapping. A lookup that is left out finds nobody.'),
    expect: z
      .record(z.string(), claimValue.nullable())
      .optional()
      .describe('The claims that must come of it; null: the claim must be absent. Claims that are left out are not looked at.'),
    fails: z
      .enum(['claims.unavailable', 'claims.missing', 'claims.tooLarge'])
      .optional()
      .describe('The code with which the answer must fail, so that there is no token.'),
  })
  .superRefine(({ expect, fails }, context) => {
    if ((expect === undefined) === (fails === undefined))
      context.addIssue({ code: 'custom', message: 'must have either expect or fails' });
  })
  .meta({ id: 'test' });

export type TestDocument = z.output<typeof testDocument>;
export type GivenDocument = TestDocument['given'][string];
export type GivenAttributes = z.output<typeof attributes>;
