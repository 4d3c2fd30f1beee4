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
  type Unavailable,
} from '#claims';
import { RepeatingSource, type ConnectorDependencies } from '../connector.js';
import { accountState } from './account-state.js';
import { Conversations, type Conversation, type Entries, type Question } from './conversation.js';
import { accountValue, projectionOf, type Projection } from './derived-attributes.js';
import { Domains } from './domains.js';
import { binaryAttributes, type EntryReader } from './entry-attributes.js';
import { GroupMembership } from './group-membership.js';
import { GroupTable } from './group-table.js';
import type { LdapConfig } from './ldap-config.js';
import type { DirectoryEntry } from './ldap-connection.js';
import { LdapConnections } from './ldap-connections.js';
import type { LdapLookup } from './ldap-lookup.js';
import type { RefusedAccounts } from './refused-accounts.js';
import { maximumBytes, readWhole } from './read-whole.js';
import { mayHoldPeople } from './referrals.js';
import { comparesAsItself } from './string-preparation.js';

/** What a lookup for many entries may answer at most. */
const maximumEntries = 1_000;

interface CheckedProjection extends Projection {
  /** Why it cannot be asked for. A mapping that asks for it does not compile. */
  readonly refusal: string | undefined;
}

interface Prepared {
  readonly lookup: LdapLookup;
  readonly binary: ReadonlySet<string>;
  readonly membership: GroupMembership;
  /** By the names that were asked for: a plan asks with the same list each time. */
  readonly projections: WeakMap<readonly string[], CheckedProjection>;
}

type OnlyAlike = (entry: DirectoryEntry, reader: EntryReader) => boolean;

/** A directory: each lookup is a search, and what it takes to complete its answer. Referrals are not followed. */
export class LdapSource extends RepeatingSource {
  override readonly lookups: ReadonlyMap<string, LookupDescription>;
  private readonly prepared: ReadonlyMap<string, Prepared>;
  private readonly connections: LdapConnections;
  private readonly conversations: Conversations;
  private readonly warned = new Set<string>();

  constructor(
    override readonly name: string,
    config: LdapConfig,
    private readonly dependencies: ConnectorDependencies,
    accounts: RefusedAccounts,
  ) {
    super();
    const lookups = Object.entries(config.lookups);
    this.lookups = new Map(lookups.map(([key, { parameters, locate, refuses }]) => [key, { parameters, locate, refuses }]));
    const base = constantBase(lookups.map(([, lookup]) => lookup));
    this.connections = new LdapConnections(name, config, dependencies.secrets, dependencies.log, accounts, base);
    this.conversations = new Conversations(this.connections, config.limits.operation);
    const domains = new Domains(this.conversations);
    this.prepared = new Map(
      lookups.map(([key, lookup]) => {
        const table = new GroupTable(this.conversations, domains, lookup.groups);
        const onUnresolved = (): void => this.warnOnce(key, 'the directory does not show every group of a person by its SID');
        const membership = new GroupMembership(lookup.groups, table, domains, onUnresolved);
        return [key, { lookup, binary: binaryAttributes(lookup.binaryAttributes), membership, projections: new WeakMap() }];
      }),
    );
  }

  override async fetch(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    const prepared = this.prepared.get(query.lookup);
    if (!prepared) throw new Error(`${this.name} has no lookup ${query.lookup}`);
    const { lookup } = prepared;
    const asked = lookup.questions[query.locateRule ?? 0];
    if (!asked) throw new Error(`${this.name}.${query.lookup} has no locate rule ${query.locateRule}`);
    const [base, filter] = [asked.base.encode(query.parameters), asked.filter.encode(query.parameters)];
    if (this.connections.isClosed) return unavailable('internal', 'the source is closed');
    if (base === 'impossible' || filter === 'impossible' || ![...query.parameters.values()].every(comparesAsItself))
      return notFound('noEntry');
    const projection = projectionFor(prepared, query.projection);
    if (projection.refusal !== undefined) return unavailable('refused', projection.refusal);

    // Where the person is found by a search of base scope, it brings the groups' SIDs along; elsewhere that takes a second one.
    const { computedAttribute } = prepared.membership;
    const bringsGroups = asked.scope === 'base' && projection.groups.size > 0 && computedAttribute;
    const attributes = [...projection.fetched, ...(bringsGroups ? [computedAttribute] : [])];
    const { evidence } = asked.filter;
    for (const attribute of evidence.attributes)
      if (!attributes.some((each) => each.toLowerCase() === attribute.toLowerCase())) attributes.push(attribute);
    const isOnlyAlike = (entry: DirectoryEntry, reader: EntryReader): boolean =>
      asked.base.isOnlyAlike(query.parameters, entry.name) ||
      evidence.isOnlyAlike(query.parameters, (attribute) => reader.values(attribute));
    const question: Question = {
      base: base.name,
      scope: asked.scope,
      filter,
      attributes: attributes.length > 0 ? attributes : ['1.1'],
      ...(asked.base.isFilled && { absentBase: 'empty' }),
    };
    return this.conversations.hold(signal, (conversation) =>
      lookup.entries === 'many'
        ? this.findAll(query.lookup, prepared, question, projection, isOnlyAlike, conversation)
        : this.findOne(query.lookup, prepared, question, projection, isOnlyAlike, conversation, signal),
    );
  }

