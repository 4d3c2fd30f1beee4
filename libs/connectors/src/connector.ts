import { configurationName, duration, type Secrets, type Source } from '#claims';
import { z } from 'zod';

/** How much a source may take, and how much it may be asked. */
export interface SourceLimits {
  /** The time that one operation may take at the system, in milliseconds. */
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

/** A kind of system that sources can be configured for. */
// oxlint-disable-next-line typescript/no-explicit-any -- a list of connectors holds connectors of every configuration
export abstract class Connector<Config extends SourceConfig = any> {
  /** The `type` of its sources in the configuration. */
  abstract readonly type: string;
  /** Checks a source's configuration; unknown keys are refused at every level. */
  abstract readonly config: z.ZodType<Config>;
  /** Opens no connection: a system that is down does not stop the start. */
  abstract create(name: string, config: Config, dependencies: ConnectorDependencies): Source;
}

const count = (fallback: number, least: number) => z.int().min(least).max(10_000).default(fallback);
const positive = duration.refine((milliseconds) => milliseconds > 0, { error: 'must be longer than nothing' });

/** The keys that every source's configuration shares. */
export const sourceKeys = <Type extends string>(type: Type, concurrency = 32) => ({
  type: z.literal(type),
  tenants: z.array(configurationName).min(1),
  limits: z
    .strictObject({
      operation: positive.prefault('500ms'),
      connect: positive.prefault('1s'),
      concurrency: count(concurrency, 1),
      queue: count(256, 0),
    })
    .prefault({}),
});

/** A secret by reference, never the secret itself. */
export const secretReference = z
  .string()
  .regex(/^(env|file):.+$/s, { error: 'must be env:NAME or file:PATH: a secret is named, not written here' });

/** A certificate authority's certificates (PEM) in a file. */
export const fileReference = z.string().regex(/^file:.+$/s, { error: 'must be file:PATH' });
