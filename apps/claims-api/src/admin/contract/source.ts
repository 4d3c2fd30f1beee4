import { configurationName, subjectProperties } from '#claims';
import { z } from 'zod';

const time = z.iso.datetime();

export const sourceKey = z.strictObject({ source: configurationName.describe('The name of the source in the configuration.') });

export const source = z
  .strictObject({
    name: z.string(),
    type: z.string().describe('The connector, such as ldap or postgres.'),
    tenants: z.array(z.string()).describe('The tenants that it may serve.'),
    hosts: z.array(z.string()).describe('Where it is, the preferred one first; no user, no secret.'),
    transport: z
      .enum(['encrypted', 'clearText', 'none'])
      .optional()
      .describe(
        'How questions, answers and credentials cross the network: clearText is readable on it; none does not go there. Absent where the connector does not say.',
      ),
    limits: z.strictObject({ operationMs: z.int(), connectMs: z.int(), concurrency: z.int(), queue: z.int() }),
    health: z.strictObject({
      state: z.enum(['up', 'down', 'unknown']),
      circuit: z.enum(['open', 'closed']),
      latencyMs: z.number().optional(),
      checkedAt: time.optional(),
      lastError: z
        .strictObject({ code: z.string(), detail: z.string().optional().describe('Names and codes, and what helps.'), at: time })
        .optional(),
      warning: z
        .strictObject({ code: z.string(), detail: z.string() })
        .optional()
        .describe('It works, and soon will not: a new password was refused while connections made with the old one are open.'),
    }),
    lookups: z.array(
      z.strictObject({
        name: z.string(),
        use: z.string().describe('How a mapping names it.'),
        parameters: z.array(z.string()).describe('What a mapping fills by `with`.'),
        locate: z
          .array(
            z.strictObject({ key: z.enum(subjectProperties), when: z.record(z.string(), z.unknown()), fallThrough: z.boolean() }),
          )
          .describe('How it finds the person, where it has no parameters.'),
        attributes: z
          .union([z.literal('any'), z.array(z.string())])
          .describe('Those that it can answer; any where only the system knows.'),
        cache: z.strictObject({ ttlMs: z.int(), staleWhileRevalidateMs: z.int(), negativeTtlMs: z.int() }).optional(),
      }),
    ),
  })
  .meta({
    id: 'Source',
    examples: [
      {
        name: 'corp-ad',
        type: 'ldap',
        tenants: ['contoso'],
        hosts: ['ldaps://dc1.corp.example'],
        transport: 'encrypted',
        limits: { operationMs: 500, connectMs: 1_000, concurrency: 32, queue: 256 },
        health: { state: 'up', circuit: 'closed', latencyMs: 3.2, checkedAt: '2026-11-26T08:00:00.000Z' },
        lookups: [
          {
            name: 'user',
            use: 'corp-ad.user',
            parameters: [],
            locate: [{ key: 'onPremisesSecurityIdentifier', when: {}, fallThrough: false }],
            attributes: 'any',
            cache: { ttlMs: 60_000, staleWhileRevalidateMs: 0, negativeTtlMs: 0 },
          },
        ],
      },
    ],
  });

export const sourceList = z.strictObject({ items: z.array(source) }).meta({ id: 'SourceList' });

export const connectionTest = z
  .strictObject({
    result: z.enum(['up', 'down', 'busy']).describe('busy: other tests of this source are under way.'),
    reason: z.string().optional().describe('A stable code, where it is down.'),
    ms: z.number(),
  })
  .meta({ id: 'ConnectionTest', examples: [{ result: 'down', reason: 'credentials', ms: 12.4 }] });

export const cacheState = z
  .strictObject({
    replica: z.string().describe('Which replica answers: each has caches of its own.'),
    items: z.array(
      z.strictObject({
        source: z.string(),
        entries: z.int(),
        bytes: z.int(),
        limits: z.strictObject({ entries: z.int(), bytes: z.int() }),
      }),
    ),
  })
  .meta({
    id: 'Caches',
    examples: [
      {
        replica: 'claims-7f9c',
        items: [{ source: 'corp-ad', entries: 120, bytes: 48_200, limits: { entries: 10_000, bytes: 33_554_432 } }],
      },
    ],
  });

const identifier = z.string().min(1).max(512);

export const eraseRequest = z
  .strictObject({
    tenant: configurationName,
    identifiers: z
      .array(identifier)
      .min(1)
      .max(20)
      .describe('All by which the systems know the person: object id, UPN, mail, SID, account name, personnel number.'),
  })
  .meta({
    id: 'EraseRequest',
    examples: [
      {
        tenant: 'contoso',
        identifiers: [
          '90847c2a-e29d-4d2f-9f54-c5b4d3f20001',
          'adele.vance@corp.example',
          'S-1-5-21-1004336348-1177238915-682003330-1104',
        ],
      },
    ],
  });

export const erasure = z
  .strictObject({
    replica: z.string(),
    erased: z.int().describe('Answers that this replica kept of the person, last known and handed-over ones among them.'),
    othersKeepAtMostMs: z.int().describe('How long another replica that is not asked may keep an answer still.'),
  })
  .meta({ id: 'Erasure', examples: [{ replica: 'claims-7f9c', erased: 3, othersKeepAtMostMs: 86_400_000 }] });

export type SourceBody = z.output<typeof source>;
export type ConnectionTestBody = z.output<typeof connectionTest>;
export type CachesBody = z.output<typeof cacheState>;
export type ErasureBody = z.output<typeof erasure>;
