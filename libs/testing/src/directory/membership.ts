import { DistinguishedName } from './distinguished-name.js';
import type { Entry } from './entry.js';
import { sidText } from './identifiers.js';
import type { LdifAttribute, LdifRecord } from './ldif.js';
import { matchingKey } from './syntax.js';

interface Member {
  readonly record: LdifRecord;
  readonly key: string;
  /** The SID of the group that `primaryGroupID` names, in the domain of the account's own SID. */
  readonly primaryGroup: string | undefined;
}

/**
 * The records with `memberOf` added: the name of each record whose `member` names it; values already there are kept. Membership in the
 * primary group is in neither attribute, as in Active Directory ([MS-ADTS] §3.1.1.4.5.19 tells why clients must look elsewhere).
 */
export function withMemberOf(records: readonly LdifRecord[]): readonly LdifRecord[] {
  const members = records.map(memberOf);
  const byPrimaryGroup = Map.groupBy(members, ({ primaryGroup }) => primaryGroup);
  const groups = new Map<string, string[]>();
  const trimmed = members.map(({ record }) => {
    const hidden = new Set((byPrimaryGroup.get(sidOf(record)) ?? []).map(({ key }) => key));
    const shown = sidOf(record) === undefined || hidden.size === 0 ? record : withoutMembers(record, hidden);
    for (const key of namesIn(shown.attributes, 'member')) {
      const names = groups.get(key);
      if (names) names.push(shown.dn);
      else groups.set(key, [shown.dn]);
    }
    return shown;
  });
  return trimmed.map((record, index) => withBackLinks(record, groups.get(members[index]!.key) ?? []));
}

/**
 * `tokenGroups`: the SIDs of the security groups that an account is in, directly or through security groups, its primary group
 * included ([MS-ADTS] §3.1.1.4.5.19).
 */
export function tokenGroupsOf(
  account: Entry,
  directory: { entryByKey(key: string): Entry | undefined; entryBySid(sid: Uint8Array): Entry | undefined },
): readonly Uint8Array[] {
  const found = new Map<string, Uint8Array>();
  const add = (sid: Uint8Array): Entry | undefined => {
    const known = found.has(hex(sid));
    found.set(hex(sid), sid);
    return known ? undefined : directory.entryBySid(sid);
  };
  const groupsOf = (entry: Entry): readonly Entry[] =>
    (entry.attributes.get('memberof')?.keys ?? []).flatMap((key) => (key && directory.entryByKey(key)) || []);
  const primary = primaryGroupSid(account);
  const next = [...groupsOf(account)];
  const primaryGroup = primary && add(primary);
  if (primaryGroup) next.push(...groupsOf(primaryGroup));
  for (const group of next) {
    const [sid] = group.attributes.get('objectsid')?.values ?? [];
    if (sid && isSecurityGroup(group) && add(sid)) next.push(...groupsOf(group));
  }
  return [...found.values()];
}

const securityEnabled = 0x80000000n;

/** A group that does not say is one for security, as in Active Directory. */
function isSecurityGroup(group: Entry): boolean {
  const [type] = group.attributes.get('grouptype')?.keys ?? [];
  return type === undefined || (BigInt(type) & securityEnabled) !== 0n;
}

function primaryGroupSid(account: Entry): Uint8Array | undefined {
  const [sid] = account.attributes.get('objectsid')?.values ?? [];
  const [identifier] = account.attributes.get('primarygroupid')?.keys ?? [];
  return sid && identifier !== undefined ? inDomainOf(sid, Number(identifier)) : undefined;
}

/** The SID of the same domain with another relative identifier, its last four bytes. */
function inDomainOf(sid: Uint8Array, relative: number): Uint8Array | undefined {
  if (sidText(sid) === undefined || sid.length < 12) return undefined;
  const bytes = Buffer.from(sid);
  bytes.writeUInt32LE(relative >>> 0, bytes.length - 4);
  return bytes;
}

function memberOf(record: LdifRecord): Member {
  const key = DistinguishedName.parse(record.dn)?.key ?? '';
  const [sid] = valuesOf(record.attributes, 'objectsid');
  const [identifier] = valuesOf(record.attributes, 'primarygroupid');
  const primary = sid && identifier && inDomainOf(sid, Number(Buffer.from(identifier).toString('latin1')));
  return { record, key, primaryGroup: primary && hex(primary) };
}

function withoutMembers(record: LdifRecord, hidden: ReadonlySet<string>): LdifRecord {
  const attributes = record.attributes.flatMap((attribute) => {
    if (attribute.name.toLowerCase() !== 'member') return [attribute];
    const values = attribute.values.filter((value) => !hidden.has(matchingKey('name', value) ?? ''));
    return values.length === 0 ? [] : [{ ...attribute, values }];
  });
  return { ...record, attributes };
}

function withBackLinks(record: LdifRecord, groups: readonly string[]): LdifRecord {
  const known = namesIn(record.attributes, 'memberof');
  const added = groups.filter((dn) => !known.has(DistinguishedName.parse(dn)?.key ?? ''));
  if (added.length === 0) return record;
  const values = added.map((dn): Uint8Array => Buffer.from(dn, 'utf8'));
  const others = record.attributes.filter(({ name }) => name.toLowerCase() !== 'memberof');
  return {
    ...record,
    attributes: [...others, { name: 'memberOf', values: [...valuesOf(record.attributes, 'memberof'), ...values] }],
  };
}

const namesIn = (attributes: readonly LdifAttribute[], wanted: string): ReadonlySet<string> =>
  new Set(
    valuesOf(attributes, wanted)
      .map((value) => matchingKey('name', value))
      .filter((key) => key !== undefined),
  );

function sidOf({ attributes }: LdifRecord): string | undefined {
  const [sid] = valuesOf(attributes, 'objectsid');
  return sid && hex(sid);
}

const valuesOf = (attributes: readonly LdifAttribute[], wanted: string): readonly Uint8Array[] =>
  attributes.find(({ name }) => name.toLowerCase() === wanted)?.values ?? [];

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
