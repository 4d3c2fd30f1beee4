import fc from 'fast-check';
import { MessageParser, SearchEntry } from 'ldapts';
import { describe, expect, it } from 'vitest';
import { readSearchEntry } from './search-entry.js';

function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const header = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...header), content]);
}

const octets = (text: string | Uint8Array): Buffer => element(0x04, Buffer.from(text));

interface Given {
  readonly id: number;
  readonly name: string;
  readonly attributes: readonly (readonly [type: string, values: readonly Uint8Array[]])[];
}

function message({ id, name, attributes }: Given, ...more: readonly Uint8Array[]): Buffer {
  const list = attributes.map(([type, values]) =>
    element(0x30, octets(type), element(0x31, ...values.map((value) => octets(value)))),
  );
  const idBytes = id < 0x80 ? [id] : [id >> 8, id & 0xff];
  return element(0x30, element(0x02, Buffer.from(idBytes)), element(0x64, octets(name), element(0x30, ...list)), ...more);
}

/** What ldapts makes of a message. */
function byLdapts(bytes: Buffer): SearchEntry | undefined {
  const parser = new MessageParser();
  let entry: SearchEntry | undefined;
  parser.on('message', (read) => (entry = read instanceof SearchEntry ? read : undefined));
  parser.on('error', () => undefined);
  try {
    parser.read(bytes, new Map());
  } catch {
    return undefined;
  }
  return entry;
}

const given = fc.record({
  id: fc.integer({ min: 1, max: 0x7fff }),
  name: fc.string({ unit: 'grapheme', maxLength: 60 }),
  attributes: fc.array(
    fc.tuple(fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,30}$/), fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 })),
    { maxLength: 6 },
  ),
});

const shown = (entry: SearchEntry) => ({
  messageId: entry.messageId,
  entry: {
    name: entry.name,
    attributes: entry.attributes.map(({ type, parsedBuffers }) => ({ type, values: parsedBuffers.map((each) => [...each]) })),
  },
});

const read = (bytes: Buffer) => {
  const found = readSearchEntry(bytes);
  return (
    found && {
      messageId: found.messageId,
      entry: {
        name: found.entry.name,
        attributes: found.entry.attributes.map(({ type, values }) => ({ type, values: values.map((each) => [...each]) })),
      },
    }
  );
};

describe('readSearchEntry', () => {
  it('reads every entry, as ldapts does', () => {
    fc.assert(
      fc.property(given, (entry) => {
        const bytes = message(entry);
        const found = read(bytes);
        expect(found).toEqual({
          messageId: entry.id,
          entry: {
            name: entry.name,
            attributes: entry.attributes.map(([type, values]) => ({ type, values: values.map((each) => [...each]) })),
          },
        });
        expect(found).toEqual(shown(byLdapts(bytes)!));
      }),
    );
  });

  it('reads nothing else, whatever became of the bytes, than ldapts reads', () => {
    fc.assert(
      fc.property(given, fc.nat(), fc.integer({ min: 0, max: 255 }), (entry, where, byte) => {
        const bytes = message(entry);
        bytes[where % bytes.length] = byte;
        const found = read(bytes);
        if (found) expect(found).toEqual(shown(byLdapts(bytes)!));
      }),
      { numRuns: 2_000 },
    );
  });

  it('leaves to ldapts what is cut off, what has controls, and other messages', () => {
    const entry: Given = { id: 7, name: 'cn=a', attributes: [['cn', [Buffer.from('a')]]] };
    const whole = message(entry);
    for (let length = 0; length < whole.length; length++) expect(readSearchEntry(whole.subarray(0, length))).toBeUndefined();
    expect(readSearchEntry(message(entry, element(0xa0)))).toBeUndefined();
    const done = element(0x30, element(0x02, Buffer.of(7)), element(0x65, element(0x0a, Buffer.of(0)), octets(''), octets('')));
    expect(readSearchEntry(done)).toBeUndefined();
    expect(readSearchEntry(message({ ...entry, id: 0 }))).toBeUndefined();
  });
});
