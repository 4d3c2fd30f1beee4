import { DistinguishedName } from './distinguished-name.js';
import { sidBytes } from './identifiers.js';
import { preparedText, type PrepareText } from './prepared-text.js';

/** How the values of an attribute compare (RFC 4517 §4.2). */
export type Syntax = 'text' | 'octets' | 'sid' | 'name' | 'integer';

const octetAttributes = ['objectGUID', 'mS-DS-ConsistencyGuid', 'jpegPhoto', 'thumbnailPhoto', 'userCertificate'];
/** Bytes that a filter may also give as `S-1-5-…` ([MS-ADTS] §3.1.1.3.1.2.5). */
const sidAttributes = ['objectSid', 'sIDHistory', 'tokenGroups'];
const nameAttributes = ['member', 'memberOf', 'distinguishedName', 'manager', 'directReports', 'managedBy', 'owner', 'seeAlso'];
const integerAttributes = [
  'userAccountControl',
  'groupType',
  'primaryGroupID',
  'sAMAccountType',
  'uSNChanged',
  'uSNCreated',
  'accountExpires',
  'lockoutTime',
  'pwdLastSet',
];

const syntaxes: ReadonlyMap<string, Syntax> = new Map([
  ...octetAttributes.map((name) => [name.toLowerCase(), 'octets'] as const),
  ...sidAttributes.map((name) => [name.toLowerCase(), 'sid'] as const),
  ...nameAttributes.map((name) => [name.toLowerCase(), 'name'] as const),
  ...integerAttributes.map((name) => [name.toLowerCase(), 'integer'] as const),
]);

/** Attributes that are neither returned nor compared: a directory only checks them at bind. */
export const isSecret = (attribute: string): boolean => ['userpassword', 'unicodepwd'].includes(attribute.toLowerCase());

export const syntaxOf = (attribute: string): Syntax => syntaxes.get(attribute.toLowerCase()) ?? 'text';

/** The attributes that exist without an entry that has them. */
export const isKnownAttribute = (attribute: string): boolean => syntaxes.has(attribute.toLowerCase());

const strictText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * A text that is equal for equal values of this syntax; undefined where the bytes are no value of it.
 */
export function matchingKey(syntax: Syntax, value: Uint8Array, prepare: PrepareText = preparedText): string | undefined {
  if (syntax === 'octets') return Buffer.from(value).toString('latin1');
  if (syntax === 'sid') return Buffer.from(sidBytes(Buffer.from(value).toString('latin1')) ?? value).toString('latin1');
  let text: string;
  try {
    text = strictText.decode(value);
  } catch {
    return undefined;
  }
  if (syntax === 'name') return DistinguishedName.parse(text)?.key;
  if (syntax === 'integer') return /^(?:0|-?[1-9][0-9]*)$/.test(text) ? String(BigInt(text)) : undefined;
  return prepare(text);
}
