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
import { ColumnTypes, columnValues, unknownTypesStatement, type ColumnType } from './column-values.js';
import type { PostgresConfig, PostgresLookup } from './postgres-config.js';
import { PostgresPools, ping, type Session } from './postgres-pools.js';
import { runStatement, type Column, type Row, type Run, type Statement } from './run-statement.js';
import { isConnectionState, isRollback, statementFailure } from './sql-states.js';

interface Answer {
  readonly outcome: Outcome;
  /** Whether to ask once more: a lookup changes nothing. */
  readonly again?: true;
}

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
  private readonly types = new WeakMap<Session['client'], ColumnTypes>();
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
      const { outcome, again } = await this.ask(acquired.session, statement, lookup, query, signal);
      if (!again || attempt > 1) return outcome;
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
    session.discard(run.kind === 'aborted' ? 'working' : 'lost');
    if (run.kind === 'malformed') return { kind: 'down', reason: 'malformed', detail: run.message };
    return { kind: 'down', reason: run.kind === 'aborted' ? 'timeout' : 'connection' };
  }

  override close(): Promise<void> {
    return this.pools.close();
  }

  private async ask(
    session: Session,
    statement: Statement,
    lookup: PostgresLookup,
    query: LookupQuery,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { client } = session;
    const run = await runStatement(client, statement, signal);
    if (run.kind !== 'rows') return failed(session, run, lookup);
    const types = this.typesOf(client);
    const isKnown = ({ type }: Column): boolean => types.get(type) !== undefined;
    if (!run.columns.every(isKnown)) {
      const unknown = run.columns.filter((column) => !isKnown(column)).map(({ type }) => type);
      const question = { ...this.typesName, text: unknownTypesStatement, values: [`{${unknown.join(',')}}`] };
      const learning = await runStatement(client, question, signal);
      if (learning.kind !== 'rows') return failed(session, learning, lookup);
      types.learn(learning.rows);
    }
    session.giveBack();
    if (!run.columns.every(isKnown)) return { outcome: unavailable('refused', 'a column is of a type that does not exist') };
    return { outcome: this.outcome(run, types, lookup, query) };
  }

  /** What a session has learnt ends with it. */
  private typesOf(client: Session['client']): ColumnTypes {
    const known = this.types.get(client) ?? new ColumnTypes();
    this.types.set(client, known);
    return known;
  }

  private outcome(
    { columns, rows }: Rows,
    types: ColumnTypes,
    lookup: PostgresLookup,
    { lookup: name, projection }: LookupQuery,
  ): Outcome {
    if (rows.length === 0) return notFound('noEntry');
    if (lookup.rows === 'one' && rows.length > 1) return ambiguous;
    const wanted = new Set(projection.map((attribute) => attribute.toLowerCase()));
    const read = new Map<string, readonly AttributeValue[]>();
    for (const [index, column] of columns.entries()) {
      const attribute = column.name.toLowerCase();
      if (!wanted.has(attribute)) continue;
      if (read.has(attribute)) return unavailable('refused', `several columns are called ${attribute}`);
      const values = valuesOf(index, types.get(column.type)!, rows);
      if (!values)
        return unavailable('refused', `${attribute} is an array of more than one dimension, or JSON with objects in a list`);
      read.set(attribute, values);
    }
    for (const attribute of wanted) if (!read.has(attribute)) this.warnOfMissing(name, attribute);
    return found(new Attributes(read));
  }

  /** A column that a mapping asks for and the statement does not have is a mistake that would look like a person without a value. */
  private warnOfMissing(lookup: string, column: string): void {
    const key = `${lookup}.${column}`;
    if (this.missed.has(key)) return;
    this.missed.add(key);
    this.log.warn({ source: this.name, lookup, column }, 'the statement has no such column');
  }
}

function failed(session: Session, run: Exclude<Run, Rows>, lookup: PostgresLookup): Answer {
  switch (run.kind) {
    case 'aborted':
      session.discard('working');
      return { outcome: unavailable('timeout') };
    case 'tooMuch':
      session.discard('working');
      if (lookup.rows === 'one' && run.rows > 1) return { outcome: ambiguous };
      return { outcome: unavailable('limit', 'more rows or bytes than a lookup may answer') };
    case 'malformed':
      session.discard('lost');
      return { outcome: unavailable('malformed', run.message), again: true };
    case 'failed':
      if (run.sqlState === undefined || isConnectionState(run.sqlState)) {
        session.discard('lost');
        return { outcome: unavailable('connection', 'lost twice'), again: true };
      }
      session.giveBack();
      return { outcome: statementFailure(run.sqlState, run.message), ...(isRollback(run.sqlState) && { again: true }) };
  }
}

function valuesOf(index: number, type: ColumnType, rows: readonly Row[]): readonly AttributeValue[] | undefined {
  const values: AttributeValue[] = [];
  for (const row of rows) {
    const field = row[index];
    if (field == null) continue;
    const read = columnValues(type, field);
    if (!read) return undefined;
    values.push(...read);
  }
  return values;
}

function statementName(source: string, key: string, { statement }: PostgresLookup): string {
  return createHash('sha256')
    .update(JSON.stringify([source, key, statement]))
    .digest('hex')
    .slice(0, 32);
}
