/** An attribute of an entry as the server spells it, every value as bytes. */
export interface EntryAttribute {
  readonly type: string;
  readonly values: readonly Uint8Array[];
}

export interface DirectoryEntry {
  readonly name: string;
  readonly attributes: readonly EntryAttribute[];
}

const tags = { integer: 0x02, octetString: 0x04, sequence: 0x30, set: 0x31, searchResultEntry: 0x64 };

/**
 * Reads a SearchResultEntry (RFC 4511 §4.5.2), which most messages of a directory are, for a part of the time that ldapts takes: it
 * decodes every value twice. Undefined for every other message, one with controls, and one that is not well formed: ldapts decides what
 * that is.
 */
export function readSearchEntry(message: Buffer): { readonly messageId: number; readonly entry: DirectoryEntry } | undefined {
  const elements = new Elements(message);
  const end = elements.enter(tags.sequence, message.length);
  if (end !== message.length) return undefined;
  const idEnd = elements.enter(tags.integer, end);
  const idLength = idEnd - elements.offset;
  if (idEnd < 0 || idLength < 1 || idLength > 4) return undefined;
  const messageId = message.readIntBE(elements.offset, idLength);
  elements.offset = idEnd;
  if (messageId <= 0 || elements.enter(tags.searchResultEntry, end) !== end) return undefined;
  const name = elements.text(end);
  if (name === undefined || elements.enter(tags.sequence, end) !== end) return undefined;
  const attributes: EntryAttribute[] = [];
  while (elements.offset < end) {
    const attribute = readAttribute(elements, end);
    if (!attribute) return undefined;
    attributes.push(attribute);
  }
  return { messageId, entry: { name, attributes } };
}

function readAttribute(elements: Elements, end: number): EntryAttribute | undefined {
  const attributeEnd = elements.enter(tags.sequence, end);
  if (attributeEnd < 0) return undefined;
  const type = elements.text(attributeEnd);
  if (type === undefined || elements.enter(tags.set, attributeEnd) !== attributeEnd) return undefined;
  const values: Uint8Array[] = [];
  while (elements.offset < attributeEnd) {
    const value = elements.octets(attributeEnd);
    if (!value) return undefined;
    values.push(value);
  }
  return { type, values };
}

/** Elements with a definite length (X.690 §8.1.3), one after the other. */
class Elements {
  offset = 0;

  constructor(private readonly bytes: Buffer) {}

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

  octets(limit: number): Buffer | undefined {
    const end = this.enter(tags.octetString, limit);
    if (end < 0) return undefined;
    const octets = this.bytes.subarray(this.offset, end);
    this.offset = end;
    return octets;
  }

  text(limit: number): string | undefined {
    const end = this.enter(tags.octetString, limit);
    if (end < 0) return undefined;
    const text = this.bytes.toString('utf8', this.offset, end);
    this.offset = end;
    return text;
  }
}
