import { z } from 'zod';

/** A value as it is written in a document. */
export const claimValue = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)], {
  error: 'must be a text or a list of texts, none of them empty',
});

export const guid = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, {
    error: 'must be a GUID (8-4-4-4-12 hexadecimal digits)',
  })
  .transform((text) => text.toLowerCase());
