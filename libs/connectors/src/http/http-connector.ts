import type { Source } from '#claims';
import { Injectable } from '@nestjs/common';
import { Connector, type ConnectorDependencies } from '../connector.js';
import { httpConfig, type HttpConfig } from './http-config.js';
import { HttpSource } from './http-source.js';

/** Systems that answer JSON over HTTP: REST APIs, SCIM and OData services. */
@Injectable()
export class HttpConnector extends Connector<HttpConfig> {
  override readonly type = 'http';
  override readonly config = httpConfig;

  override create(name: string, config: HttpConfig, dependencies: ConnectorDependencies): Source {
    return new HttpSource(name, config, dependencies);
  }
}
