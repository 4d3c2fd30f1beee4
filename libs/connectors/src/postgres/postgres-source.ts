import { createHash } from 'node:crypto';
import {
  Attributes,
  ambiguous,
  found,
  notFound,
  unavailable,
  type AttributeValue,
  type LookupDescription,
  type LookupQuery,
  type Outcome,
  type ProbeResult,
} from '#claims';
import { RepeatingSource, type ConnectorDependencies, type ConnectorLog } from '../connector.js';
import { columnValues, ownTypes, unknownType, unknownTypesStatement, type ColumnType } from './column-values.js';
import type { PostgresConfig, PostgresLookup } from './postgres-config.js';
import { PostgresPools, ping, type Session } from './postgres-pools.js';
import { runStatement, type Column, type Row, type Run, type Statement } from './run-statement.js';
import { isConnectionState, outdatedStatement, statementFailure } from './sql-states.js';

type Rows = Extract<Run, { kind: 'rows' }>;

interface Prepared {
  readonly lookup: PostgresLookup;
  /** Undefined where statements are not to be kept by a session. */
  readonly statementName: string | undefined;
}

/** A PostgreSQL database: each lookup is one prepared statement, its parameters bound and never part of the text. */
export class PostgresSource extends RepeatingSource {
  override readonly lookups: ReadonlyMap<string, LookupDescription>;
  private readonly prepared: ReadonlyMap<string, Prepared>;
  private readonly pools: PostgresPools;
  private readonly typesName: { readonly name?: string };
  private readonly types = new Map<number, ColumnType>(ownTypes);
  private readonly log: ConnectorLog;
  private readonly missed = new Set<string>();

  constructor(
    override readonly name: string,
    config: PostgresConfig,
    { secrets, log }: ConnectorDependencies,
  ) {
    super();
    const lookups = Object.entries(config.lookups);
    this.lookups = new Map(lookups.map(([key, { parameters, locate }]) => [key, { parameters, locate }]));
    this.prepared = new Map(
      lookups.map(([key, lookup]) => [
        key,
        { lookup, statementName: config.prepared ? statementName(name, key, lookup) : undefined },
      ]),
    );
    this.typesName = config.prepared ? { name: 'claimbridge-types' } : {};
    this.pools = new PostgresPools(name, config, secrets, log);
    this.log = log;
  }

  override async fetch(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    const prepared = this.prepared.get(query.lookup);
    if (!prepared) throw new Error(`${this.name} has no lookup ${query.lookup}`);
    const { lookup, statementName: name } = prepared;
    const values = lookup.arguments.map((parameter) => {
      const value = query.parameters.get(parameter);
      if (value === undefined) throw new Error(`the parameter ${parameter} is missing`);
      return value;
    });
    if (this.pools.isClosed) return unavailable('internal', 'the source is closed');
    // PostgreSQL has no text with NUL, and a lone surrogate no UTF-8 form: no row can match.
    if (values.some((value) => value.includes('\0') || !value.isWellFormed())) return notFound('noEntry');

    const statement = { ...(name !== undefined && { name }), text: lookup.statement, values };
    for (let attempt = 1; ; attempt++) {
      const acquired = await this.pools.acquire(signal);
      if (acquired.kind === 'aborted') return unavailable('timeout', 'no session yet');
      if (acquired.kind === 'failed') return unavailable(acquired.reason, acquired.detail);
      const outcome = await this.ask(acquired.session, statement, lookup, query, signal);
      if (outcome !== 'again') return outcome;
      if (attempt > 1) return unavailable('connection', 'lost twice');
    }
  }

  override async probe(signal: AbortSignal): Promise<ProbeResult> {
    const acquired = await this.pools.acquire(signal);
    if (acquired.kind === 'aborted') return { kind: 'down', reason: 'timeout' };
    if (acquired.kind === 'failed') return { kind: 'down', reason: acquired.reason, detail: acquired.detail };
    const { session } = acquired;
    const run = await runStatement(session.client, ping, signal);
    if (run.kind === 'rows') {
      session.giveBack();
      return { kind: 'up' };
    }
    session.discard(run.kind === 'failed' ? 'lost' : 'working');
    return { kind: 'down', reason: run.kind === 'aborted' ? 'timeout' : 'connection' };
  }

