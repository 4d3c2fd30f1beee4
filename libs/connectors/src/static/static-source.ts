import { createHash } from 'node:crypto';
import {
  Attributes,
  Source,
  ambiguous,
  found,
  notFound,
  unavailable,
  type LookupDescription,
  type LookupQuery,
  type Outcome,
  type ProbeResult,
  type Secrets,
  type Unavailable,
} from '#claims';
import type { ConnectorDependencies, ConnectorLog } from '../connector.js';
import { settleOn } from '../settle-on.js';
import { readTable, type ReadTable } from './read-table.js';
import { keyColumns, type StaticConfig, type StaticLookup } from './static-config.js';
import { TableIndex, missingColumn, type Table } from './table.js';

/** How often the file is looked at: whoever replaces it sends no signal. */
const interval = 10_000;

interface Loaded {
  readonly table: Table;
  /** By lookup, then by locate rule. */
  readonly indexes: ReadonlyMap<string, readonly TableIndex[]>;
}

/**
 * A table in memory, of a file or of the configuration itself. The file is followed; where it breaks, the last table that could be
 * read goes on serving, and the probe says `down`.
 */
export class StaticSource extends Source {
  override readonly lookups: ReadonlyMap<string, LookupDescription>;
  private readonly keys: ReadonlyMap<string, StaticLookup>;
  private readonly secrets: Secrets;
  private readonly log: ConnectorLog;
  private readonly missed = new Set<string>();
  private readonly timer: NodeJS.Timeout | undefined;
  private closed = false;
  private loading: Promise<void> | undefined;
  private loaded: Loaded | undefined;
  /** Why the present file is not in force. */
  private failure: Unavailable | undefined;
  /** Of the text that was read last. */
  private digest: string | undefined;

  constructor(
    override readonly name: string,
    private readonly config: StaticConfig,
    { secrets, log }: ConnectorDependencies,
  ) {
    super();
    this.secrets = secrets;
    this.log = log;
    this.keys = new Map(Object.entries(config.lookups));
    this.lookups = new Map([...this.keys].map(([key, { parameters, locate }]) => [key, { parameters, locate }]));
    if (config.table) this.use({ kind: 'read', table: config.table });
    if (config.file !== undefined) {
      void this.reload(config.file);
      this.timer = setInterval(() => void this.reload(config.file!), interval).unref();
    }
  }

  override async fetch(
    { lookup: name, locateRule = 0, parameters, projection }: LookupQuery,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const lookup = this.keys.get(name);
    if (!lookup) throw new Error(`${this.name} has no lookup ${name}`);
    const texts = lookup.keys[locateRule]!.map(([, parameter]) => {
      const value = parameters.get(parameter);
      if (value === undefined) throw new Error(`the parameter ${parameter} is missing`);
      return value;
    });
    if (signal.aborted) return unavailable('timeout');
    if (!this.loaded && this.loading) await settleOn(signal, this.loading);
    if (this.closed) return unavailable('internal', 'the source is closed');
    if (!this.loaded) return this.failure ?? unavailable('timeout', 'the file is not read yet');
    const record = this.loaded.indexes.get(name)![locateRule]!.find(texts);
    if (!record) return notFound('noEntry');
    if (record === 'several') return ambiguous;
    for (const column of projection) if (!this.loaded.table.columns.has(column.toLowerCase())) this.warnOfMissing(name, column);
    return found(new Attributes(projection.map((column) => [column, record.get(column.toLowerCase()) ?? []])));
  }

  override async probe(signal: AbortSignal): Promise<ProbeResult> {
    if (this.closed) return { kind: 'down', reason: 'internal' };
    if (this.config.file !== undefined && (await settleOn(signal, this.reload(this.config.file))) === 'aborted')
      return { kind: 'down', reason: 'timeout' };
    return this.failure ? { ...this.failure, kind: 'down' } : { kind: 'up' };
  }

  override close(): Promise<void> {
    this.closed = true;
    clearInterval(this.timer);
    this.loaded = undefined;
    return Promise.resolve();
  }

  private reload(file: string): Promise<void> {
    this.loading ??= this.read(file).finally(() => {
      this.loading = undefined;
    });
    return this.loading;
  }

  private async read(file: string): Promise<void> {
    let text: string;
    try {
      text = await this.secrets.read(file);
    } catch (error) {
      this.digest = undefined;
      return this.refuse(unavailable('connection', error instanceof Error ? error.message : 'cannot be read'));
    }
    const digest = createHash('sha256').update(text).digest('base64');
    if (this.closed || digest === this.digest) return;
    this.digest = digest;
    this.use(readTable(text, this.config.reading));
  }

  private use(read: ReadTable): void {
    const missing = read.kind === 'read' ? missingColumn(read.table, keyColumns(this.config)) : undefined;
    if (read.kind === 'malformed') this.refuse(unavailable('malformed', read.detail));
    else if (missing !== undefined) this.refuse(unavailable('malformed', `there is no column ${missing}`));
    else {
      const indexes = [...this.keys].map(([key, { keys, ignoreCase }]) => {
        const byRule = keys.map((rule) => new TableIndex(read.table, { columns: rule.map(([column]) => column), ignoreCase }));
        return [key, byRule] as const;
      });
      this.loaded = { table: read.table, indexes: new Map(indexes) };
      this.failure = undefined;
    }
  }

  private refuse(failure: Unavailable): void {
    const known = this.failure?.detail === failure.detail;
    this.failure = failure;
    if (known) return;
    const message = this.loaded ? 'the table cannot be read: the last one stays' : 'the table cannot be read';
    this.log.error({ source: this.name, reason: failure.reason, detail: failure.detail }, message);
  }

  /** A column that a mapping asks for and the table does not have is a mistake that would look like a person without a value. */
  private warnOfMissing(lookup: string, column: string): void {
    const key = `${lookup}.${column.toLowerCase()}`;
    if (this.missed.has(key)) return;
    this.missed.add(key);
    this.log.warn({ source: this.name, lookup, column }, 'the table has no such column');
  }
}
