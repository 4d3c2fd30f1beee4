import { sidText, unavailable, type AttributeValue, type Unavailable } from '#claims';
import { integer } from './account-state.js';
import type { Conversation, Entries } from './conversation.js';
import type { GroupForm } from './derived-attributes.js';
import { domainOf } from './distinguished-name.js';
import type { Domains } from './domains.js';
import { binaryAttributes } from './entry-attributes.js';
import { FilterTemplate } from './filter-template.js';
import { everything } from './filters.js';
import { baseOf, groupAttributes, readGroups, sidKey, type Group, type GroupTable } from './group-table.js';
import type { GroupsConfig } from './ldap-lookup.js';
import { readWhole } from './read-whole.js';

/** The person whose groups are asked for. */
export interface Member {
  readonly dn: string;
  values(attribute: string): readonly AttributeValue[];
}

type Named = { readonly kind: 'forms'; readonly forms: ReadonlyMap<GroupForm, readonly string[]> };

/** A group of the person by its SID, its entry, or both: the directory may show no entry of the SID. */
type Membership = { readonly sid: Uint8Array; readonly group?: Group } | { readonly sid?: undefined; readonly group: Group };

/** MS-ADTS §3.1.1.4.5.19 and §3.1.1.4.5.20. */
type ComputedAttribute = 'tokenGroups' | 'tokenGroupsGlobalAndUniversal';

const maximumGroups = 5_000;
const inChain = '1.2.840.113556.1.4.1941';
const domainLocal = 0x4;
const securityEnabled = 0x8000_0000;

const binary = binaryAttributes([]);

/** Works out whom a person belongs to: unavailable where any part of that cannot be read, never a part of the groups. */
export class GroupMembership {
  private readonly direct: FilterTemplate;
  private readonly nested: FilterTemplate;

  constructor(
    private readonly config: GroupsConfig,
    private readonly table: GroupTable,
    private readonly domains: Domains,
    private readonly onUnresolved: () => void,
  ) {
    this.direct = groupFilter(config, '(member={person})');
    this.nested = groupFilter(config, `(|(member:${inChain}:={person})(member:${inChain}:={primary}))`);
  }

  /** The attribute that has the groups' SIDs, which only a search of base scope is answered; undefined where groups are searched. */
  get computedAttribute(): ComputedAttribute | undefined {
    const { by } = this.config;
    return by === 'tokenGroups' || by === 'tokenGroupsGlobalAndUniversal' ? by : undefined;
  }

  async read(
    member: Member,
    forms: readonly GroupForm[],
    conversation: Conversation,
    signal: AbortSignal,
  ): Promise<Named | Unavailable> {
    const { computedAttribute } = this;
    const all = computedAttribute
      ? await this.computed(computedAttribute, member, forms, conversation, signal)
      : await this.searched(member, conversation, signal);
    if (all.kind === 'unavailable') return all;
    const counted = all.memberships.filter((membership) => this.counts(membership));
    const named = new Map<GroupForm, readonly string[]>();
    for (const form of forms) {
      const texts = await this.texts(form, counted, signal);
      if (texts.kind === 'unavailable') return texts;
      named.set(form, [...new Set(texts.texts)].toSorted());
    }
    return { kind: 'forms', forms: named };
  }

  private async computed(
    attribute: ComputedAttribute,
    member: Member,
    forms: readonly GroupForm[],
    conversation: Conversation,
    signal: AbortSignal,
  ): Promise<Memberships | Unavailable> {
    const computed = await computedSids(attribute, member, conversation);
    if (computed.kind === 'unavailable') return computed;
    const bySid = new Map([...computed.sids, ...primaryGroup(member)].map((sid) => [sidKey(sid), sid]));
    const sids = [...bySid.values()].filter((sid) => !this.config.leaveOut.includes('builtin') || !isBuiltin(sid));
    if (forms.every((form) => form === 'sid') && !this.config.leaveOut.includes('domainLocal'))
      return { kind: 'memberships', memberships: sids.map((sid) => ({ sid })) };
    const resolved = await this.table.resolve(sids, signal);
    if (resolved.kind === 'unavailable') return resolved;
    const memberships = sids.map((sid) => {
      const group = resolved.groups.get(sidKey(sid));
      return group ? { sid, group } : { sid };
    });
    const hidden = memberships.filter(({ group }) => group?.name === undefined).length;
    if (hidden > 0 && (this.config.unresolved === 'unavailable' || hidden === sids.length))
      return unavailable('refused', `the directory shows no group, or no name, for ${hidden} of ${sids.length} SIDs`);
    if (hidden > 0) this.onUnresolved();
    return { kind: 'memberships', memberships };
  }

  private async searched(member: Member, conversation: Conversation, signal: AbortSignal): Promise<Memberships | Unavailable> {
    const base = await baseOf(this.config, this.domains, signal);
    if (base.kind === 'unavailable') return base;
    const primary = await this.primary(member, signal);
    if (primary.kind === 'unavailable') return primary;
    const [group] = primary.groups;
    const nested = this.config.by === 'chain';
    const filter = (nested ? this.nested : this.direct).encode(
      new Map([
        ['person', member.dn],
        ['primary', group?.dn ?? member.dn],
      ]),
    );
    if (filter === 'impossible') return unavailable('malformed', 'a name that is no text');
    const answer: Entries | Unavailable = await conversation.searchAll(
      { base: base.name, scope: 'sub', filter, attributes: groupAttributes(this.config) },
      maximumGroups,
    );
    if (answer.kind === 'unavailable') return answer;
    const read = await readGroups(conversation, answer.entries, this.config);
    if (read.kind === 'unavailable') return read;
    const memberships = [...primary.groups, ...read.groups].map((each) => ({ group: each, ...(each.sid && { sid: each.sid }) }));
    if (memberships.some(({ group: { name } }) => name === undefined))
      return unavailable('refused', `a group has no ${this.config.name} that the service may read`);
    return { kind: 'memberships', memberships };
  }

