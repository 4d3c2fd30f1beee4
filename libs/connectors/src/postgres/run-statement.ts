import pg from 'pg';

/** What one lookup may answer at most. */
const maximumRows = 1_000;
const maximumBytes = 1024 * 1024;

export interface Statement {
  /** Names the prepared statement in the session; equal names have equal texts. Absent: it is prepared for this once. */
  readonly name?: string;
  readonly text: string;
  readonly values: readonly unknown[];
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
  /** `sqlState` is undefined where the error is the connection's and not the server's. */
  | { readonly kind: 'failed'; readonly sqlState: string | undefined; readonly message: string };

/** PostgreSQL's own text for every type: the driver's conversions lose digits and time zones. */
const asText = { getTypeParser: () => (text: string) => text };

const shared = { rowMode: 'array', types: asText };

/** The driver copies a configuration's own properties one by one by their descriptors; what it inherits costs nothing. */
function queryConfig(statement: Pick<Statement, 'name' | 'text' | 'values'>): pg.QueryConfig {
  return Object.assign(Object.create(shared), statement) as pg.QueryConfig;
}

/** Runs a prepared statement in a session. The session is of use afterwards after `rows`, and after `failed` with an SQLSTATE. */
export function runStatement(client: pg.ClientBase, { name, text, values }: Statement, signal: AbortSignal): Promise<Run> {
  if (signal.aborted) return Promise.resolve({ kind: 'aborted' });
  return new Promise((resolve) => {
    const rows: Row[] = [];
    let bytes = 0;
    let over = false;
    const settle = (run: Run): void => {
      signal.removeEventListener('abort', onAbort);
      resolve(run);
    };
    const onAbort = (): void => settle({ kind: 'aborted' });
    const query = new pg.Query<string[]>(queryConfig({ name, text, values }));
    query.on('row', (row: Row) => {
      if (over) return;
      bytes += row.reduce((sum, field) => sum + (field?.length ?? 0), 0);
      over = rows.push(row) > maximumRows || bytes > maximumBytes;
      if (over) settle({ kind: 'tooMuch', rows: rows.length });
    });
    query.on('end', ({ fields }) =>
      settle({ kind: 'rows', columns: fields.map((field) => ({ name: field.name, type: field.dataTypeID })), rows }),
    );
    query.on('error', (error) => settle({ kind: 'failed', sqlState: sqlStateOf(error), message: error.message }));
    signal.addEventListener('abort', onAbort, { once: true });
    client.query(query);
  });
}

/** The server's own code for an error (PostgreSQL manual, appendix A). */
export function sqlStateOf(error: Error): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
