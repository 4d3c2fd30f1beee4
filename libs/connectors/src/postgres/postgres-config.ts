import { configurationName, type LocateRule } from '#claims';
import { z } from 'zod';
import { fileReference, lookupCache, lookupParameters, secretReference, sourceKeys } from '../connector.js';
import { checkTrust, locateRuleKeys } from '../locate-rule.js';
import { statementParameters } from './statement-parameters.js';

const locateRule = z.strictObject(locateRuleKeys).superRefine(checkTrust);

const lookup = z
  .strictObject({
    locate: z.array(locateRule).min(1).optional().describe('How this source finds the person signing in; the key is $1.'),
    parameters: lookupParameters.describe('What a mapping fills by `with`; the first is $1.'),
    statement: z.string().min(1).describe('One select; its parameters are bound.'),
    cache: lookupCache,
    rows: z
      .enum(['one', 'many'])
      .default('one')
      .describe('one: several rows are ambiguous. many: each column has the values of all rows.'),
  })
  .superRefine(({ locate, parameters, statement }, context) => {
    const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if (locate && parameters) return refuse('parameters', 'is not allowed beside locate');
    if (!locate && !parameters) return refuse('locate', 'is missing: a lookup has either locate or parameters');
    if (parameters && new Set(parameters).size < parameters.length) return refuse('parameters', 'names a parameter twice');
    const count = parameters?.length ?? 1;
    const used = statementParameters(statement);
    const expected = Array.from({ length: count }, (_, index) => index + 1);
    if (used.size !== count || !expected.every((number) => used.has(number)))
      refuse('statement', `must use exactly ${expected.map((number) => `$${number}`).join(', ')}`);
  })
  .transform(({ locate = [], parameters = [], ...rest }) => ({
    ...rest,
    /** What the statement's $1, $2, … are called in a query. */
    arguments: parameters.length > 0 ? parameters : ['value'],
    parameters: parameters as readonly string[],
    locate: locate.map(({ key, when, fallThrough }): LocateRule => ({ key, when, fallThrough })),
  }));

/** The configuration of a source of type `postgres`; README.md describes every key. */
export const postgresConfig = z.strictObject({
  ...sourceKeys('postgres', 10),
  hosts: z
    .array(
      z.strictObject({
        host: z.string().min(1).describe('Its name or address.'),
        port: z.int().min(1).max(65_535).default(5432).describe('Its port.'),
      }),
    )
    .min(1)
    .describe('The servers of the database, the preferred one first.'),
  database: z.string().min(1).describe('The database’s name.'),
  user: z.string().min(1).describe('The service’s role.'),
  password: secretReference.describe('Its password.'),
  tls: z
    .union(
      [
        z.enum(['verify-full', 'disable']),
        z.strictObject({
          ca: fileReference.optional().describe('The authorities that are trusted, and no others.'),
          servername: z.string().min(1).optional().describe('The name that the certificate has, where it is not the host’s.'),
        }),
      ],
      {
        error: 'must be verify-full, disable or { ca: file:PATH }',
      },
    )
    .default('verify-full')
    .describe('verify-full trusts the system’s authorities; disable sends all readable.'),
  server: z
    .enum(['any', 'primary', 'standby'])
    .default('any')
    .describe('Which of the servers may be asked: primary is the one that takes writes, a standby is in recovery.'),
  prepared: z
    .boolean()
    .default(true)
    .describe('false: statements are not kept by the session, for a pooler that changes sessions between transactions.'),
  lookups: z.record(configurationName, lookup).describe('The questions that mappings may ask, by name.'),
});

export type PostgresConfig = z.output<typeof postgresConfig>;
export type PostgresHost = PostgresConfig['hosts'][number];
export type PostgresLookup = PostgresConfig['lookups'][string];
