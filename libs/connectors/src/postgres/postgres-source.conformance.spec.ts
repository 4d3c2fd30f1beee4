import { Secrets } from '#claims';
import { startPostgres, startTcpProxy } from '#testing';
import { conformancePeople, describeSource } from '../source.conformance.js';
import { PostgresConnector } from './postgres-connector.js';

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const table = [
  'create table people (upn text, display_name text, department text, telephones text[])',
  `insert into people values ${conformancePeople
    .map(({ userPrincipalName, displayName, department, otherTelephone }) => {
      const texts = [userPrincipalName, displayName, department].map(quoted);
      return `(${texts.join(', ')}, array[${otherTelephone.map(quoted).join(', ')}]::text[])`;
    })
    .join(', ')}`,
];

describeSource('a PostgreSQL database', async () => {
  const database = await startPostgres({ sql: table });
  const proxy = await startTcpProxy(database);
  class OnlySecret extends Secrets {
    override read(): Promise<string> {
      return Promise.resolve(database.password);
    }
  }
  const connector = new PostgresConnector();
  const columns = 'select display_name as "displayName", department, telephones as "otherTelephone" from people';
  const config = connector.config.parse({
    type: 'postgres',
    tenants: ['contoso'],
    hosts: [{ host: '127.0.0.1', port: proxy.port }],
    database: database.database,
    user: database.user,
    password: 'env:PASSWORD',
    tls: 'disable',
    limits: { connect: '2s', operation: '5s' },
    lookups: {
      person: { parameters: ['upn'], statement: `${columns} where upn = $1` },
      colleague: { parameters: ['department'], statement: `${columns} where department = $1` },
      located: { locate: [{ key: 'onPremisesUserPrincipalName' }], statement: `${columns} where upn = $1` },
    },
  });
  const log = { warn: () => undefined, error: () => undefined };
  const source = connector.create('billing-db', config, { secrets: new OnlySecret(), log });
  return {
    source,
    network: {
      hang: () => proxy.blackHole(),
      fail: async () => {
        await proxy.refuse();
        proxy.cut();
      },
      restore: () => proxy.restore(),
    },
    stop: async () => {
      await source.close();
      await proxy.stop();
      await database.stop();
    },
  };
});
