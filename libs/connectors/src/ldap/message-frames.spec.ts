import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FramingError, MessageFrames } from './message-frames.js';

function message(content: Uint8Array, longForm: boolean): Buffer {
  const { length } = content;
  const header =
    longForm || length > 127
      ? [0x30, 0x84, length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255]
      : [0x30, length];
  return Buffer.concat([Buffer.from(header), content]);
}

describe('MessageFrames', () => {
  it('finds the same messages however the bytes arrive', () => {
    const messages = fc.array(fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.boolean()), { maxLength: 6 });
    fc.assert(
      fc.property(messages, fc.array(fc.nat(40)), (contents, cuts) => {
        const sent = contents.map(([content, longForm]) => message(content, longForm));
        const stream = Buffer.concat(sent);
        const frames = new MessageFrames();
        const received: Buffer[] = [];
        let offset = 0;
        for (const size of [...cuts, stream.length]) {
          received.push(...frames.push(stream.subarray(offset, offset + size)));
          offset += size;
        }
        expect(received).toEqual(sent);
        expect(frames.pending).toBe(0);
      }),
    );
  });

  it.each([
    ['what is not LDAP', 'HTTP/1.1'],
    ['an indefinite length', '\x30\x80'],
    ['a length of five bytes', '\x30\x85\x01\x01\x01\x01\x01'],
    ['a message larger than allowed', '\x30\x84\x7f\xff\xff\xff'],
  ])('refuses %s', (_, text) => {
    expect(() => new MessageFrames().push(Buffer.from(text, 'latin1'))).toThrow(FramingError);
  });
});
