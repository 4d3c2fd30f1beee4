import type { Source } from '#claims';
import { Injectable } from '@nestjs/common';
import { Connector, type ConnectorDependencies, type SourceDescription } from '../connector.js';
import { postgresConfig, type PostgresConfig } from './postgres-config.js';
import { PostgresSource } from './postgres-source.js';

/** PostgreSQL databases, and what speaks its protocol. */
@Injectable()
export class PostgresConnector extends Connector<PostgresConfig> {
  override readonly type = 'postgres';
  override readonly config = postgresConfig;

  override create(name: string, config: PostgresConfig, dependencies: ConnectorDependencies): Source {
    return new PostgresSource(name, config, dependencies);
  }

  override describe({ hosts, database, tls }: PostgresConfig): SourceDescription {
    return {
      hosts: hosts.map(({ host, port }) => `postgres://${host.includes(':') ? `[${host}]` : host}:${port}/${database}`),
      transport: tls === 'disable' ? 'clearText' : 'encrypted',
    };
  }
}
