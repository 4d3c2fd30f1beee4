import { StartError } from '../process/start-error.js';
import { DistinguishedName } from './distinguished-name.js';
import { LdifError, parseLdif, printLdif, type LdifAttribute, type LdifRecord } from './ldif.js';
import { sidText } from './identifiers.js';
import { sambaDomain } from './samba-domain.js';

export interface SambaEntries {
  /** Content records, parents before their children as in the given text. */
  readonly add: string;
  /** Change records: what can be said only when every entry exists. */
  readonly modify: string;
}

const context = DistinguishedName.parse(sambaDomain.baseDn)!;
/** Worked out by the directory, or given in another way. */
const neverAdded: ReadonlySet<string> = new Set(['memberof', 'userpassword', 'member', 'primarygroupid', 'lockouttime']);

/** An Active Directory keeps a password as UTF-16LE in quotation marks ([MS-ADTS] §3.1.1.3.1.5). */
const passwordValue = (password: string): Uint8Array => Buffer.from(`"${password}"`, 'utf16le');

/** Entries as the other directories of the tests take them, in the way in which Samba takes them. Throws a StartError. */
export function sambaEntries(ldif: string): SambaEntries {
  const records = read(ldif).filter(({ dn }) => DistinguishedName.parse(dn)?.key !== context.key);
  const stranger = records.find(({ dn }) => DistinguishedName.parse(dn)?.isWithin(context) !== true);
  if (stranger) throw new StartError('start.input', `LDIF line ${stranger.line}: the entry is not below ${sambaDomain.baseDn}.`);
  return {
    add: printLdif(records.map(addition)),
    modify: [...records.map(memberships), ...records.map(primaryGroup), ...records.map(lockout)].join(''),
  };
}

/** A change record that sets the password of an account. */
export const passwordChange = (dn: string, password: string): string => replacement(dn, 'unicodePwd', passwordValue(password));

function read(ldif: string): readonly LdifRecord[] {
  try {
    return parseLdif(ldif);
  } catch (error) {
    if (error instanceof LdifError) throw new StartError('start.input', error.message);
    throw error;
  }
}

function addition({ dn, attributes }: LdifRecord): Pick<LdifRecord, 'dn' | 'attributes'> {
  const [password] = valuesOf(attributes, 'userpassword');
  const unicodePwd = password && { name: 'unicodePwd', values: [passwordValue(Buffer.from(password).toString('utf8'))] };
  const control = { name: 'userAccountControl', values: [Buffer.from('512')] };
  const isAccount = valuesOf(attributes, 'objectclass').some(
    (name) => Buffer.from(name).toString('utf8').toLowerCase() === 'user',
  );
  return {
    dn,
    attributes: [
      ...attributes.filter(({ name }) => !neverAdded.has(name.toLowerCase())).map(readable),
      ...(unicodePwd ? [unicodePwd] : []),
      // Samba disables an account that does not say; the other directories do not.
      ...(isAccount && valuesOf(attributes, 'useraccountcontrol').length === 0 ? [control] : []),
    ],
  };
}

/** Samba's tools take the bytes of a GUID but not those of a SID. */
function readable(attribute: LdifAttribute): LdifAttribute {
  if (attribute.name.toLowerCase() !== 'objectsid') return attribute;
  return { ...attribute, values: attribute.values.map((value) => Buffer.from(sidText(value) ?? Buffer.from(value).toString())) };
}

function memberships({ dn, attributes }: LdifRecord): string {
  const members = valuesOf(attributes, 'member');
  return members.length === 0 ? '' : change(dn, 'add', 'member', members);
}

/** An account can have only a group as its primary one that it is a member of. */
function primaryGroup({ dn, attributes }: LdifRecord): string {
  const [identifier] = valuesOf(attributes, 'primarygroupid');
  const text = identifier && Buffer.from(identifier).toString('utf8');
  if (text === undefined || text === '513') return '';
  const joining = change(`<SID=${sambaDomain.sid}-${text}>`, 'add', 'member', [Buffer.from(dn, 'utf8')]);
  return joining + replacement(dn, 'primaryGroupID', Buffer.from(text));
}

function lockout({ dn, attributes }: LdifRecord): string {
  const [time] = valuesOf(attributes, 'lockouttime');
  return time ? replacement(dn, 'lockoutTime', time) : '';
}

const replacement = (dn: string, name: string, value: Uint8Array): string => change(dn, 'replace', name, [value]);

function change(dn: string, operation: 'add' | 'replace', name: string, values: readonly Uint8Array[]): string {
  const lines = values.map((value) => `${name}:: ${base64(value)}\n`).join('');
  return `dn:: ${base64(Buffer.from(dn, 'utf8'))}\nchangetype: modify\n${operation}: ${name}\n${lines}-\n\n`;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const valuesOf = (attributes: readonly LdifAttribute[], wanted: string): readonly Uint8Array[] =>
  attributes.find(({ name }) => name.toLowerCase() === wanted)?.values ?? [];
