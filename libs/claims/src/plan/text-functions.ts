/** The part before the last @, as Entra's ExtractMailPrefix gives it; a text without @ stays as it is. */
export function mailPrefix(value: string): string {
  const at = value.lastIndexOf('@');
  return at < 0 ? value : value.slice(0, at);
}

/**
 * The value of the first relative distinguished name, unescaped (RFC 4514 §3): `CN=Finance\, EMEA,OU=Groups,DC=corp` gives
 * `Finance, EMEA`. Text that is not a distinguished name stays as it is.
 */
export function groupName(value: string): string {
  const match = /^[A-Za-z][A-Za-z0-9-]*=((?:\\.|[^,+\\])*)(?:[,+]|$)/s.exec(value);
  if (!match) return value;
  const encoded = withoutPadding(match[1]!);
  if (!encoded.includes('\\')) return encoded.toWellFormed();
  const bytes: number[] = [];
  for (let index = 0; index < encoded.length; index++) {
    const pair = /^\\([0-9A-Fa-f]{2})/.exec(encoded.slice(index, index + 3));
    if (pair) {
      bytes.push(Number.parseInt(pair[1]!, 16));
      index += 2;
      continue;
    }
    if (encoded[index] === '\\') index++;
    const character = String.fromCodePoint(encoded.codePointAt(index)!);
    bytes.push(...Buffer.from(character, 'utf8'));
    index += character.length - 1;
  }
  return Buffer.from(bytes).toString('utf8');
}

/** Without the spaces around it; one that is escaped belongs to the value. */
function withoutPadding(encoded: string): string {
  let [start, end] = [0, encoded.length];
  while (encoded[start] === ' ') start++;
  while (end > start && encoded[end - 1] === ' ') end--;
  let backslashes = 0;
  while (encoded[end - 1 - backslashes] === '\\') backslashes++;
  return encoded.slice(start, backslashes % 2 === 0 ? end : end + 1);
}

/** The text after the first `after`, before the next `before`; undefined where one of them is not there. */
export function extract(value: string, after: string | undefined, before: string | undefined): string | undefined {
  const found = after === undefined ? 0 : value.indexOf(after);
  if (found < 0) return undefined;
  const start = found + (after?.length ?? 0);
  const end = before === undefined ? value.length : value.indexOf(before, start);
  return end < 0 ? undefined : value.slice(start, end);
}

/** The letters (Unicode) or decimal digits (0 to 9) at one end of a text; '' where there are none. */
export function run(value: string, what: 'letters' | 'digits', end: 'prefix' | 'suffix'): string {
  const characters = [...value];
  const isWanted = (character: string): boolean => (what === 'digits' ? /^[0-9]$/ : /^[\p{L}\p{M}]$/u).test(character);
  if (end === 'prefix') {
    const stop = characters.findIndex((character) => !isWanted(character));
    return characters.slice(0, stop < 0 ? characters.length : stop).join('');
  }
  return characters.slice(characters.findLastIndex((character) => !isWanted(character)) + 1).join('');
}

/** Characters as people count them at least roughly: code points, never half of one. */
export function substring(value: string, start: number, length: number | undefined): string {
  return [...value].slice(start, length === undefined ? undefined : start + length).join('');
}

/** Sorted by code points. JavaScript's own order is that of UTF-16, in which U+1F600 comes before U+FFFD; that of UTF-8's bytes is right. */
export function inCodePointOrder(values: readonly string[]): string[] {
  if (!values.some((value) => /[\ud800-\udfff]/.test(value))) return values.toSorted();
  const encoded = values.map((value) => ({ value, bytes: Buffer.from(value) }));
  return encoded.toSorted((left, right) => Buffer.compare(left.bytes, right.bytes)).map(({ value }) => value);
}

/** Whether a value has what is wanted, which is in lower case, ignoring its own case. */
export type TextTest = (wanted: string) => (value: string) => boolean;

export const textTests = {
  contains: (wanted) => (value) => value.toLowerCase().includes(wanted),
  startsWith: (wanted) => (value) => value.toLowerCase().startsWith(wanted),
  endsWith: (wanted) => (value) => value.toLowerCase().endsWith(wanted),
} satisfies Record<string, TextTest>;
