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
