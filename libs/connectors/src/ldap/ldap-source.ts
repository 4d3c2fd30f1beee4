import {
  Source,
  ambiguous,
  found,
  notFound,
  unavailable,
  type LookupDescription,
  type LookupQuery,
  type Outcome,
  type ProbeResult,
} from '#claims';
import type { ConnectorDependencies } from '../connector.js';
import { settleOn } from '../settle-on.js';
import { binaryAttributes, readEntry } from './entry-attributes.js';
import type { EncodedFilter } from './filter-template.js';
import type { LdapConfig, LdapLookup } from './ldap-config.js';
import type { Answer, LdapConnection, Search } from './ldap-connection.js';
import { LdapConnections } from './ldap-connections.js';
import { endsConnection, resultName, searchFailure } from './result-codes.js';
import { comparesAsItself } from './string-preparation.js';

const scopes = { base: 'base', one: 'one', subtree: 'sub' } as const;

interface Prepared {
  readonly lookup: LdapLookup;
  readonly binary: ReadonlySet<string>;
}

/** A directory: each lookup is one search. Referrals are not followed. */
export class LdapSource extends Source {
  override readonly lookups: ReadonlyMap<string, LookupDescription>;
  private readonly prepared: ReadonlyMap<string, Prepared>;
  private readonly connections: LdapConnections;
  private readonly timeLimit: number;

  constructor(
    override readonly name: string,
    config: LdapConfig,
    { secrets, log }: ConnectorDependencies,
  ) {
    super();
    const lookups = Object.entries(config.lookups);
    this.lookups = new Map(lookups.map(([key, { parameters, locate }]) => [key, { parameters, locate }]));
    this.prepared = new Map(lookups.map(([key, lookup]) => [key, { lookup, binary: binaryAttributes(lookup.binaryAttributes) }]));
    this.connections = new LdapConnections(name, config, secrets, log);
    this.timeLimit = Math.ceil(config.limits.operation / 1_000);
  }

  override async fetch(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    const prepared = this.prepared.get(query.lookup);
    if (!prepared) throw new Error(`${this.name} has no lookup ${query.lookup}`);
    const { lookup, binary } = prepared;
    const template = lookup.filters[query.locateRule ?? 0];
    if (!template) throw new Error(`${this.name}.${query.lookup} has no locate rule ${query.locateRule}`);
    const filter = template.encode(query.parameters);
    if (this.connections.isClosed) return unavailable('internal', 'the source is closed');
    if (filter === 'impossible' || ![...query.parameters.values()].every(comparesAsItself)) return notFound('noEntry');
    return this.ask(this.search(lookup, filter, query.projection), query.projection, binary, signal);
  }

  override probe(signal: AbortSignal): Promise<ProbeResult> {
    return this.connections.probe(signal);
  }

  override close(): Promise<void> {
    this.connections.close();
    return Promise.resolve();
  }

  private search(lookup: LdapLookup, filter: EncodedFilter, projection: readonly string[]): Search {
    const attributes = projection.length > 0 ? projection : ['1.1'];
    return { base: lookup.base, scope: scopes[lookup.scope], filter, attributes, sizeLimit: 2, timeLimit: this.timeLimit };
  }

  /** A search changes nothing, so one that lost its connection is asked once more on another. */
  private async ask(
    search: Search,
    projection: readonly string[],
    binary: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const openedBefore = this.connections.opened;
    for (let attempt = 1; ; attempt++) {
      const acquired = await settleOn(signal, this.connections.acquire(attempt === 1 ? 0 : openedBefore));
      if (acquired === 'aborted') return unavailable('timeout', 'no connection yet');
      if (acquired.kind === 'failed') return unavailable(acquired.reason, acquired.detail);
      const answer = await acquired.connection.search(search, signal);
      if (answer.kind === 'closed' && attempt === 1 && !this.connections.isClosed) continue;
      return this.outcome(answer, acquired.connection, projection, binary);
    }
  }

  private outcome(
    answer: Answer,
    connection: LdapConnection,
    projection: readonly string[],
    binary: ReadonlySet<string>,
  ): Outcome {
    if (answer.kind !== 'result' || (answer.code !== 0 && answer.code !== 4)) {
      if (answer.kind === 'result' && endsConnection.has(answer.code)) connection.retire();
      const { reason, detail } = failure(answer);
      return unavailable(reason, detail);
    }
    const [entry, another] = answer.entries;
    if (answer.code === 4 || another || answer.surplus) return ambiguous;
    if (!entry) return notFound('noEntry');
    const read = readEntry(entry, projection, binary);
    if (read.kind === 'partial')
      return unavailable('limit', `${read.attribute} has more values than the directory sends at once`);
    return found(read.attributes);
  }
}

function failure(answer: Answer): Extract<Outcome, { kind: 'unavailable' }> {
  switch (answer.kind) {
    case 'aborted':
      return unavailable('timeout');
    case 'closed':
      return unavailable('connection', answer.detail);
    case 'malformed':
      return unavailable('malformed');
    case 'result':
      return unavailable(searchFailure(answer.code), resultName(answer.code));
  }
}
