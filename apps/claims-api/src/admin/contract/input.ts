import { configurationName } from '#claims';
import { z } from 'zod';

/** Where a page starts, and how long it is. */
export const page = {
  limit: z.coerce
    .number({ error: 'must be a number from 1 to 200' })
    .int()
    .min(1)
    .max(200)
    .default(50)
    .describe('How many at most.'),
  after: z.string().min(1).max(1_024).optional().describe('`next` of the page before; nothing else is a valid value.'),
};

/** true or false, as a query has it. */
export const flag = z
  .enum(['true', 'false'], { error: 'must be true or false' })
  .default('false')
  .transform((text) => text === 'true');

export const moment = z.iso
  .datetime({ offset: true, error: 'must be a time (RFC 3339), such as 2026-11-26T08:00:00Z' })
  .transform((text) => new Date(text));

export const mappingKey = z.strictObject({
  tenant: configurationName.describe('The tenant, by its alias in the configuration.'),
  name: configurationName.describe('The name, unique within the tenant.'),
});
