import { unavailable, type Unavailable } from '#claims';
import { LRUCache } from 'lru-cache';
import { settleOn } from '../settle-on.js';
import { integer } from './account-state.js';
import type { Conversation, Conversations } from './conversation.js';
import type { Domains } from './domains.js';
import { binaryAttributes } from './entry-attributes.js';
import { groupsBySid } from './filters.js';
import type { DirectoryEntry } from './ldap-connection.js';
import type { GroupsConfig } from './ldap-lookup.js';
import { readWhole } from './read-whole.js';

/** A group, as far as its directory shows it. */
export interface Group {
  readonly dn: string;
  readonly name: string | undefined;
  readonly sid: Uint8Array | undefined;
  /** groupType (MS-ADTS §2.2.12), as an unsigned number; undefined where the directory has none. */
  readonly type: number | undefined;
}

/** By SID in hexadecimal; undefined where the directory shows no such group. */
export type GroupsBySid = ReadonlyMap<string, Group | undefined>;

type Resolved = { readonly kind: 'groups'; readonly groups: GroupsBySid };

/** Well below the 1,000 entries of one answer, and few enough for the directory to go by its index of objectSid. */
const batchSize = 100;

/** A group that is not there may be created, or become readable. */
const unknownTtl = 5 * 60_000;

const binary = binaryAttributes([]);

/** Which SID is which group: asked for in batches, by nobody twice at the same time, and kept. */
export class GroupTable {
  private cache: LRUCache<string, { readonly group: Group | undefined }> | undefined;
  private readonly underWay = new Map<string, Promise<Resolved | Unavailable>>();

  constructor(
    private readonly conversations: Conversations,
    private readonly domains: Domains,
    private readonly config: GroupsConfig,
  ) {}

  /** Made when it is first needed: it takes its room at once, and most lookups never ask for groups. */
  private get kept(): LRUCache<string, { readonly group: Group | undefined }> {
    return (this.cache ??= new LRUCache({ max: this.config.names.entries }));
  }

  /** The work belongs to no caller: others may wait for it, and what comes late serves the next sign-in. */
  async resolve(sids: readonly Uint8Array[], signal: AbortSignal): Promise<Resolved | Unavailable> {
    const groups = new Map<string, Group | undefined>();
    const waitFor = new Set<Promise<Resolved | Unavailable>>();
    const missing = new Map<string, Uint8Array>();
    for (const sid of sids) {
      const key = sidKey(sid);
      const kept = this.kept.get(key);
      const batch = this.underWay.get(key);
      if (kept) groups.set(key, kept.group);
      else if (batch) waitFor.add(batch);
      else missing.set(key, sid);
    }
    for (let rest = [...missing.values()]; rest.length > 0; rest = rest.slice(batchSize))
      waitFor.add(this.start(rest.slice(0, batchSize)));
    const batches = waitFor.size === 0 ? [] : await settleOn(signal, Promise.all(waitFor));
    if (batches === 'aborted') return unavailable('timeout');
    for (const batch of batches) {
      if (batch.kind === 'unavailable') return batch;
      for (const [key, group] of batch.groups) groups.set(key, group);
    }
    return { kind: 'groups', groups: new Map(sids.map(sidKey).map((key) => [key, groups.get(key)])) };
  }

  private start(sids: readonly Uint8Array[]): Promise<Resolved | Unavailable> {
    const keys = sids.map(sidKey);
    const batch = this.ask(sids).finally(() => {
      for (const key of keys) this.underWay.delete(key);
    });
    for (const key of keys) this.underWay.set(key, batch);
    return batch;
  }

  private async ask(sids: readonly Uint8Array[]): Promise<Resolved | Unavailable> {
    const signal = AbortSignal.timeout(this.conversations.limit);
    const base = await baseOf(this.config, this.domains, signal);
    if (base.kind === 'unavailable') return base;
    const found = await this.conversations.hold(signal, async (conversation) => {
      const answer = await conversation.search(
        { base: base.name, scope: 'sub', filter: groupsBySid(sids), attributes: groupAttributes(this.config) },
        sids.length,
      );
      if (answer.kind === 'unavailable') return answer;
      if (answer.more) return unavailable('malformed', 'more groups than SIDs');
      return readGroups(conversation, answer.entries, this.config);
    });
    if (found.kind === 'unavailable') return found;
    const bySid = new Map(found.groups.map((group) => [group.sid && sidKey(group.sid), group]));
    const groups = new Map(sids.map(sidKey).map((key) => [key, bySid.get(key)]));
    const { ttl } = this.config.names;
    for (const [key, group] of groups)
      if (ttl > 0) this.kept.set(key, { group }, { ttl: group ? ttl : Math.min(ttl, unknownTtl) });
    return { kind: 'groups', groups };
  }
}

export const sidKey = (sid: Uint8Array): string => Buffer.from(sid).toString('hex');

/** Where groups are searched. */
export async function baseOf(
  { base }: GroupsConfig,
  domains: Domains,
  signal: AbortSignal,
): Promise<{ readonly kind: 'context'; readonly name: string } | Unavailable> {
  return base === undefined ? domains.defaultBase(signal) : { kind: 'context', name: base };
}

export const groupAttributes = ({ name }: GroupsConfig): readonly string[] => [name, 'objectSid', 'groupType'];

export async function readGroups(
  conversation: Conversation,
  entries: readonly DirectoryEntry[],
  config: GroupsConfig,
): Promise<{ readonly kind: 'list'; readonly groups: readonly Group[] } | Unavailable> {
  const groups: Group[] = [];
  for (const entry of entries) {
    const whole = await readWhole(conversation, entry, groupAttributes(config), binary);
    if (whole.kind === 'unavailable') return whole;
    const [name] = whole.reader.values(config.name);
    const [sid] = whole.reader.values('objectSid');
    const type = integer(whole.reader.values('groupType'));
    groups.push({
      dn: entry.name,
      name: typeof name === 'string' && name.length > 0 ? name : undefined,
      sid: sid instanceof Uint8Array ? sid : undefined,
      type: type === undefined ? undefined : Number(BigInt.asUintN(32, type)),
    });
  }
  return { kind: 'list', groups };
}
