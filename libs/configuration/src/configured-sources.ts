import { configurationIssues, type ConfigurationIssue } from '#claims';
import type { Connector, SourceConfig } from '#connectors';
import type { ServiceDocument } from './service-document.js';

/** A source as the configuration file has it, checked by its connector. */
export interface ConfiguredSource {
  readonly connector: Connector;
  readonly config: SourceConfig;
}

export type ConfiguredSources =
  | { readonly kind: 'configured'; readonly sources: ReadonlyMap<string, ConfiguredSource> }
  | { readonly kind: 'refused'; readonly issues: readonly ConfigurationIssue[] };

/** Checks every source's own keys by the connector of its type, and that the tenants that it names exist. Opens no connection. */
export function configuredSources({ sources, tenants }: ServiceDocument, connectors: readonly Connector[]): ConfiguredSources {
  const issues: ConfigurationIssue[] = [];
  const configured = new Map<string, ConfiguredSource>();
  const refuse = (path: readonly (string | number)[], reason: string): number => issues.push({ path, reason });
  for (const [name, document] of Object.entries(sources)) {
    const connector = connectors.find(({ type }) => type === document.type);
    if (!connector) {
      const types = connectors.map(({ type }) => type).join(', ');
      refuse(['sources', name, 'type'], `there is no connector ${document.type}; there are ${types}`);
      continue;
    }
    const parsed = connector.config.safeParse(document);
    if (!parsed.success) {
      for (const { path, reason } of configurationIssues(parsed.error)) refuse(['sources', name, ...path], reason);
      continue;
    }
    const config = parsed.data as SourceConfig;
    for (const [index, tenant] of config.tenants.entries())
      if (!Object.hasOwn(tenants, tenant)) refuse(['sources', name, 'tenants', index], `there is no tenant ${tenant}`);
    configured.set(name, { connector, config });
  }
  return issues.length > 0 ? { kind: 'refused', issues } : { kind: 'configured', sources: configured };
}
