/** Mapped to nothing, or to a space, before a directory compares (RFC 4518 §2.2). */
const mapped = /[\p{Default_Ignorable_Code_Point}\p{Cc}\u2028\u2029]/u;

/** Without a space nothing of it is mapped, normalised or trimmed. */
const visibleAscii = /^[!-~]+$/;

/** Ignores case, accents, width and the kind of kana, as Active Directory compares texts ([MS-ADTS] §6.5.1). */
const loosely = new Intl.Collator('en-US', { sensitivity: 'base' });

const folded = (text: string): string => text.normalize('NFC').toLowerCase();

/**
 * Whether a directory found an entry by a text that none of its values is: to Active Directory `adéle` equals `adele`. Values that
 * are no relatives of the text were compared in another way than as texts, and are left to the directory.
 */
export function foundByLikeness(asked: string, values: readonly unknown[]): boolean {
  const texts = values.filter((value) => typeof value === 'string');
  return texts.some((text) => loosely.compare(text, asked) === 0) && !texts.some((text) => folded(text) === folded(asked));
}

/**
 * Whether a directory compares a text as what it is, but for case. Directories prepare texts (RFC 4518): full-width letters become
 * plain ones, invisible characters and outer spaces vanish. Who can choose such a text could so be found as somebody else.
 */
export function comparesAsItself(text: string): boolean {
  if (visibleAscii.test(text)) return true;
  return text.normalize('NFKC') === text.normalize('NFC') && !mapped.test(text) && text.trim() === text;
}