  /** It is not among the groups whose `member` the person is (Microsoft: Primary-Group-ID attribute). */
  private async primary(
    member: Member,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'list'; readonly groups: readonly Group[] } | Unavailable> {
    const sids = primaryGroup(member);
    if (sids.length === 0) return { kind: 'list', groups: [] };
    const resolved = await this.table.resolve(sids, signal);
    if (resolved.kind === 'unavailable') return resolved;
    const [group] = resolved.groups.values();
    return group ? { kind: 'list', groups: [group] } : unavailable('refused', 'the directory does not show the primary group');
  }

  private counts({ sid, group }: Membership): boolean {
    const { leaveOut } = this.config;
    if (leaveOut.includes('builtin') && sid && isBuiltin(sid)) return false;
    const type = group?.type;
    if (type === undefined) return true;
    if (leaveOut.includes('distribution') && (type & securityEnabled) === 0) return false;
    return !(leaveOut.includes('domainLocal') && (type & domainLocal) !== 0);
  }

  private async texts(
    form: GroupForm,
    memberships: readonly Membership[],
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'texts'; readonly texts: readonly string[] } | Unavailable> {
    const texts: string[] = [];
    for (const { sid, group } of memberships) {
      const text = form === 'sid' ? sid && sidText(sid) : group && (await this.textOf(form, group, signal));
      if (typeof text === 'object') return text;
      if (text !== undefined) texts.push(text);
    }
    return { kind: 'texts', texts };
  }

  private async textOf(
    form: Exclude<GroupForm, 'sid'>,
    group: Group,
    signal: AbortSignal,
  ): Promise<string | undefined | Unavailable> {
    const { dn, name, sid } = group;
    if (form === 'dn') return dn;
    if (form === 'name' || name === undefined) return name;
    // What is built in belongs to no domain, whichever one keeps its entry (MS-DTYP §2.4.2.4).
    if (sid && isBuiltin(sid)) return `BUILTIN\\${name}`;
    const domain = domainOf(dn);
    if (domain === undefined) return unavailable('refused', 'a group is in no domain, so its name cannot be qualified');
    if (form === 'longDomainQualifiedName') return `${domain}\\${name}`;
    const configured = this.config.domains[domain];
    if (configured !== undefined) return `${configured}\\${name}`;
    const netbios = await this.domains.netbiosName(domain, signal);
    return netbios.kind === 'unavailable' ? netbios : `${netbios.name}\\${name}`;
  }
}

interface Memberships {
  readonly kind: 'memberships';
  readonly memberships: readonly Membership[];
}

/** The SIDs that the domain controller computed. None at all means that they cannot be read: everybody is in a group. */
async function computedSids(
  attribute: ComputedAttribute,
  member: Member,
  conversation: Conversation,
): Promise<{ readonly kind: 'sids'; readonly sids: readonly Uint8Array[] } | Unavailable> {
  let values = member.values(attribute);
  if (values.length === 0) {
    const answer = await conversation.search({ base: member.dn, scope: 'base', filter: everything, attributes: [attribute] }, 1);
    if (answer.kind === 'unavailable') return answer;
    const [entry] = answer.entries;
    const whole = entry && (await readWhole(conversation, entry, [attribute], binary));
    if (whole?.kind === 'unavailable') return whole;
    values = whole?.reader.values(attribute) ?? [];
  }
  const sids = values.filter((value) => value instanceof Uint8Array);
  if (sids.length === 0)
    return unavailable('refused', `${attribute} has no value: no right to read it, no global catalog, or no Active Directory`);
  return sids.length > maximumGroups ? unavailable('limit', `more than ${maximumGroups} groups`) : { kind: 'sids', sids };
}

/** The SID of the primary group: that of the domain, and primaryGroupID as its last part. */
function primaryGroup(member: Member): readonly Uint8Array[] {
  const [sid] = member.values('objectSid');
  const rid = integer(member.values('primaryGroupID'));
  if (!(sid instanceof Uint8Array) || sid.length < 12 || rid === undefined || rid < 0n || rid > 0xffff_ffffn) return [];
  const primary = Buffer.from(sid);
  primary.writeUInt32LE(Number(rid), primary.length - 4);
  return [primary];
}

/** S-1-5-32-… (MS-DTYP §2.4.2.4). */
function isBuiltin(sid: Uint8Array): boolean {
  return sid.length === 16 && sidText(sid)?.startsWith('S-1-5-32-') === true;
}

function groupFilter({ filter }: GroupsConfig, membership: string): FilterTemplate {
  const parsed = FilterTemplate.parse(`(&${filter}${membership})`);
  if (parsed.kind === 'refused') throw new Error(parsed.reason);
  return parsed.template;
}
