export { PostgresClient } from './postgres-client.js';
export { PostgresConnection } from './postgres-connection.js';
export { ProtocolError } from './message-frames.js';
