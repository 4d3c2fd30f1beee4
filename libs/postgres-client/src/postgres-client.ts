import pg from 'pg';
import { PostgresConnection } from './postgres-connection.js';

/**
 * The driver's client over such a connection. Who uses it need not listen for errors: a loss is told to what is under way, and by the
 * event `end`.
 */
export class PostgresClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    const { connection } = this as unknown as { readonly connection: pg.Connection };
    Object.assign(connection, { attachListeners: PostgresConnection.prototype.attachListeners });
    // An error that comes in one piece with the end of the login finds no other listener yet.
    this.on('error', () => undefined);
  }
}
