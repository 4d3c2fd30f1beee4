/** Nothing that a lookup may ask for is larger: two entries with photographs. */
const maximumMessageBytes = 8 * 1024 * 1024;

/** What arrives is not LDAP, or larger than allowed: the connection cannot be used any more. */
export class FramingError extends Error {}

/** Cuts the bytes of a connection into LDAP messages: each is one BER sequence (RFC 4511 §5.1). */
export class MessageFrames {
  private chunks: Buffer[] = [];
  private buffered = 0;
  private wanted = 2;

  /** Bytes that wait for the rest of their message. */
  get pending(): number {
    return this.buffered;
  }

  /**
   * The messages that are complete with this chunk.
   * @throws FramingError
   */
  push(chunk: Buffer): Buffer[] {
    this.chunks.push(chunk);
    this.buffered += chunk.length;
    if (this.buffered < this.wanted) return [];
    const bytes = this.chunks.length === 1 ? chunk : Buffer.concat(this.chunks);
    const messages: Buffer[] = [];
    let offset = 0;
    for (;;) {
      const size = messageSize(bytes, offset);
      this.wanted = size ?? bytes.length - offset + 1;
      if (size === undefined || bytes.length - offset < size) break;
      messages.push(bytes.subarray(offset, offset + size));
      offset += size;
    }
    const rest = bytes.subarray(offset);
    this.chunks = rest.length > 0 ? [rest] : [];
    this.buffered = rest.length;
    return messages;
  }
}

/** The length of the message that begins at the offset, header included; undefined where its header is not complete. */
function messageSize(bytes: Buffer, offset: number): number | undefined {
  if (offset >= bytes.length) return undefined;
  if (bytes[offset] !== 0x30) throw new FramingError('not an LDAP message');
  const first = bytes[offset + 1];
  if (first === undefined) return undefined;
  if (first < 0x80) return 2 + first;
  const count = first & 0x7f;
  if (count === 0 || count > 4) throw new FramingError('not a length that LDAP allows');
  if (bytes.length < offset + 2 + count) return undefined;
  const size = 2 + count + bytes.readUIntBE(offset + 2, count);
  if (size > maximumMessageBytes) throw new FramingError('a message larger than allowed');
  return size;
}
