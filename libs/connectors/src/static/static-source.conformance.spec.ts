import { Secrets } from '#claims';
import { conformancePeople, describeSource, type ConformanceSystem } from '../source.conformance.js';
import { StaticConnector } from './static-connector.js';

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

const csv = [
  'userPrincipalName,displayName,department,otherTelephone',
  ...conformancePeople.map(({ userPrincipalName, displayName, department, otherTelephone }) =>
    [userPrincipalName, displayName, department, otherTelephone.join(';')].map(quoted).join(','),
  ),
].join('\r\n');

const tables: Readonly<Record<string, { readonly text?: string; readonly keys: object }>> = {
  'a CSV file': { text: csv, keys: { file: 'file:people.csv', separators: { otherTelephone: ';' } } },
  // JSON is YAML.
  'a YAML file': { text: JSON.stringify(conformancePeople), keys: { file: 'file:people.yaml' } },
  'a table in the configuration': { keys: { records: conformancePeople } },
};

for (const [name, { text, keys }] of Object.entries(tables))
  describeSource(name, (): Promise<ConformanceSystem> => {
    class OneFile extends Secrets {
      override read(reference: string): Promise<string> {
        return text === undefined ? Promise.reject(new Error(`${reference}: not expected`)) : Promise.resolve(text);
      }
    }
    const connector = new StaticConnector();
    const config = connector.config.parse({
      type: 'static',
      tenants: ['contoso'],
      ...keys,
      lookups: {
        person: { parameters: ['upn'], match: { userPrincipalName: 'upn' } },
        colleague: { parameters: ['department'], match: { Department: 'department' } },
        located: { locate: [{ key: 'onPremisesUserPrincipalName', column: 'userPrincipalName' }] },
      },
    });
    const log = { warn: () => undefined, error: () => undefined };
    const source = connector.create('people', config, { secrets: new OneFile(), log });
    return Promise.resolve({ source, stop: () => source.close() });
  });
