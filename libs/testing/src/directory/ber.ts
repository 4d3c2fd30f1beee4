/** Bytes that are not the BER of RFC 4511 §5.1: definite lengths, one-byte tags. */
export class BerError extends Error {
  override readonly name = 'BerError';
  readonly code = 'ber.malformed';
}

/** The universal tags that LDAP uses (X.690 §8). */
export const tags = { boolean: 0x01, integer: 0x02, octets: 0x04, enumerated: 0x0a, sequence: 0x30, set: 0x31 } as const;

export interface BerElement {
  readonly tag: number;
  readonly content: Uint8Array;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads the elements of one constructed element in order. Every method throws a BerError where the bytes are something else. */
export class BerReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The tag of the next element; undefined at the end. */
  get next(): number | undefined {
    return this.#bytes[this.#at];
  }

  element(expected?: number): BerElement {
    const tag = this.next;
    if (tag === undefined) throw new BerError('an element is missing');
    if (expected !== undefined && tag !== expected) throw new BerError('an element has another type than expected');
    const header = headerOf(this.#bytes, this.#at);
    if (header === undefined || header.end > this.#bytes.length) throw new BerError('an element is cut off');
    this.#at = header.end;
    return { tag, content: this.#bytes.subarray(header.start, header.end) };
  }

  octets(tag: number = tags.octets): Uint8Array {
    return this.element(tag).content;
  }

  text(tag: number = tags.octets): string {
    return textOf(this.octets(tag));
  }

  /** At most 32 bits, signed. */
  integer(tag: number = tags.integer): number {
    const content = this.octets(tag);
    if (content.length === 0 || content.length > 4) throw new BerError('an integer has a length that LDAP does not use');
    return Buffer.from(content).readIntBE(0, content.length);
  }

  boolean(tag: number = tags.boolean): boolean {
    const content = this.octets(tag);
    if (content.length !== 1) throw new BerError('a boolean must have one byte');
    return content[0] !== 0;
  }

  inside(tag: number = tags.sequence): BerReader {
    return new BerReader(this.octets(tag));
  }
}

/** Strict UTF-8, as every LDAPString is (RFC 4511 §4.1.2). */
export function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new BerError('a text is not UTF-8');
  }
}

function headerOf(bytes: Uint8Array, at: number): { readonly start: number; readonly end: number } | undefined {
  const first = bytes[at + 1];
  if (first === undefined) return undefined;
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  const count = first & 0x7f;
  if (count === 0 || count > 4) throw new BerError('a length has a form that LDAP does not use');
  if (bytes.length < at + 2 + count) return undefined;
  const length = Buffer.from(bytes.buffer, bytes.byteOffset + at + 2, count).readUIntBE(0, count);
  return { start: at + 2 + count, end: at + 2 + count + length };
}

/**
 * How many bytes the first message of the buffer has, header included; undefined while the header is not complete. Throws a BerError
 * where no LDAP message can begin so, or where it is longer than `limit`.
 */
export function messageLength(buffer: Uint8Array, limit: number): number | undefined {
  if (buffer.length === 0) return undefined;
  if (buffer[0] !== tags.sequence) throw new BerError('a message must be a sequence');
  const header = headerOf(buffer, 0);
  if (header !== undefined && header.end > limit) throw new BerError(`a message is longer than ${limit} bytes`);
  return header?.end;
}

/** One element; its content is the parts one after the other. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(length)]), ...parts]);
}

function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

export const octets = (value: Uint8Array | string, tag: number = tags.octets): Uint8Array =>
  element(tag, typeof value === 'string' ? Buffer.from(value, 'utf8') : value);

/** The shortest form, as X.690 §8.3.2 demands; at most 32 bits, signed. */
export function integer(value: number, tag: number = tags.integer): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  let from = 0;
  while (from < 3 && ((bytes[from] === 0 && bytes[from + 1]! < 0x80) || (bytes[from] === 0xff && bytes[from + 1]! >= 0x80)))
    from += 1;
  return element(tag, bytes.subarray(from));
}

export const boolean = (value: boolean, tag: number = tags.boolean): Uint8Array => element(tag, Uint8Array.of(value ? 0xff : 0));

export const sequence = (...parts: readonly Uint8Array[]): Uint8Array => element(tags.sequence, ...parts);
