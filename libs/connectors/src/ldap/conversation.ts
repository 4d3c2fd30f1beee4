import { unavailable, type Unavailable } from '#claims';
import { settleOn } from '../settle-on.js';
import { serverTimeLimit, type Answer, type DirectoryEntry, type LdapConnection, type Search } from './ldap-connection.js';
import type { LdapConnections } from './ldap-connections.js';
import { isServerTrouble, isSessionTrouble, resultName, searchFailure } from './result-codes.js';

/** A search of a conversation, which adds the time limit. */
export type Question = Omit<Search, 'timeLimit' | 'after' | 'sizeLimit'> & {
  /** A base that does not exist has no entries; otherwise it is a mistake of the configuration. */
  readonly absentBase?: 'empty';
};

export interface Entries {
  readonly kind: 'entries';
  readonly entries: readonly DirectoryEntry[];
  /** The directory has more than were wanted. */
  readonly more: boolean;
  /** Where else entries may be. */
  readonly references: readonly string[];
}

const noSuchObject = 32;
const sizeLimitExceeded = 4;
/** Some servers say so where a search without pages has too many entries. */
const adminLimitExceeded = 11;

/** Below Active Directory's MaxPageSize of 1,000 and slapd's default of 500. */
const pageSize = 500;

/**
 * A server keeps the state of a paged search with the connection, and slapd only that of the last one: paged searches take turns.
 */
const turns = new WeakMap<LdapConnection, Promise<unknown>>();

/** The searches of one lookup, one after the other over one connection, so that one server answers them all. */
export class Conversation {
  private lost = false;

  constructor(
    private readonly connections: Pick<LdapConnections, 'giveUp'>,
    private readonly connection: LdapConnection,
    private readonly timeLimit: number,
    private readonly signal: AbortSignal,
  ) {}

  /** Whether a search of it has no answer because of its connection, so that another may have one. */
  get isLost(): boolean {
    return this.lost;
  }

  /** No more than so many entries. */
  async search(question: Question, atMost: number): Promise<Entries | Unavailable> {
    const answer = await this.ask(question, { sizeLimit: atMost });
    return answer.kind === 'unavailable' ? answer : toEntries(answer);
  }

  /**
   * Every entry; unavailable(limit) where there are more than allowed. Most answers fit into a page and need none: pages (RFC 2696) are
   * asked for, from the beginning, where there are more.
   */
  async searchAll(question: Question, atMost: number): Promise<Entries | Unavailable> {
    const answer = await this.ask(question, { sizeLimit: pageSize }, adminLimitExceeded);
    if (answer.kind === 'unavailable') return answer;
    const entries = toEntries(answer);
    if (!entries.more && answer.code !== adminLimitExceeded) return entries.entries.length > atMost ? tooMany(atMost) : entries;
    const before = turns.get(this.connection);
    const pages = (async () => {
      // What became of the one before is its own affair.
      await before?.catch(() => undefined);
      return this.pages(question, atMost);
    })();
    turns.set(this.connection, pages);
    const settled = await settleOn(this.signal, pages);
    return settled === 'aborted' ? unavailable('timeout') : settled;
  }

  private async pages(question: Question, atMost: number): Promise<Entries | Unavailable> {
    const entries: DirectoryEntry[] = [];
    const references: string[] = [];
    for (let after: Uint8Array | undefined = new Uint8Array(); after;) {
      const answer: AnsweredSearch | Unavailable = await this.ask(question, { sizeLimit: pageSize, after });
      if (answer.kind === 'unavailable') return answer;
      entries.push(...answer.entries);
      references.push(...answer.references);
      if (toEntries(answer).more || entries.length > atMost) return tooMany(atMost);
      after = answer.cookie;
    }
    return { kind: 'entries', entries, more: false, references };
  }

  private async ask(
    { absentBase, ...search }: Question,
    extent: Pick<Search, 'sizeLimit' | 'after'>,
    accepted?: number,
  ): Promise<AnsweredSearch | Unavailable> {
    const answer = await this.connection.search({ ...search, ...extent, timeLimit: this.timeLimit }, this.signal);
    if (answer.kind === 'closed') this.lost = true;
    if (answer.kind !== 'result') return failure(answer);
    const { code } = answer;
    if (code === 0 || code === sizeLimitExceeded || code === accepted || (absentBase && code === noSuchObject)) return answer;
    const isTrouble = isSessionTrouble(code) || isServerTrouble(code);
    if (!isTrouble || !this.connections.giveUp(this.connection, code)) return failure(answer);
    this.lost = true;
    return unavailable('connection', resultName(code));
  }
}

/** Whoever has several searches to do, over connections that may be lost. */
export class Conversations {
  private readonly timeLimit: number;

  /** @param limit how long an operation may work, in milliseconds */
  constructor(
    private readonly connections: LdapConnections,
    readonly limit: number,
  ) {
    this.timeLimit = serverTimeLimit(limit);
  }

  /** Searches change nothing, so a conversation that lost its connection is held once more, from its beginning, over another. */
  async hold<Result extends { readonly kind: string }>(
    signal: AbortSignal,
    talk: (conversation: Conversation) => Promise<Result | Unavailable>,
  ): Promise<Result | Unavailable> {
    for (let lost: LdapConnection | undefined; ;) {
      const acquiring = this.connections.acquire(lost);
      const acquired = acquiring instanceof Promise ? await settleOn(signal, acquiring) : acquiring;
      if (acquired === 'aborted') return unavailable('timeout', 'no connection yet');
      if (acquired.kind === 'failed') return unavailable(acquired.reason, acquired.detail);
      const conversation = new Conversation(this.connections, acquired.connection, this.timeLimit, signal);
      const result = await talk(conversation);
      const isLost = conversation.isLost && result.kind === 'unavailable' && (result as Unavailable).reason === 'connection';
      if (!isLost || lost || this.connections.isClosed) return result;
      lost = acquired.connection;
    }
  }
}

type AnsweredSearch = Extract<Answer, { kind: 'result' }>;

function toEntries({ code, entries, surplus, references }: AnsweredSearch): Entries {
  return { kind: 'entries', entries, more: surplus || code === sizeLimitExceeded, references };
}

function tooMany(atMost: number): Unavailable {
  return unavailable('limit', `more than ${atMost} entries, or than the directory sends`);
}

/** Why a search has no answer. */
function failure(answer: Answer): Unavailable {
  switch (answer.kind) {
    case 'aborted':
      return unavailable('timeout');
    case 'closed':
      return unavailable('connection', answer.detail);
    case 'malformed':
      return unavailable('malformed');
    case 'tooMuch':
      return unavailable('limit', 'an answer larger than allowed');
    case 'result':
      return unavailable(searchFailure(answer.code), resultName(answer.code));
  }
}
