export {
  Connector,
  previewConcurrency,
  type ConnectorDependencies,
  type ConnectorLog,
  type SourceConfig,
  type SourceDescription,
  type SourceLimits,
} from './connector.js';
export { HttpConnector } from './http/http-connector.js';
export { HttpConnectorModule } from './http/http-connector.module.js';
export { LdapConnector } from './ldap/ldap-connector.js';
export { LdapConnectorModule } from './ldap/ldap-connector.module.js';
export { PostgresConnector } from './postgres/postgres-connector.js';
export { PostgresConnectorModule } from './postgres/postgres-connector.module.js';
export { StaticConnector } from './static/static-connector.js';
export { StaticConnectorModule } from './static/static-connector.module.js';
export {
  composeSource,
  type CacheUse,
  type ComposedSource,
  type Erased,
  type SourceEvent,
  type SourceHealth,
  type SourceListener,
} from './wrappers/compose-source.js';
