import { z } from 'zod';

/** Names of mappings, claim sets, tenants, sources, lookups and secrets. */
export const configurationName = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, { error: 'must be 1 to 63 lower-case letters, digits and hyphens' });

const guidReason = 'must be a GUID (8-4-4-4-12 hexadecimal digits)';
const guidSaying = (reasonFor: (input: unknown) => string) =>
  z
    .string()
    // Without the flag i, which the published schemas cannot say.
    .regex(/^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/, {
      error: ({ input }) => reasonFor(input),
    })
    .transform((text) => text.toLowerCase());

/** Ids of Entra: written in any case, lower-case from then on. */
export const guid = guidSaying(() => guidReason);

export const applicationId = guidSaying((input) =>
  input === '*' ? 'must be "*" alone, for the tenant’s fallback, or application ids' : guidReason,
);

/** Words that stand for something else where a lookup's alias could stand: in references and conditions. */
const reserved = ['subject', 'application', 'client', 'extension', 'protocol', 'tenant', 'event'];

export const alias = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, { error: 'must be a letter followed by letters, digits and _ (at most 63)' })
  .refine((text) => !reserved.includes(text), { error: 'is a reserved word' });

export const reference = z.string().regex(/^[A-Za-z][A-Za-z0-9_]*\.[A-Za-z0-9][A-Za-z0-9_.;-]*$/, {
  error: 'must be subject.<property> or <lookup>.<attribute>',
});

/** A value as it is written in a document. */
export const claimValue = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)], {
  error: 'must be a text or a list of texts, none of them empty',
});
