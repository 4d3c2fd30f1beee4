import { unverifiedProperties, type RegisteredSource, type Secrets, type Source } from '#claims';
import { configuredSources } from '#configuration';
import {
  composeSource,
  previewConcurrency,
  type ComposedSource,
  type Connector,
  type SourceConfig,
  type SourceDescription,
  type SourceListener,
} from '#connectors';
import type { Logger } from '#observability';
import { ConfigurationError } from './configuration/configuration-error.js';
import type { Configuration } from './config.js';

/** The configured sources, each behind its wrappers, and the probes that keep their connections alive. */
export class Sources {
  private readonly byName = new Map<
    string,
    RegisteredSource &
      Omit<ComposedSource, 'source'> & { readonly type: string; readonly config: SourceConfig; readonly place: SourceDescription }
  >();
  private timer: NodeJS.Timeout | undefined;

  /**
   * @throws ConfigurationError naming every source that is not as its connector wants it
   */
  constructor(
    private readonly configuration: Configuration,
    connectors: readonly Connector[],
    dependencies: { readonly secrets: Secrets; readonly log: Logger; readonly listener: SourceListener },
  ) {
    const configured = configuredSources(configuration.document, connectors);
    if (configured.kind === 'refused') throw new ConfigurationError(configuration.file, configured.issues);
    for (const [name, { connector, config }] of configured.sources) {
      const { limits } = config;
      const room = { ...limits, concurrency: limits.concurrency + previewConcurrency };
      const source = connector.create(name, { ...config, limits: room }, dependencies);
      warnOfUnverifiedKeys(source, dependencies.log);
      warnOfPatience(name, limits.operation, configuration.deadline, dependencies.log);
      this.byName.set(name, {
        ...composeSource(source, config, dependencies.listener, configuration.deadline),
        tenants: new Set(config.tenants),
        type: connector.type,
        config,
        place: connector.describe(config),
      });
    }
  }

  get registered(): ReadonlyMap<string, RegisteredSource> {
    return this.byName;
  }

  /** A line for each source: names, states and codes only. */
  get health(): readonly ({ readonly name: string; readonly type: string } & ReturnType<ComposedSource['health']>)[] {
    return [...this.byName].map(([name, { type, health }]) => ({ name, type, ...health() }));
  }

  /** How much each source's cache holds. */
  get kept(): readonly (readonly [name: string, kept: ReturnType<ComposedSource['kept']>])[] {
    return [...this.byName].map(([name, { kept }]) => [name, kept()] as const);
  }

  /** The instance of a source that previews ask. */
  previewOf(name: string): Source | undefined {
    return this.byName.get(name)?.preview;
  }

  /** For authors of mappings: no user, no secret. */
  get described() {
    return [...this.byName].map(([name, { type, tenants, config, place, source, health }]) => {
      const { checkedAt, lastError, ...state } = health();
      const { operation, connect, concurrency, queue } = config.limits;
      return {
        name,
        type,
        tenants: [...tenants],
        hosts: [...place.hosts],
        ...(place.transport && { transport: place.transport }),
        limits: { operationMs: operation, connectMs: connect, concurrency, queue },
        health: {
          ...state,
          ...(checkedAt && { checkedAt: checkedAt.toISOString() }),
          ...(lastError && { lastError: { ...lastError, at: lastError.at.toISOString() } }),
        },
        lookups: [...source.lookups].map(([lookup, { parameters, locate }]) => {
          const cache = config.lookups[lookup]?.cache;
          const attributes = place.attributes?.[lookup];
          return {
            name: lookup,
            use: `${name}.${lookup}`,
            parameters: [...parameters],
            locate: locate.map((rule) => ({ ...rule, when: { ...rule.when } })),
            attributes: attributes ? [...attributes] : ('any' as const),
            ...(cache && {
              cache: {
                ttlMs: cache.ttl,
                staleWhileRevalidateMs: cache.staleWhileRevalidate,
                negativeTtlMs: cache.negativeTtl,
              },
            }),
          };
        }),
      };
    });
  }

  /** Whether a source can be reached now; see `ComposedSource.test`. */
  test(name: string, signal: AbortSignal): ReturnType<ComposedSource['test']> {
    return this.byName.get(name)!.test(signal);
  }

  get cacheStates() {
    return [...this.byName].map(
      ([
        source,
        {
          kept,
          config: { cache },
        },
      ]) => ({ source, ...kept(), limits: { ...cache } }),
    );
  }

  /** How long an answer serves at most, in milliseconds, last known ones not counted. */
  get longestKept(): number {
    const times = [...this.byName.values()].flatMap(({ config }) => Object.values(config.lookups).map(({ cache }) => cache));
    return Math.max(
      0,
      ...times.map((cache) => (cache ? Math.max(cache.ttl + cache.staleWhileRevalidate, cache.negativeTtl) : 0)),
    );
  }

  /**
   * Forgets a person: every answer of the tenant that was found by one of the identifiers or holds one of them, and what was found by
   * these answers.
   * @param follow the attributes, in lower case, by which mappings look further
   * @returns how many answers it were
   */
  erase(tenant: string, identifiers: readonly string[], follow: ReadonlySet<string>): number {
    let erased = 0;
    let holding: ReadonlySet<string> = new Set(identifiers.map((text) => text.toLowerCase()));
    let foundBy = holding;
    const known = new Set(holding);
    while (foundBy.size > 0) {
      const further = new Set<string>();
      for (const source of this.byName.values()) {
        const { answers, texts } = source.erase(tenant, { holding, foundBy }, follow);
        erased += answers;
        for (const text of texts.map((each) => each.toLowerCase())) if (!known.has(text)) further.add(text);
      }
      for (const text of further) known.add(text);
      holding = new Set();
      foundBy = further;
    }
    return erased;
  }

  /** Probes every source now and then at the configured interval. */
  startProbes(): void {
    const probe = (): void => {
      for (const { source } of this.byName.values())
        void source.probe(AbortSignal.timeout(this.configuration.document.probes.timeout));
    };
    probe();
    this.timer = setInterval(probe, this.configuration.document.probes.interval).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await Promise.allSettled([...this.byName.values()].map(({ source }) => source.close()));
  }
}

/** Allowed where the operator said so, and told at every start: whoever can set such a key decides whose claims they get. */
function warnOfUnverifiedKeys({ name, lookups }: Source, log: Logger): void {
  for (const [lookup, { locate }] of lookups)
    for (const { key } of locate)
      if (unverifiedProperties.has(key))
        log.warn({ source: name, lookup, key }, 'source: finds people by a property that they, or another tenant, can set');
}

/** A source that may work as long as a request may wait leaves no time for its fallbacks, and hangs for every request in full. */
function warnOfPatience(source: string, operationMs: number, deadlineMs: number, log: Logger): void {
  if (operationMs >= deadlineMs)
    log.warn(
      { source, operationMs, deadlineMs },
      'source: limits.operation is not shorter than what a request has (entra.timeout)',
    );
}
