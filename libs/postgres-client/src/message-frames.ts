/** What arrives is not PostgreSQL's protocol: the connection cannot be used any more. */
export class ProtocolError extends Error {
  readonly code = 'EPROTO';
}

const known = new Set(Buffer.from('123ACDEGHIKNRSTWZcdnstv'));
/** The others are never as long as this (libpq has the same rule): a length that is not PostgreSQL's shows at once. */
const maybeLong = new Set(Buffer.from('ADENTdv'));
const shortMessageBytes = 30_000;
/** Far more than is ever asked for; a length of four gigabytes would be waited for otherwise, with all that comes in memory. */
const longMessageBytes = 64 * 1024 * 1024;

const headerBytes = 5;
const errorResponse = 'E'.charCodeAt(0);
const noticeResponse = 'N'.charCodeAt(0);

/** Cuts the bytes of a connection into PostgreSQL's messages: a type, a length, a body (PostgreSQL manual §54.1.1). */
export class MessageFrames {
  private chunks: Buffer[] = [];
  private buffered = 0;
  private wanted = headerBytes;

  /**
   * The messages that are complete with this chunk.
   * @throws ProtocolError
   */
  push(chunk: Buffer): readonly Buffer[] {
    this.chunks.push(chunk);
    this.buffered += chunk.length;
    if (this.buffered < this.wanted) return [];
    const bytes = this.chunks.length === 1 ? chunk : Buffer.concat(this.chunks);
    const messages: Buffer[] = [];
    let offset = 0;
    for (;;) {
      const rest = bytes.length - offset;
      this.wanted = rest < headerBytes ? headerBytes : messageSize(bytes, offset);
      if (rest < this.wanted) break;
      const message = bytes.subarray(offset, offset + this.wanted);
      if ((message[0] === errorResponse || message[0] === noticeResponse) && !fieldsEnd(message))
        throw new ProtocolError('an error or notice without an end');
      messages.push(message);
      offset += this.wanted;
    }
    const rest = bytes.subarray(offset);
    this.chunks = rest.length > 0 ? [rest] : [];
    this.buffered = rest.length;
    return messages;
  }
}

function messageSize(bytes: Buffer, offset: number): number {
  const type = bytes[offset]!;
  if (!known.has(type)) throw new ProtocolError('a message of an unknown type');
  const length = bytes.readUInt32BE(offset + 1);
  const longest = maybeLong.has(type) ? longMessageBytes : shortMessageBytes;
  if (length < 4 || length > longest) throw new ProtocolError('a length that no message has');
  return 1 + length;
}

/** Whether the fields of an error or a notice (§54.8) are followed by the zero that ends them. The driver looks for it for ever. */
function fieldsEnd(message: Buffer): boolean {
  for (let at = headerBytes; at < message.length;) {
    if (message[at] === 0) return true;
    const end = message.indexOf(0, at + 1);
    if (end === -1) return false;
    at = end + 1;
  }
  return false;
}
