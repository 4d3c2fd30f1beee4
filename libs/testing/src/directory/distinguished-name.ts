import { preparedText, type PrepareText } from './prepared-text.js';

/**
 * A distinguished name (RFC 4514) in the form in which names compare: types and values ignoring case and repeated spaces, the parts
 * of a multi-valued RDN in a fixed order.
 */
export class DistinguishedName {
  static readonly root = new DistinguishedName([]);

  /** Equal for equal names, different for different ones. */
  readonly key: string;
  readonly #rdns: readonly string[];

  private constructor(rdns: readonly string[]) {
    this.#rdns = rdns;
    this.key = rdns.join(',');
  }

  /** The empty name is the root. Undefined where the text is not a distinguished name. */
  static parse(text: string, prepare: PrepareText = preparedText): DistinguishedName | undefined {
    if (text.trim() === '') return DistinguishedName.root;
    const rdns: string[] = [];
    let pairs: string[] = [];
    let rest = text;
    for (;;) {
      const parsed = parsePair(rest);
      if (parsed === undefined) return undefined;
      pairs.push(`${parsed.type}=${JSON.stringify(prepare(parsed.value))}`);
      rest = parsed.rest;
      if (!rest.startsWith('+')) {
        rdns.push(pairs.toSorted().join('+'));
        pairs = [];
      }
      if (rest === '') return new DistinguishedName(rdns);
      rest = rest.slice(1);
    }
  }

  get depth(): number {
    return this.#rdns.length;
  }

  /** The root's parent is the root. */
  get parent(): DistinguishedName {
    return new DistinguishedName(this.#rdns.slice(1));
  }

  /** Whether this name is `other` or lies below it. */
  isWithin(other: DistinguishedName): boolean {
    const above = this.depth - other.depth;
    return above >= 0 && this.#rdns.slice(above).join(',') === other.key;
  }
}

const type = /^ *(?:OID\.)?([A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)*) *= */i;

interface Pair {
  readonly type: string;
  readonly value: string;
  /** Empty, or begins with the separator. */
  readonly rest: string;
}

function parsePair(text: string): Pair | undefined {
  const [head, name] = type.exec(text) ?? [];
  if (head === undefined || name === undefined) return undefined;
  const value = parseValue(text.slice(head.length));
  return value && { type: name.toLowerCase(), ...value };
}

/** A value up to an unescaped `,`, `;` or `+`; `;` separates as in RFC 2253 §4. */
function parseValue(text: string): { readonly value: string; readonly rest: string } | undefined {
  const bytes: Buffer[] = [];
  let at = 0;
  while (at < text.length && !',;+'.includes(text[at]!)) {
    const character = String.fromCodePoint(text.codePointAt(at)!);
    if ('"<>\0'.includes(character)) return undefined;
    if (character !== '\\') {
      bytes.push(Buffer.from(character, 'utf8'));
      at += character.length;
      continue;
    }
    const [hex] = /^[0-9A-Fa-f]{2}/.exec(text.slice(at + 1, at + 3)) ?? [];
    const escaped = text[at + 1];
    if (hex === undefined && (escaped === undefined || !' "#+,;<=>\\'.includes(escaped))) return undefined;
    bytes.push(hex === undefined ? Buffer.from(escaped!, 'utf8') : Buffer.from(hex, 'hex'));
    at += hex === undefined ? 2 : 3;
  }
  const value = Buffer.concat(bytes).toString('utf8');
  return { value, rest: text.slice(at) };
}
