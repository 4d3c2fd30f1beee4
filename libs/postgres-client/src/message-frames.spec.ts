import { serverMessage } from '#testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MessageFrames, ProtocolError } from './message-frames.js';

it('are the same messages, however the bytes arrive', () => {
  const body = fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes));
  const message = fc.tuple(fc.constantFrom(...'ACDKRSTZdt'), body).map(([type, bytes]) => serverMessage(type, bytes));
  fc.assert(
    fc.property(fc.array(message), fc.array(fc.nat(20), { minLength: 1 }), (messages, sizes) => {
      const frames = new MessageFrames();
      const bytes = Buffer.concat(messages);
      const seen: Buffer[] = [];
      for (let offset = 0, turn = 0; offset < bytes.length; turn += 1) {
        const end = offset + 1 + sizes[turn % sizes.length]!;
        seen.push(...frames.push(bytes.subarray(offset, end)));
        offset = end;
      }
      expect(seen).toEqual(messages);
    }),
  );
});

it('are as long as they need to be where they carry values', () => {
  const row = serverMessage('D', Buffer.alloc(100_000));
  const frames = new MessageFrames();
  expect(frames.push(row.subarray(0, 60_000))).toEqual([]);
  expect(frames.push(row.subarray(60_000))).toEqual([row]);
});

it.each([
  ['D', 0xffff_ffff],
  ['E', 64 * 1024 * 1024 + 1],
  ['Z', 30_001],
  ['Z', 3],
])('are refused before they are waited for: %s of %d bytes', (type, length) => {
  const header = Buffer.alloc(5);
  header.write(type);
  header.writeUInt32BE(length, 1);
  expect(() => new MessageFrames().push(header)).toThrow(ProtocolError);
});