  override probe(signal: AbortSignal): Promise<ProbeResult> {
    return this.connections.probe(signal);
  }

  override close(): Promise<void> {
    this.connections.close();
    return Promise.resolve();
  }

  private async findOne(
    name: string,
    prepared: Prepared,
    question: Question,
    projection: Projection,
    isOnlyAlike: OnlyAlike,
    conversation: Conversation,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const answer = await conversation.search(question, 2);
    if (answer.kind === 'unavailable') return answer;
    const [entry, another] = answer.entries;
    if (answer.more || another) return ambiguous;
    if (!entry) return this.elsewhere(name, prepared, answer) ?? notFound('noEntry');
    const whole = await readWhole(conversation, entry, question.attributes, prepared.binary);
    if (whole.kind === 'unavailable') return whole;
    if (isOnlyAlike(entry, whole.reader)) return this.elsewhere(name, prepared, answer) ?? notFound('noEntry');
    return this.complete(prepared, entry, whole.reader, projection, conversation, signal);
  }

  /** The attributes of the entry, and those that are worked out. */
  private async complete(
    { lookup, membership }: Prepared,
    entry: DirectoryEntry,
    reader: EntryReader,
    projection: Projection,
    conversation: Conversation,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const values = (attribute: string): readonly AttributeValue[] => reader.values(attribute);
    const attributes: [string, readonly AttributeValue[]][] = projection.passedOn.map((attribute) => [
      attribute,
      values(attribute),
    ]);
    if (projection.account.size > 0 || lookup.notFoundWhen.length > 0) {
      const { lockoutDuration, withoutLockoutTime } = lookup;
      const account = accountState(values, { now: Date.now(), lockoutDuration, withoutLockoutTime });
      for (const condition of lookup.notFoundWhen) {
        const is = account.is(condition);
        if (is === undefined) return untold(condition);
        if (is) return notFound('excluded');
      }
      for (const [attribute, wanted] of projection.account) {
        const texts = accountValue(account, wanted);
        if (!texts) return untold(wanted);
        attributes.push([attribute, texts]);
      }
    }
    if (projection.groups.size > 0) {
      const forms = [...new Set(projection.groups.values())];
      const groups = await membership.read({ dn: entry.name, values }, forms, conversation, signal);
      if (groups.kind === 'unavailable') return groups;
      for (const [attribute, form] of projection.groups) attributes.push([attribute, groups.forms.get(form)!]);
    }
    return found(new Attributes(attributes));
  }

  private async findAll(
    name: string,
    prepared: Prepared,
    question: Question,
    { fetched }: Projection,
    isOnlyAlike: OnlyAlike,
    conversation: Conversation,
  ): Promise<Outcome> {
    const answer = await conversation.searchAll(question, maximumEntries);
    if (answer.kind === 'unavailable') return answer;
    const elsewhere = this.elsewhere(name, prepared, answer);
    if (elsewhere) return elsewhere;
    const gathered = new Map<string, AttributeValue[]>(fetched.map((attribute) => [attribute, []]));
    let [bytes, isEmpty] = [0, true];
    for (const entry of answer.entries) {
      const whole = await readWhole(conversation, entry, question.attributes, prepared.binary);
      if (whole.kind === 'unavailable') return whole;
      bytes += whole.reader.bytes;
      if (bytes > maximumBytes) return unavailable('limit', `more than ${maximumBytes} bytes`);
      if (isOnlyAlike(entry, whole.reader)) continue;
      isEmpty = false;
      for (const [attribute, values] of gathered) for (const value of whole.reader.values(attribute)) values.push(value);
    }
    return isEmpty ? notFound('noEntry') : found(new Attributes(gathered));
  }

  /** Unavailable where the directory refers to another place, which was not searched, for who may be there. */
  private elsewhere(name: string, { lookup }: Prepared, { references }: Entries): Unavailable | undefined {
    if (!references.some(mayHoldPeople)) return undefined;
    this.warnOnce(name, 'the directory refers to other servers for a part of what is searched; referrals are not followed');
    return lookup.referrals === 'ignore' ? undefined : unavailable('refused', 'a referral to elsewhere, which is not followed');
  }

  private warnOnce(lookup: string, message: string): void {
    const key = `${lookup} ${message}`;
    if (this.warned.has(key)) return;
    this.warned.add(key);
    this.dependencies.log.warn({ source: this.name, lookup }, message);
  }
}

function projectionFor({ lookup, projections }: Prepared, asked: readonly string[]): CheckedProjection {
  const known = projections.get(asked);
  if (known) return known;
  const refused = asked.find((name) => lookup.refuses(name) !== undefined);
  const refusal = refused === undefined ? undefined : `no ${refused}: ${lookup.refuses(refused)}`;
  const projection = { ...projectionOf(asked, lookup.notFoundWhen), refusal };
  projections.set(asked, projection);
  return projection;
}

/** Where one of the lookups begins its searches, whoever is looked up; the root where that depends on the person each time. */
function constantBase(lookups: readonly LdapLookup[]): string | undefined {
  const base = lookups.flatMap(({ questions }) => questions).find((question) => !question.base.isFilled)?.base;
  const encoded = base?.encode(new Map());
  return encoded === 'impossible' ? undefined : encoded?.name;
}

/** Not the same as no: a right is missing, or the server computes no such thing. */
function untold(condition: string): Unavailable {
  return unavailable('refused', `the directory does not say account.${condition}`);
}
