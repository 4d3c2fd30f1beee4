import type { AttributeValue } from '#claims';
import { foldCase } from '../fold-case.js';
import { valuesOfName } from './distinguished-name.js';

/**
 * Mapped to nothing, or to a space, before a directory compares (RFC 4518 §2.2). Of its list the properties lack only the Mongolian
 * soft hyphen, the object replacement character and the Ogham space; what is invisible and newer than the list they have too.
 */
const mapped = /[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u1680\u1806\ufffc]/u;

/** Without a space nothing of it is mapped, normalised or trimmed. */
const visibleAscii = /^[!-~]+$/;

/**
 * Whether a directory compares a text as what it is, but for case. Directories prepare texts (RFC 4518): full-width letters become
 * plain ones, the Kelvin sign a K, invisible characters and outer spaces vanish, two inner spaces are one. Who can choose such a text
 * could so be found as somebody else.
 */
export function comparesAsItself(text: string): boolean {
  if (visibleAscii.test(text)) return true;
  const composed = text.normalize('NFC');
  if (text !== composed && text !== text.normalize('NFD')) return false;
  return text.normalize('NFKC') === composed && !mapped.test(text) && text.trim() === text && !text.includes('  ');
}

/** Attributes whose values compare in another way than as texts, numbers or names; telephone numbers by their digits (RFC 4517 §4.2). */
const notTexts: ReadonlySet<string> = new Set(
  [
    'telephoneNumber',
    'homePhone',
    'homeTelephoneNumber',
    'mobile',
    'mobileTelephoneNumber',
    'pager',
    'pagerTelephoneNumber',
    'facsimileTelephoneNumber',
    'internationaliSDNNumber',
    'x121Address',
    'postalAddress',
    'homePostalAddress',
    'registeredAddress',
    'objectClass',
    'objectCategory',
    'createTimestamp',
    'modifyTimestamp',
    'whenCreated',
    'whenChanged',
  ].map((name) => name.toLowerCase()),
);

/**
 * Whether a directory took an entry for one that has this text, though none of its values is the text but for case: to Active Directory
 * `adéle` equals `adele` ([MS-ADTS] §6.5.1). Where there are no values to tell by, or no texts, it is left to the directory.
 */
export function foundByLikeness(asked: string, attribute: string, values: readonly AttributeValue[]): boolean {
  const texts = values.filter((value) => typeof value === 'string');
  return texts.length > 0 && !notTexts.has(attribute.toLowerCase()) && !texts.some((text) => isSame(asked, text));
}

/** A value of an attribute whose syntax nobody tells: the same text, the same integer or the same distinguished name. */
function isSame(asked: string, value: string): boolean {
  return isSameText(asked, value) || isSameInteger(asked, value) || isSameName(asked, value);
}

/**
 * Whether two texts are one but for case, form of normalisation and spaces that do not count (RFC 4518 §2.6.1). Accents, width and
 * ligatures are no matter of case, nor is the `ß`, which some directories take for `ss`.
 */
export function isSameText(asked: string, value: string): boolean {
  return asked === value || folded(asked) === folded(value);
}

function folded(text: string): string {
  const spaced = text.split(' ').filter(Boolean).join(' ');
  return foldCase(spaced.normalize('NFC')).replaceAll('ς', 'σ');
}

const integer = /^-?\d{1,40}$/;

function isSameInteger(asked: string, value: string): boolean {
  return integer.test(asked) && integer.test(value) && BigInt(asked) === BigInt(value);
}

function isSameName(asked: string, value: string): boolean {
  const [left, right] = [valuesOfName(asked), valuesOfName(value)];
  if (!left || !right || left.length !== right.length) return false;
  return left.every((values, index) => {
    const others = right[index]!;
    return values.length === others.length && values.every((each) => others.some((other) => isSameText(each, other)));
  });
}
