import type { AttributeValue } from '#claims';
import type { EntryAttribute } from './ldap-connection.js';

/**
 * Attributes of directories whose values are bytes also where they happen to be readable text: those of Active Directory's schema
 * with the syntax of a SID, a security descriptor or an octet string that somebody may want to read. Of the last kind teletex and
 * registered addresses are left out, which hold text, and passwords.
 */
const usualBinaryAttributes = [
  // SIDs
  'objectSid',
  'mS-DS-CreatorSID',
  'msDS-ComputerSID',
  'msDS-ShadowPrincipalSid',
  'msExchMasterAccountSid',
  'msRTCSIP-OriginatorSid',
  'securityIdentifier',
  'sIDHistory',
  'syncWithSID',
  'tokenGroups',
  'tokenGroupsGlobalAndUniversal',
  'tokenGroupsNoGCAcceptable',
  // GUIDs and other identifiers
  'objectGUID',
  'parentGUID',
  'attributeSecurityGUID',
  'schemaIDGUID',
  'mS-DS-ConsistencyGuid',
  'msDS-CloudAnchor',
  'msDS-DeviceID',
  'msDS-GenerationId',
  'msDS-RegisteredOwner',
  'msDS-RegisteredUsers',
  'msExchArchiveGUID',
  'msExchDisabledArchiveGUID',
  'msExchMailboxGuid',
  'msRTCSIP-UserRoutingGroupId',
  'netbootGUID',
  // security descriptors
  'nTSecurityDescriptor',
  'msDS-AllowedToActOnBehalfOfOtherIdentity',
  'msDS-GroupMSAMembership',
  'msExchMailboxSecurityDescriptor',
  // certificates, pictures and sound, and what is left
  'attributeCertificateAttribute',
  'authorityRevocationList',
  'cACertificate',
  'certificateRevocationList',
  'crossCertificatePair',
  'deltaRevocationList',
  'userCert',
  'userCertificate',
  'userPKCS12',
  'userSMIMECertificate',
  'audio',
  'jpegPhoto',
  'photo',
  'thumbnailLogo',
  'thumbnailPhoto',
  'logonHours',
  'logonWorkstation',
  'msExchBlockedSendersHash',
  'msExchSafeRecipientsHash',
  'msExchSafeSendersHash',
];

export function binaryAttributes(configured: readonly string[]): ReadonlySet<string> {
  return new Set([...usualBinaryAttributes, ...configured].map((name) => name.toLowerCase()));
}

/** `[from, to]`; `to` is Infinity for the last part. */
type ValueRange = readonly [from: number, to: number];

/**
 * The option by which Active Directory sends a part of an attribute's values: `range=0-1499`, the last part `range=1500-*`
 * (MS-ADTS §3.1.1.3.1.3.3). Undefined where an option is not one.
 */
export function valueRange(option: string): ValueRange | undefined {
  const [, from, to] = /^range=(\d{1,9})-(\*|\d{1,9})$/i.exec(option) ?? [];
  if (from === undefined || to === undefined) return undefined;
  const range: ValueRange = [Number(from), to === '*' ? Infinity : Number(to)];
  return range[1] < range[0] ? undefined : range;
}

interface Gathered {
  /** As the server spells it. */
  readonly type: string;
  readonly values: AttributeValue[];
  /** The index of the first value that has not come yet; undefined where all have. */
  next: number | undefined;
}

/**
 * Gathers the attributes that were asked for, ignoring case, from one answer or several. Subtypes such as `description;lang-en` count
 * only where asked for by that name, `;binary` is the attribute itself (RFC 4522). A value that is not UTF-8 stays bytes.
 */
export class EntryReader {
  private readonly wanted: ReadonlySet<string>;
  private readonly gathered = new Map<string, Gathered>();
  private size = 0;

  constructor(
    projection: readonly string[],
    private readonly binary: ReadonlySet<string>,
  ) {
    this.wanted = new Set(projection.map((name) => name.toLowerCase()));
  }

  /** The bytes of all values so far. */
  get bytes(): number {
    return this.size;
  }

  /** What to ask for next, as `member;range=1500-*`; empty once everything is there. */
  get remaining(): readonly string[] {
    return [...this.gathered.values()].flatMap(({ type, next }) => (next === undefined ? [] : [`${type};range=${next}-*`]));
  }

  /**
   * Takes the entry, or a further part of it. False where a part is missing or is not the one that comes next: the values cannot be put
   * together.
   */
  add(entry: readonly EntryAttribute[]): boolean {
    const awaited = new Set([...this.gathered.values()].filter(({ next }) => next !== undefined));
    for (const { type, values } of entry) {
      const [name, ...options] = type.split(';') as [string, ...string[]];
      const range = options.map(valueRange).find((parsed) => parsed !== undefined);
      const [from, to] = range ?? [0, Infinity];
      const others = options.filter((option) => !valueRange(option));
      const asked = this.askedAs(name, others);
      if (asked === undefined || (values.length === 0 && range === undefined)) continue;
      const gathered = this.gathered.get(asked) ?? { type: [name, ...others].join(';'), values: [], next: 0 };
      if (gathered.next !== from || (to !== Infinity && values.length !== to - from + 1)) return false;
      const bytes = this.binary.has(name.toLowerCase()) || others.some((option) => option.toLowerCase() === 'binary');
      for (const value of values) {
        this.size += value.length;
        gathered.values.push(bytes ? value : text(value));
      }
      gathered.next = to === Infinity ? undefined : to + 1;
      this.gathered.set(asked, gathered);
      awaited.delete(gathered);
    }
    // A part that was asked for and is not in the answer may be anywhere: fewer values by now, or a server that knows no ranges.
    return awaited.size === 0;
  }

  values(attribute: string): readonly AttributeValue[] {
    return this.gathered.get(attribute.toLowerCase())?.values ?? [];
  }

  /** Under which of the names that were asked for an attribute counts. */
  private askedAs(name: string, options: readonly string[]): string | undefined {
    const plain = name.toLowerCase();
    const description = options.length === 0 ? plain : [name, ...options].join(';').toLowerCase();
    if (this.wanted.has(description)) return description;
    return options.every((option) => option.toLowerCase() === 'binary') && this.wanted.has(plain) ? plain : undefined;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function text(value: Uint8Array): AttributeValue {
  try {
    return utf8.decode(value);
  } catch {
    return value;
  }
}
