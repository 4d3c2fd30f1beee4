import type { Source } from '#claims';
import { Injectable } from '@nestjs/common';
import { Connector, type ConnectorDependencies, type SourceDescription } from '../connector.js';
import { staticConfig, type StaticConfig } from './static-config.js';
import { StaticSource } from './static-source.js';

/** Tables in a file or in the configuration itself. */
@Injectable()
export class StaticConnector extends Connector<StaticConfig> {
  override readonly type = 'static';
  override readonly config = staticConfig;

  override create(name: string, config: StaticConfig, dependencies: ConnectorDependencies): Source {
    return new StaticSource(name, config, dependencies);
  }

  override describe({ table, lookups }: StaticConfig): SourceDescription {
    const nowhere: SourceDescription = { hosts: [], transport: 'none' };
    if (!table) return nowhere;
    return { ...nowhere, attributes: Object.fromEntries(Object.keys(lookups).map((name) => [name, [...table.columns]])) };
  }
}
