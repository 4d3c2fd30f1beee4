import { unavailable, type Unavailable } from '#claims';

/** The connection was lost, or the server is starting or stopping (PostgreSQL manual, appendix A: classes 08 and 57P). */
export function isConnectionState(sqlState: string): boolean {
  return sqlState.startsWith('08') || /^57P0[1-5]$/.test(sqlState);
}

/**
 * A prepared statement that the session has no more, or whose result type has changed with the table. The latter code also says that
 * PostgreSQL cannot do what a statement wants.
 */
export const outdatedStatement: ReadonlySet<string> = new Set(['0A000', '26000']);

/** The server took the transaction back, for a standby mostly because it has to catch up (class 40): asked again, it may answer. */
export function isRollback(sqlState: string): boolean {
  return sqlState.startsWith('40');
}

/** No place for another session: of the server, of the database or of the role; or no memory, no disk (class 53). */
export function isLackOfResources(sqlState: string): boolean {
  return sqlState.startsWith('53');
}

/** Why a statement that ended with this SQLSTATE has no answer. */
export function statementFailure(sqlState: string, message: string): Unavailable {
  if (sqlState === '57014') return unavailable('timeout', sqlState);
  if (sqlState.startsWith('28')) return unavailable('credentials', sqlState);
  if (isConnectionState(sqlState)) return unavailable('connection', sqlState);
  // Messages of class 42 are about the statement and the rights; those of others may quote a value.
  return unavailable('refused', sqlState.startsWith('42') ? `${sqlState}: ${message}` : sqlState);
}
