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
    'objectCategory',
    'createTimestamp',
    'modifyTimestamp',
    'whenCreated',
    'whenChanged',
  ].map((name) => name.toLowerCase()),
);

/** How an attribute that a directory compared stands to a text: `untold` where its values compare in another way, or are no texts. */
export type Resemblance = 'same' | 'alike' | 'absent' | 'untold';

/**
 * Whether one of the values is the text, but for case, or all of them are only something that the directory took for it: to Active
 * Directory `adéle` equals `adele` ([MS-ADTS] §6.5.1).
 */
export function resemblance(asked: string, attribute: string, values: readonly AttributeValue[]): Resemblance {
  if (values.length === 0) return 'absent';
  const texts = values.filter((value) => typeof value === 'string');
  if (texts.some((text) => isSame(asked, text))) return 'same';
  return texts.length === 0 || notTexts.has(attribute.toLowerCase()) ? 'untold' : 'alike';
}

/** A value of an attribute whose syntax nobody tells: the same text, the same integer or the same distinguished name. */
function isSame(asked: string, value: string): boolean {
  return isSameText(asked, value) || isSameInteger(asked, value) || isSameName(asked, value);
}

/**
 * Whether two texts are one but for case, form of normalisation and spaces that do not count (RFC 4518 §2.6.1). Accents, width and
 * ligatures are no matter of case, nor is the `ß`, which some directories take for `ss`.
 */
function isSameText(asked: string, value: string): boolean {
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
