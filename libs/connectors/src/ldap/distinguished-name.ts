/** No RDN is longer: Active Directory takes 255 characters, slapd's own limit is higher (RFC 4512 states none). */
const maximumValueBytes = 1_024;

/**
 * A text as an attribute value of a distinguished name (RFC 4514 §2.4): everything but plain letters and digits is written as
 * hexadecimal pairs, so nothing in it can be syntax. Undefined where no name can have such a value.
 */
export function nameValue(text: string): string | undefined {
  const bytes = Buffer.from(text);
  if (!text.isWellFormed() || bytes.length === 0 || bytes.length > maximumValueBytes) return undefined;
  let escaped = '';
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    escaped += /[A-Za-z0-9]/.test(character) ? character : `\\${byte.toString(16).padStart(2, '0')}`;
  }
  return escaped;
}

/** The DNS name of the domain that holds an entry, from the domain components at the end of its name (RFC 2247), in lower case. */
export function domainOf(name: string): string | undefined {
  const parts = name.split(',');
  const labels: string[] = [];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    const [, label] = /^\s*DC\s*=\s*([A-Za-z0-9_-]+)\s*$/i.exec(part) ?? [];
    // A comma behind an odd number of backslashes is part of a value.
    const isEscaped = (/\\*$/.exec(parts.at(-1) ?? '')?.[0].length ?? 0) % 2 === 1;
    if (label === undefined || isEscaped) break;
    labels.unshift(label.toLowerCase());
  }
  return labels.length === 0 ? undefined : labels.join('.');
}

/** One piece of a value: a byte in hexadecimal, an escaped character (RFC 4514 §3; Samba escapes others too), or characters as they are. */
const piece = /\\(?:([0-9A-Fa-f]{2})|([^0-9A-Fa-f]))|[^\\,+]+/uy;
const attributeType = /^ *(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*) *$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The values of each RDN of a distinguished name (RFC 4514), the first one first; the types are left out, because one type has several
 * names. Undefined where the text is no such name, or a value no text.
 */
export function valuesOfName(name: string): readonly (readonly string[])[] | undefined {
  if (name === '') return [];
  const rdns: string[][] = [[]];
  for (let at = 0; ;) {
    const equals = name.indexOf('=', at);
    if (equals < 0 || !attributeType.test(name.slice(at, equals))) return undefined;
    const value = readValue(name, equals + 1);
    if (!value) return undefined;
    rdns.at(-1)!.push(value.text);
    if (value.end === name.length) return rdns;
    if (name[value.end] === ',') rdns.push([]);
    at = value.end + 1;
  }
}

function readValue(name: string, start: number): { readonly text: string; readonly end: number } | undefined {
  const bytes: Buffer[] = [];
  let end = start;
  for (;;) {
    piece.lastIndex = end;
    const [whole, pair, character] = piece.exec(name) ?? [];
    if (whole === undefined) break;
    end += whole.length;
    if (pair !== undefined) bytes.push(Buffer.from(pair, 'hex'));
    else if (character !== undefined) bytes.push(Buffer.from(character));
    else {
      // Spaces round a value do not belong to it, unless they are escaped.
      const begun = bytes.length === 0 ? whole.trimStart() : whole;
      bytes.push(Buffer.from(name[end] === '\\' ? begun : begun.trimEnd()));
    }
  }
  if (name[end] === '\\') return undefined;
  try {
    return { text: utf8.decode(Buffer.concat(bytes)), end };
  } catch {
    return undefined;
  }
}
