/** Mapped to nothing, or to a space, before a directory compares (RFC 4518 §2.2). */
const mapped = /[\p{Default_Ignorable_Code_Point}\p{Cc}\u2028\u2029]/u;

/** Without a space nothing of it is mapped, normalised or trimmed. */
const visibleAscii = /^[!-~]+$/;

/**
 * Whether a directory compares a text as what it is, but for case. Directories prepare texts (RFC 4518): full-width letters become
 * plain ones, invisible characters and outer spaces vanish. Who can choose such a text could so be found as somebody else.
 */
export function comparesAsItself(text: string): boolean {
  if (visibleAscii.test(text)) return true;
  return text.normalize('NFKC') === text.normalize('NFC') && !mapped.test(text) && text.trim() === text;
}