  override close(): Promise<void> {
    return this.pools.close();
  }

  /** `again` where the session was lost or outdated: a lookup changes nothing, so another session may be asked. */
  private async ask(
    session: Session,
    statement: Statement,
    lookup: PostgresLookup,
    query: LookupQuery,
    signal: AbortSignal,
  ): Promise<Outcome | 'again'> {
    const run = await runStatement(session.client, statement, signal);
    switch (run.kind) {
      case 'aborted':
        session.discard('working');
        return unavailable('timeout');
      case 'tooMuch':
        session.discard('working');
        return lookup.rows === 'one' && run.rows > 1
          ? ambiguous
          : unavailable('limit', 'more rows or bytes than a lookup may answer');
      case 'failed':
        if (run.sqlState === undefined || isConnectionState(run.sqlState)) {
          session.discard('lost');
          return 'again';
        }
        if (outdatedStatement.has(run.sqlState)) {
          session.discard('outdated');
          return 'again';
        }
        session.giveBack();
        return statementFailure(run.sqlState, run.message);
      case 'rows': {
        const known = await this.learnTypes(session, run.columns, signal);
        if (!known) {
          session.discard('working');
          return unavailable(signal.aborted ? 'timeout' : 'malformed', 'the columns’ types cannot be read');
        }
        session.giveBack();
        return this.outcome(run, lookup, query);
      }
    }
  }

  private outcome({ columns, rows }: Rows, lookup: PostgresLookup, { lookup: name, projection }: LookupQuery): Outcome {
    if (rows.length === 0) return notFound('noEntry');
    if (lookup.rows === 'one' && rows.length > 1) return ambiguous;
    const wanted = new Set(projection.map((attribute) => attribute.toLowerCase()));
    const read = new Map<string, readonly AttributeValue[]>();
    for (const [index, column] of columns.entries()) {
      const attribute = column.name.toLowerCase();
      if (!wanted.has(attribute)) continue;
      if (read.has(attribute)) return unavailable('malformed', `several columns are called ${attribute}`);
      const values = this.columnValues(column, index, rows);
      if (!values)
        return unavailable('malformed', `${attribute} is an array of more than one dimension, or JSON with objects in a list`);
      read.set(attribute, values);
    }
    for (const attribute of wanted) if (!read.has(attribute)) this.warnOfMissing(name, attribute);
    return found(new Attributes(read));
  }

  private columnValues({ type }: Column, index: number, rows: readonly Row[]): readonly AttributeValue[] | undefined {
    const values: AttributeValue[] = [];
    for (const row of rows) {
      const field = row[index];
      if (field == null) continue;
      const read = columnValues(this.types.get(type)!, field);
      if (!read) return undefined;
      values.push(...read);
    }
    return values;
  }

  /** Asks once for each type that is not PostgreSQL's own. */
  private async learnTypes({ client }: Session, columns: readonly Column[], signal: AbortSignal): Promise<boolean> {
    const unknown = columns.filter(({ type }) => !this.types.has(type)).map(({ type }) => type);
    if (unknown.length === 0) return true;
    const run = await runStatement(
      client,
      { ...this.typesName, text: unknownTypesStatement, values: [`{${unknown.join(',')}}`] },
      signal,
    );
    if (run.kind !== 'rows') return false;
    for (const [oid, delimiter] of run.rows) this.types.set(Number(oid), unknownType(delimiter ?? null));
    return unknown.every((type) => this.types.has(type));
  }

  /** A column that a mapping asks for and the statement does not have is a mistake that would look like a person without a value. */
  private warnOfMissing(lookup: string, column: string): void {
    const key = `${lookup}.${column}`;
    if (this.missed.has(key)) return;
    this.missed.add(key);
    this.log.warn({ source: this.name, lookup, column }, 'the statement has no such column');
  }
}

function statementName(source: string, key: string, { statement }: PostgresLookup): string {
  return createHash('sha256')
    .update(JSON.stringify([source, key, statement]))
    .digest('hex')
    .slice(0, 32);
}
