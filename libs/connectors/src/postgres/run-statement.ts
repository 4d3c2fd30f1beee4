import pg from 'pg';
import { serialize } from 'pg-protocol';
import { ProtocolError } from '#postgres-client';
import { onAbort } from '../on-abort.js';
import { outdatedStatement } from './sql-states.js';

/** What one lookup may answer at most. */
const maximumRows = 1_000;
const maximumBytes = 1024 * 1024;

export interface Statement {
  /** Names the prepared statement in the session; equal names have equal texts. Absent: it is prepared for this once. */
  readonly name?: string;
  readonly text: string;
  readonly values: readonly string[];
}

export interface Column {
  readonly name: string;
  readonly type: number;
}

export type Row = readonly (string | null)[];

export type Run =
  | { readonly kind: 'rows'; readonly columns: readonly Column[]; readonly rows: readonly Row[] }
  /** More than a lookup may answer; the session is still receiving. */
  | { readonly kind: 'tooMuch'; readonly rows: number }
  | { readonly kind: 'aborted' }
  /** What the server sent is not PostgreSQL's protocol; the connection has ended. */
  | { readonly kind: 'malformed'; readonly message: string }
  /** `sqlState` is undefined where the error is the connection's and not the server's. */
  | { readonly kind: 'failed'; readonly sqlState: string | undefined; readonly message: string };

/** What is used of the driver's connection. */
interface Connection {
  readonly stream: { readonly writable: boolean; write(bytes: Buffer): void };
  readonly parsedStatements: Record<string, string>;
  readonly submittedNamedStatements: Record<string, string>;
  query(text: string): void;
  sendCopyFail(reason: string): void;
}

/** What follows the values (PostgreSQL manual §54.2.3): the same for every statement. */
const execution = Buffer.concat([serialize.describe({ type: 'P', name: '' }), serialize.execute({}), serialize.sync()]);

/**
 * A statement as the driver takes one that it is handed ready made, the way of pg-cursor. The driver's own builds parsers, results and
 * events for every execution; here fields stay PostgreSQL's own text, since its conversions lose digits and time zones.
 */
class Reading {
  readonly name: string | undefined;
  readonly text: string;
  private readonly values: readonly string[];
  private readonly settle: (run: Run) => void;
  private columns: readonly Column[] = [];
  private readonly rows: Row[] = [];
  private bytes = 0;

  /** @param forgotten a statement that the session shall prepare anew when it is next asked for by its name */
  constructor(
    { name, text, values }: Statement,
    settle: (run: Run) => void,
    private readonly forgotten?: string,
  ) {
    this.name = name;
    this.text = text;
    this.values = values;
    this.settle = settle;
  }

  submit(connection: Connection): void {
    const { name, text, values } = this;
    if (name === undefined && values.length === 0) {
      connection.query(text);
      return;
    }
    const messages = [serialize.bind({ ...(name !== undefined && { statement: name }), values: [...values] }), execution];
    if (name === undefined || (connection.parsedStatements[name] ?? connection.submittedNamedStatements[name]) === undefined) {
      messages.unshift(serialize.parse({ ...(name !== undefined && { name }), text }));
      if (name !== undefined) connection.submittedNamedStatements[name] = text;
    }
    if (this.forgotten !== undefined) {
      messages.unshift(serialize.close({ type: 'S', name: this.forgotten }));
      delete connection.parsedStatements[this.forgotten];
    }
    if (connection.stream.writable) connection.stream.write(Buffer.concat(messages));
  }

  handleRowDescription({ fields }: { readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[] }): void {
    this.columns = fields.map(({ name, dataTypeID }) => ({ name, type: dataTypeID }));
  }

  handleDataRow({ fields }: { readonly fields: Row }): void {
    if (this.isOver) return;
    for (const field of fields) if (field !== null) this.bytes += field.length;
    this.rows.push(fields);
    if (this.isOver) this.settle({ kind: 'tooMuch', rows: this.rows.length });
  }

  handleReadyForQuery(): void {
    this.settle({ kind: 'rows', columns: this.columns, rows: this.rows });
  }

  handleError(error: Error): void {
    if (error instanceof ProtocolError) this.settle({ kind: 'malformed', message: error.message });
    else this.settle({ kind: 'failed', sqlState: sqlStateOf(error), message: error.message });
  }

  /** `copy … from stdin` is no lookup. */
  handleCopyInResponse(connection: Connection): void {
    connection.sendCopyFail('No source stream defined');
  }

  handleCommandComplete(): void {}

  handleEmptyQuery(): void {}

  handlePortalSuspended(): void {}

  handleCopyData(): void {}

  private get isOver(): boolean {
    return this.rows.length > maximumRows || this.bytes > maximumBytes;
  }
}

/**
 * Runs a prepared statement in a session; where the session's own is of no use any more, the text once more. The session is of use
 * afterwards after `rows`, and after `failed` with an SQLSTATE.
 */
export async function runStatement(client: pg.ClientBase, statement: Statement, signal: AbortSignal): Promise<Run> {
  const run = await runOnce(client, statement, signal);
  const { name, text, values } = statement;
  const isOutdated = name !== undefined && run.kind === 'failed' && outdatedStatement.has(run.sqlState ?? '');
  return isOutdated ? runOnce(client, { text, values }, signal, name) : run;
}

function runOnce(client: pg.ClientBase, statement: Statement, signal: AbortSignal, forgotten?: string): Promise<Run> {
  if (signal.aborted) return Promise.resolve({ kind: 'aborted' });
  return new Promise((resolve) => {
    const letGo = onAbort(signal, () => settle({ kind: 'aborted' }));
    const settle = (run: Run): void => {
      letGo();
      resolve(run);
    };
    client.query(new Reading(statement, settle, forgotten) as unknown as pg.Submittable);
  });
}

/** The server's own code for an error (PostgreSQL manual, appendix A). */
export function sqlStateOf(error: Error): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
