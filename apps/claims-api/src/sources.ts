import { unverifiedProperties, type RegisteredSource, type Secrets, type Source } from '#claims';
import { configuredSources } from '#configuration';
import { composeSource, type ComposedSource, type Connector, type SourceListener } from '#connectors';
import type { Logger } from '#observability';
import { ConfigurationError } from './configuration/configuration-error.js';
import type { Configuration } from './config.js';

/** The configured sources, each behind its wrappers, and the probes that keep their connections alive. */
export class Sources {
  private readonly byName = new Map<string, RegisteredSource & Omit<ComposedSource, 'source'> & { readonly type: string }>();
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
      const source = connector.create(name, config, dependencies);
      warnOfUnverifiedKeys(source, dependencies.log);
      this.byName.set(name, {
        ...composeSource(source, config, dependencies.listener),
        tenants: new Set(config.tenants),
        type: connector.type,
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
