export { configuredSources, type ConfiguredSource, type ConfiguredSources } from './configured-sources.js';
export { readServiceDocument, type ReadServiceDocument } from './read-service-document.js';
export { serviceDocument, serviceJsonSchema, type ServiceDocument } from './service-document.js';
