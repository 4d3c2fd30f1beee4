export interface LdifAttribute {
  /** As spelled where it first occurs in the record. */
  readonly name: string;
  readonly values: readonly Uint8Array[];
}

export interface LdifRecord {
  readonly dn: string;
  /** The line where the record begins, counted from 1. */
  readonly line: number;
  readonly attributes: readonly LdifAttribute[];
}

/** A text that is not LDIF, or asks for what this reader refuses. Never repeats a value. */
export class LdifError extends Error {
  override readonly name = 'LdifError';
  readonly code = 'ldif.malformed';
  readonly line: number;

  constructor(line: number, reason: string) {
    super(`LDIF line ${line}: ${reason}`);
    this.line = line;
  }
}

interface Line {
  readonly number: number;
  readonly text: string;
}

const pair = /^([A-Za-z0-9][A-Za-z0-9.-]*(?:;[A-Za-z0-9-]+)*):([:<]?) *(.*)$/s;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * The content records of an LDIF text (RFC 2849), in order. Throws an LdifError for a malformed text, for change records and for
 * values that are read from a URL (`attribute:< file:…`).
 */
export function parseLdif(text: string): readonly LdifRecord[] {
  const blocks: Line[][] = [[]];
  for (const line of unfold(text)) {
    if (line.text === '') blocks.push([]);
    else blocks.at(-1)!.push(line);
  }
  const first = blocks.find((block) => block.length > 0);
  if (first?.[0] && /^version:/i.test(first[0].text)) first.shift();
  return blocks.filter((block) => block.length > 0).map(recordOf);
}

/** Joins continuation lines (one leading space) and drops comments with theirs. */
function unfold(text: string): readonly Line[] {
  const lines: { number: number; text: string }[] = [];
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    const last = lines.at(-1);
    if (!line.startsWith(' ')) lines.push({ number: index + 1, text: line });
    else if (last && last.text !== '') last.text += line.slice(1);
    else throw new LdifError(index + 1, 'there is no line to continue');
  }
  return lines.filter((line) => !line.text.startsWith('#'));
}

function recordOf(lines: readonly Line[]): LdifRecord {
  const [head, ...rest] = lines.map(pairOf);
  if (head!.name.toLowerCase() !== 'dn') throw new LdifError(head!.line, 'a record must begin with dn');
  const attributes = new Map<string, { name: string; values: Uint8Array[] }>();
  for (const { line, name, value } of rest) {
    const key = name.toLowerCase();
    if (key === 'changetype' || key === 'control') throw new LdifError(line, 'change records are not accepted');
    if (key === 'dn') throw new LdifError(line, 'dn occurs twice: a blank line is missing');
    const attribute = attributes.get(key) ?? { name, values: [] };
    attribute.values.push(value);
    attributes.set(key, attribute);
  }
  const dn = new TextDecoder().decode(head!.value);
  return { dn, line: head!.line, attributes: [...attributes.values()] };
}

function pairOf(line: Line): { readonly line: number; readonly name: string; readonly value: Uint8Array } {
  const [, name, kind, rest] = pair.exec(line.text) ?? [];
  if (name === undefined || rest === undefined) throw new LdifError(line.number, 'expected "attribute: value"');
  if (kind === '<') throw new LdifError(line.number, 'values from a URL are not accepted');
  if (kind === '') return { line: line.number, name, value: Buffer.from(rest, 'utf8') };
  const encoded = rest.trimEnd();
  if (!base64.test(encoded)) throw new LdifError(line.number, 'the value is not base64');
  return { line: line.number, name, value: Buffer.from(encoded, 'base64') };
}

const line = (name: string, value: Uint8Array): string => `${name}:: ${Buffer.from(value).toString('base64')}\n`;

/** Writes records so that `parseLdif` reads the same bytes: every value in base64. */
export function printLdif(records: readonly Pick<LdifRecord, 'dn' | 'attributes'>[]): string {
  const lines = (record: Pick<LdifRecord, 'dn' | 'attributes'>): string =>
    record.attributes.flatMap(({ name, values }) => values.map((value) => line(name, value))).join('');
  return records.map((record) => line('dn', Buffer.from(record.dn, 'utf8')) + lines(record)).join('\n');
}
