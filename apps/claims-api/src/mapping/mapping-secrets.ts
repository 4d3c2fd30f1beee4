import type { ConfigurationIssue, RegisteredSecret, Secrets } from '#claims';
import type { Configuration } from '../config.js';
import { ConfigurationError } from '../configuration/configuration-error.js';

/** Shorter keys could be found by trying. */
const minimumBytes = 32;

/**
 * The keys that mappings may use, read once: with another key everybody has another pseudonym, so a changed file must not do that by itself.
 * @throws ConfigurationError naming every secret that cannot be used
 */
export async function readMappingSecrets(
  { file, document }: Configuration,
  secrets: Secrets,
): Promise<ReadonlyMap<string, RegisteredSecret>> {
  const issues: ConfigurationIssue[] = [];
  const registered = new Map<string, RegisteredSecret>();
  for (const [name, { value, tenants }] of Object.entries(document.secrets)) {
    const path = ['secrets', name];
    for (const [index, tenant] of tenants.entries())
      if (!Object.hasOwn(document.tenants, tenant))
        issues.push({ path: [...path, 'tenants', index], reason: `there is no tenant ${tenant}` });
    try {
      const key = new TextEncoder().encode(await secrets.read(value));
      if (key.length < minimumBytes) issues.push({ path: [...path, 'value'], reason: `has less than ${minimumBytes} bytes` });
      registered.set(name, { tenants: new Set(tenants), value: () => key });
    } catch (error) {
      issues.push({ path: [...path, 'value'], reason: error instanceof Error ? error.message : 'cannot be read' });
    }
  }
  if (issues.length > 0) throw new ConfigurationError(file, issues);
  return registered;
}
