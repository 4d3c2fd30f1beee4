import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { HttpConnector, LdapConnector, PostgresConnector, StaticConnector } from '#connectors';
import { serviceDocument } from '#configuration';
import { expect, it } from 'vitest';
import { parse } from 'yaml';

const guide = await readFile(path.resolve(import.meta.dirname, '../../docs/guides/configuration.md'), 'utf8');
const example = /^## claimbridge\.yaml\n\n```yaml\n(.*?)^```/ms.exec(guide)![1]!;

it('the example of the configuration guide can be loaded, with a source of every type', () => {
  const document = serviceDocument.parse(parse(example));
  const connectors = [new LdapConnector(), new PostgresConnector(), new HttpConnector(), new StaticConnector()];
  const sources = Object.values(document.sources);
  for (const source of sources) connectors.find(({ type }) => type === source.type)!.config.parse(source);
  expect(new Set(sources.map(({ type }) => type))).toEqual(new Set(connectors.map(({ type }) => type)));
});
