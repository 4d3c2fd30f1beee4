import { configurationName, duration, Source, type LookupDescription, type Secrets } from '#claims';
import { z } from 'zod';

/** How much a source may take, and how much it may be asked. */
export interface SourceLimits {
  /** The time that one operation may take at the system, a second attempt included, in milliseconds. */
  readonly operation: number;
  /** The time that opening a connection to one host may take, TLS and authentication included, in milliseconds. */
  readonly connect: number;
  /** Operations under way at the same time. */
  readonly concurrency: number;
  /** Operations that may wait for their turn; those beyond are shed. */
  readonly queue: number;
}

/** What every source's configuration has. */
export interface SourceConfig {
  readonly type: string;
  /** The tenants that the source may serve, by their aliases. */
  readonly tenants: string[];
  readonly limits: SourceLimits;
  /** When a source that fails is no longer asked. */
  readonly breaker: { readonly failures: number; readonly retryAfter: number };
  /** How much of its answers is kept. */
  readonly cache: { readonly entries: number; readonly bytes: number };
  /** What mappings can ask, and how long the answers serve. */
  readonly lookups: Readonly<Record<string, LookupDescription & { readonly cache?: LookupCache | undefined }>>;
}

/**
 * How many lookups of previews a source is asked for at the same time, beside `concurrency` of the sign-ins: an adapter is made with
 * that much room more.
 */
export const previewConcurrency = 2;

/** How long the answers of one lookup serve, in milliseconds. */
export interface LookupCache {
  readonly ttl: number;
  readonly staleWhileRevalidate: number;
  readonly negativeTtl: number;
}

/** What a connector writes to the operator's log: names and codes, never a value of a person, never a secret. */
export interface ConnectorLog {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface ConnectorDependencies {
  readonly secrets: Secrets;
  readonly log: ConnectorLog;
}

/**
 * A source that itself asks once more where a connection was lost, because only it can choose another one: nobody around it repeats a
 * lookup, or one sign-in would ask four times.
 */
export abstract class RepeatingSource extends Source {}

/** A kind of system that sources can be configured for. */
// oxlint-disable-next-line typescript/no-explicit-any -- a list of connectors holds connectors of every configuration
export abstract class Connector<Config extends SourceConfig = any> {
  /** The `type` of its sources in the configuration. */
  abstract readonly type: string;
  /** Checks a source's configuration; unknown keys are refused at every level. */
  abstract readonly config: z.ZodType<Config>;
  /** Opens no connection: a system that is down does not stop the start. */
  abstract create(name: string, config: Config, dependencies: ConnectorDependencies): Source;
  /** Says less where the connector does not override it. */
  describe(_config: Config): SourceDescription {
    return { hosts: [] };
  }
}

/** A source as operators and authors of mappings see it: no user, no secret. */
export interface SourceDescription {
  /** Where the system is, the preferred host first. */
  readonly hosts: readonly string[];
  /**
   * How questions, answers and credentials cross the network. clearText: some of it readable, as the operator allowed. none: it does
   * not go there. Absent where the connector does not say.
   */
  readonly transport?: 'encrypted' | 'clearText' | 'none';
  /** By lookup: the attributes that it can answer. Absent where only the system knows. */
  readonly attributes?: Readonly<Record<string, readonly string[]>>;
}

const count = (fallback: number, least: number) => z.int().min(least).max(10_000).default(fallback);
const positive = duration.refine((milliseconds) => milliseconds > 0, { error: 'must be longer than nothing' });

/** The keys that every source's configuration shares. */
export const sourceKeys = <Type extends string>(type: Type, concurrency = 32) => ({
  type: z.literal(type).describe('The kind of system.'),
  tenants: z.array(configurationName).min(1).describe('The tenants that the source may serve, by their aliases.'),
  limits: z
    .strictObject({
      operation: positive
        .prefault('500ms')
        .describe('How long the work of one lookup may take at the system, a second attempt included.'),
      connect: positive.prefault('1s').describe('How long opening a connection may take, TLS and authentication included.'),
      concurrency: count(concurrency, 1).describe('Lookups under way at the same time.'),
      queue: count(256, 0).describe(
        'Lookups that may wait for their turn; more are shed, and who waits too long for the deadline.',
      ),
    })
    .prefault({})
    .describe('How much the source may take, and how much it may be asked.'),
  breaker: z
    .strictObject({
      failures: count(10, 1).describe('Failures in a row after which the source is no longer asked.'),
      retryAfter: positive
        .prefault('1s')
        .describe('The time between two probes that may make it be asked again, by one lookup first.'),
    })
    .prefault({})
    .describe('When a source that fails is no longer asked.'),
  cache: z
    .strictObject({
      entries: z.int().min(1).max(1_000_000).default(10_000).describe('The number of answers.'),
      bytes: z.int().min(1_024).max(1_073_741_824).default(33_554_432).describe('Their size together.'),
    })
    .prefault({})
    .describe('The most that is kept of its answers, last known ones included.'),
});

/** The key `cache` of a lookup. */
export const lookupCache = z
  .strictObject({
    ttl: positive.describe('An entry that was found serves that long.'),
    staleWhileRevalidate: duration.prefault('0s').describe('After that it serves this much longer while it is asked for again.'),
    negativeTtl: duration.prefault('0s').describe('That nothing was found serves that long.'),
  })
  .optional()
  .describe('Without it every sign-in asks the source.');

/** The key `parameters` of a lookup. */
export const lookupParameters = z
  .array(z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/, { error: 'must be letters, digits and _' }))
  .min(1)
  .optional()
  .describe('What a mapping fills by `with`.');

/** A secret by reference, never the secret itself. */
export const secretReference = z
  .string()
  .regex(/^(env|file):.+$/s, { error: 'must be env:NAME or file:PATH: a secret is named, not written here' });

/** A certificate authority's certificates (PEM) in a file. */
export const fileReference = z.string().regex(/^file:.+$/s, { error: 'must be file:PATH' });
