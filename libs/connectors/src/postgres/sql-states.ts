import { unavailable, type Unavailable } from '#claims';

/** The connection was lost, or the server is starting or stopping (PostgreSQL manual, appendix A: classes 08 and 57P). */
export function isConnectionState(sqlState: string): boolean {
  return sqlState.startsWith('08') || /^57P0[1-5]$/.test(sqlState);
}

/**
 * A prepared statement that the session has no more, or whose result type has changed with the table: a new session knows nothing of
 * the old one.
 */
export const outdatedStatement: ReadonlySet<string> = new Set(['0A000', '26000']);

/** Why a statement that ended with this SQLSTATE has no answer. */
export function statementFailure(sqlState: string, message: string): Unavailable {
  if (sqlState === '57014') return unavailable('timeout', sqlState);
  if (sqlState.startsWith('28')) return unavailable('credentials', sqlState);
  if (isConnectionState(sqlState)) return unavailable('connection', sqlState);
  // Messages of class 42 are about the statement and the rights; those of others may quote a value.
  return unavailable('refused', sqlState.startsWith('42') ? `${sqlState}: ${message}` : sqlState);
}
