import fc from 'fast-check';
import { MessageParser, SearchEntry } from 'ldapts';
import { describe, expect, it } from 'vitest';
import { readMessage, type LdapMessage } from './ldap-message.js';

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
  const { messageId, response } = readMessage(bytes) ?? {};
  if (response?.kind !== 'entry') return undefined;
  const { name, attributes } = response.entry;
  return {
    messageId,
    entry: { name, attributes: attributes.map(({ type, values }) => ({ type, values: values.map((each) => [...each]) })) },
  };
};

describe('readMessage', () => {
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

  it('gives each value memory of its own, so that a kept one does not keep what came with it', () => {
    const values = ['x'.repeat(16), 'y'.repeat(100)].map((text) => Buffer.from(text));
    const { response } = readMessage(message({ id: 7, name: 'cn=a', attributes: [['cn', values]] }))!;
    const [attribute] = response.kind === 'entry' ? response.entry.attributes : [];
    expect(attribute!.values.map((value) => value.buffer.byteLength)).toEqual([16, 100]);
  });

  it('reads no part of an entry that is cut off', () => {
    const whole = message({ id: 7, name: 'cn=a', attributes: [['cn', [Buffer.from('a')]]] });
    for (let length = 0; length < whole.length; length++) expect(readMessage(whole.subarray(0, length))).toBeUndefined();
  });

  it('reads the other responses, with a value, a cookie, and what it does not know', () => {
    const result = (tag: number, ...more: readonly Uint8Array[]): Buffer =>
      element(tag, element(0x0a, Buffer.of(14)), octets('dc=x'), octets('text'), ...more);
    const referral = element(0xa3, octets('ldap://elsewhere'));
    const page = element(0x04, element(0x30, element(0x02, Buffer.of(0)), octets('next')));
    const controls = element(
      0xa0,
      element(0x30, octets('1.2.3')),
      element(0x30, octets('1.2.840.113556.1.4.319'), element(0x01, Buffer.of(255)), page),
    );
    const answer = { kind: 'result', code: 14, diagnostic: 'text' };
    const response = (operation: Buffer, ...more: readonly Uint8Array[]): LdapMessage | undefined =>
      readMessage(element(0x30, element(0x02, Buffer.of(7)), operation, ...more));
    expect(response(result(0x65, referral), controls)).toMatchObject({
      messageId: 7,
      response: { ...answer, operation: 'search', cookie: Buffer.from('next') },
    });
    expect(response(result(0x61, element(0x87, Buffer.of(1))))).toMatchObject({ response: { ...answer, operation: 'bind' } });
    const extended = result(0x78, element(0x8a, Buffer.from('1.2')), element(0x8b, Buffer.from('u:me')), element(0x8c));
    expect(response(extended)).toMatchObject({ response: { ...answer, operation: 'extended', value: 'u:me' } });
    expect(response(element(0x73, octets('ldap://a'), octets('ldap://b')))).toMatchObject({
      response: { kind: 'reference', uris: ['ldap://a', 'ldap://b'] },
    });
    expect(response(element(0x64, octets('cn=a'), element(0x30)), element(0xa0))).toMatchObject({ response: { kind: 'entry' } });
  });

  it.each([
    ['a value that is longer than the message', '301602010164110402646e300b3009040161310404640131'],
    ['a list of attributes that is longer than the message', '300b02010164060402646e3064'],
    ['an attribute that is no sequence', '300d02010164080402646e30020484'],
    ['a reference that is longer than the message', '300802010173030464aa'],
    ['a control that is no sequence', '301202010165070a010004000400a00404020484'],
    [
      'a page without a cookie',
      `302802010165070a010004000400a01a30180416${Buffer.from('1.2.840.113556.1.4.319').toString('hex')}`,
    ],
    ['a result without a code', '300702010165020400'],
    ['a code of no bytes', '300b02010165060a0004000400'],
    ['a length of 2³¹ and more', '300d02010164080484ffffffff3000'],
    ['an indefinite length', '300c02010164070480000030000000'.slice(0, 28)],
    ['an operation that is no response to ours', '300702010179020400'],
  ])('takes %s for malformed', (_, hex) => {
    expect(readMessage(Buffer.from(hex, 'hex'))).toEqual({ messageId: 1, response: { kind: 'malformed' } });
  });

  it('comes to an end with no more than was sent, whatever became of lengths and tags', () => {
    const control = element(
      0x30,
      octets('1.2.840.113556.1.4.319'),
      octets(element(0x30, element(0x02, Buffer.of(0)), octets('c'))),
    );
    const result = (tag: number): Buffer => element(tag, element(0x0a, Buffer.of(0)), octets('dc=x'), octets('text'));
    const any = fc.oneof(
      given.map((entry) => message(entry)),
      fc
        .constantFrom(result(0x61), result(0x65), result(0x78), element(0x73, octets('ldap://a'), octets('ldap://b')))
        .map((operation) => element(0x30, element(0x02, Buffer.of(7)), operation, element(0xa0, control))),
    );
    const changes = fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 1, 4, 0x30, 0x31, 0x64, 0x7f, 0x80, 0x81, 0x84, 0xa0, 0xff)), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(any, changes, fc.nat(), (whole, changed, cut) => {
        const bytes = Buffer.from(whole.subarray(0, Math.max(8, whole.length - (cut % 20))));
        for (const [where, byte] of changed) bytes[where % bytes.length] = byte;
        // A message that the frames let pass: its own length is right.
        const header = whole[1] === 0x82 ? 4 : whole[1] === 0x81 ? 3 : 2;
        const framed = element(0x30, bytes.subarray(header));
        const found = readMessage(framed)?.response;
        expect(JSON.stringify(found ?? '').length).toBeLessThan(1_000 + framed.length * 20);
      }),
      { numRuns: 5_000 },
    );
  });
});
