import type { Source } from '#claims';
import { Injectable } from '@nestjs/common';
import { Connector, type ConnectorDependencies, type SourceDescription } from '../connector.js';
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

  override describe({ url, auth, lookups }: HttpConfig): SourceDescription {
    const addresses = [url, ...(auth.type === 'clientCredentials' ? [auth.tokenUrl] : [])];
    const clear = addresses.some((address) => new URL(address).protocol === 'http:');
    const attributes = Object.entries(lookups).map(([name, { shape }]) => [name, Object.keys(shape.attributes)] as const);
    return { hosts: [url], transport: clear ? 'clearText' : 'encrypted', attributes: Object.fromEntries(attributes) };
  }
}
