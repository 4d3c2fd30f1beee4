import { readFile } from 'node:fs/promises';
import { standInSecret, type CompileContext, type ConfigurationIssue, type RegisteredSource } from '#claims';
import { configuredSources, readServiceDocument } from '#configuration';
import { HttpConnector, LdapConnector, PostgresConnector, StaticConnector, type Connector } from '#connectors';
import { CommandError, exitCodes } from '../exit-codes.js';
import { DescribedSource } from './assumed-context.js';

/** The connectors that the service has. Only their schemas are used: no source is made and nothing is asked. */
export const connectors: readonly Connector[] = [
  new LdapConnector(),
  new PostgresConnector(),
  new HttpConnector(),
  new StaticConnector(),
];

export type ConfiguredContext =
  | { readonly kind: 'context'; readonly context: CompileContext }
  | { readonly kind: 'refused'; readonly issues: readonly ConfigurationIssue[] };

/** What mappings can refer to by an operator's configuration file. Secrets and certificates that it names are not read. */
export async function configuredContext(file: string): Promise<ConfiguredContext> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new CommandError(exitCodes.usage, `${file}: cannot be read (${code})`);
  });
  const read = readServiceDocument(text);
  if (read.kind === 'refused') return read;
  const configured = configuredSources(read.document, connectors);
  if (configured.kind === 'refused') return configured;
  const sources = [...configured.sources].map(([name, { config }]): [string, RegisteredSource] => [
    name,
    { source: new DescribedSource(name, new Map(Object.entries(config.lookups))), tenants: new Set(config.tenants) },
  ]);
  const { tenants, secrets } = read.document;
  return {
    kind: 'context',
    context: {
      tenants: new Set(Object.keys(tenants)),
      sources: new Map(sources),
      secrets: new Map(Object.entries(secrets).map(([name, secret]) => [name, standInSecret(new Set(secret.tenants))])),
    },
  };
}
