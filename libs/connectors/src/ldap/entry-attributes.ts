import { Attributes, type AttributeValue } from '#claims';
import type { EntryAttribute } from './ldap-connection.js';

/** Attributes of directories whose values are bytes also where they happen to be readable text. */
const usualBinaryAttributes = [
  'objectGUID',
  'objectSid',
  'mS-DS-ConsistencyGuid',
  'tokenGroups',
  'userCertificate',
  'thumbnailPhoto',
];

export function binaryAttributes(configured: readonly string[]): ReadonlySet<string> {
  return new Set([...usualBinaryAttributes, ...configured].map((name) => name.toLowerCase()));
}

export type ReadEntry =
  | { readonly kind: 'attributes'; readonly attributes: Attributes }
  /** The server sent only a part of the attribute's values. */
  | { readonly kind: 'partial'; readonly attribute: string };

/**
 * The attributes that were asked for, ignoring case; subtypes such as `description;lang-en` count only where asked for by that
 * name, `;binary` is the attribute itself (RFC 4522). A value that is not UTF-8 stays bytes.
 */
export function readEntry(
  entry: readonly EntryAttribute[],
  projection: readonly string[],
  binary: ReadonlySet<string>,
): ReadEntry {
  const wanted = new Set(projection.map((name) => name.toLowerCase()));
  const read: [string, AttributeValue[]][] = [];
  for (const { type, values } of entry) {
    const description = type.toLowerCase();
    const [name, ...options] = description.split(';');
    const range = options.find((option) => option.startsWith('range='));
    const plain = options.every((option) => option === 'binary' || option === range) ? name! : description;
    const asked = wanted.has(description) ? description : plain;
    if (!wanted.has(asked)) continue;
    // Active Directory sends `member;range=0-1499` beside an empty `member` (MS-ADTS §3.1.1.3.1.3.3); `*` marks the last part.
    if (range !== undefined && range !== 'range=0-*') return { kind: 'partial', attribute: name! };
    if (values.length === 0) continue;
    const bytes = binary.has(name!) || options.includes('binary');
    read.push([asked, values.map((value) => (bytes ? value : text(value)))]);
  }
  return { kind: 'attributes', attributes: new Attributes(read) };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function text(value: Uint8Array): AttributeValue {
  try {
    return utf8.decode(value);
  } catch {
    return value;
  }
}
