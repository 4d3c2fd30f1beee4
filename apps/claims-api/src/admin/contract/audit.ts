import { configurationName } from '#claims';
import { z } from 'zod';
import { moment, page } from './input.js';
import { actor } from './mapping.js';

export const auditFilter = z.strictObject({
  tenant: configurationName.optional(),
  action: z.string().min(1).max(64).optional().describe('Such as mapping.publish.'),
  target: z.string().min(1).max(256).optional().describe('The name of the mapping, or whatever else it was done to.'),
  actor: z.string().min(1).max(64).optional().describe('The object id of who did it.'),
  from: moment.optional().describe('Not before.'),
  to: moment.optional().describe('Before.'),
  ...page,
});

export const auditEntry = z
  .strictObject({
    at: z.iso.datetime(),
    actor,
    action: z.string(),
    tenant: z.string().optional(),
    target: z.string().optional(),
    details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  })
  .meta({
    id: 'AuditEntry',
    examples: [
      {
        at: '2026-11-26T08:00:00.000Z',
        actor: { id: '5d1f0c3e-9a4b-4c2d-8e7f-6a5b4c3d2e1f', name: 'Adele Vance', address: '192.0.2.7' },
        action: 'mapping.publish',
        tenant: 'contoso',
        target: 'billing-portal',
        details: { number: 3, revision: '9f86d081884c' },
      },
    ],
  });

export const auditPage = z
  .strictObject({ items: z.array(auditEntry).describe('The newest first.'), next: z.string().optional() })
  .meta({ id: 'AuditPage' });

export type AuditPageBody = z.output<typeof auditPage>;
