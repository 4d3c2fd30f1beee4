/** The tags of RFC 4511 that are read. */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  octetString: 0x04,
  enumerated: 0x0a,
  sequence: 0x30,
  set: 0x31,
  controls: 0xa0,
} as const;

/**
 * BER elements with a definite length (X.690 §8.1.3), one after the other. Nothing is read beyond the limit that is given, each read goes
 * forward by a header at least, and what does not fit is -1 or undefined: so whoever reads in a loop comes to an end.
 */
export class Elements {
  offset = 0;

  constructor(private readonly bytes: Buffer) {}

  /** The tag of the next element; -1 at the limit. */
  next(limit: number): number {
    return this.offset < limit ? this.bytes[this.offset]! : -1;
  }

  /** Where the element with this tag ends; its contents are next. -1 where the next element has another, or goes beyond the limit. */
  enter(tag: number, limit: number): number {
    const { bytes } = this;
    if (this.offset + 2 > limit || bytes[this.offset] !== tag) return -1;
    let start = this.offset + 2;
    let length = bytes[start - 1]!;
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count === 0 || count > 4 || start + count > limit) return -1;
      length = bytes.readUIntBE(start, count);
      start += count;
    }
    if (length > limit - start) return -1;
    this.offset = start;
    return start + length;
  }

  /** Goes behind the next element, whatever it is. */
  skip(limit: number): boolean {
    const end = this.enter(this.next(limit), limit);
    if (end >= 0) this.offset = end;
    return end >= 0;
  }

  octets(limit: number, tag: number = tags.octetString): Buffer | undefined {
    const end = this.enter(tag, limit);
    if (end < 0) return undefined;
    const octets = this.bytes.subarray(this.offset, end);
    this.offset = end;
    return octets;
  }

  /** The same as memory of its own; `octets` is a part of what was received, and keeps all of it. */
  copy(limit: number): Uint8Array | undefined {
    const octets = this.octets(limit);
    return octets && new Uint8Array(octets);
  }

  text(limit: number, tag: number = tags.octetString): string | undefined {
    const end = this.enter(tag, limit);
    if (end < 0) return undefined;
    const text = this.bytes.toString('utf8', this.offset, end);
    this.offset = end;
    return text;
  }

  /** A signed number of 32 bits at most, as every one of LDAP is. */
  number(limit: number, tag: number = tags.integer): number | undefined {
    const end = this.enter(tag, limit);
    const length = end - this.offset;
    if (end < 0 || length < 1 || length > 4) return undefined;
    const number = this.bytes.readIntBE(this.offset, length);
    this.offset = end;
    return number;
  }
}
