import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FilterTemplate } from './filter-template.js';
import { LdapConnection, type Search } from './ldap-connection.js';

/** One BER element. */
function ber(tag: number, ...parts: (Buffer | string)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  const length = content.length < 128 ? [content.length] : [0x82, content.length >>> 8, content.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const message = (id: number, operation: Buffer): Buffer => ber(0x30, ber(0x02, Buffer.of(id)), operation);
const done = (id: number, code: number, tag = 0x65): Buffer =>
  message(id, ber(tag, ber(0x0a, Buffer.of(code)), ber(4), ber(4, 'text with a value')));
const entry = (id: number, dn: string, ...values: string[]): Buffer =>
  message(id, ber(0x64, ber(4, dn), ber(0x30, ber(0x30, ber(4, 'cn'), ber(0x31, ...values.map((value) => ber(4, value)))))));
const reference = (id: number): Buffer => message(id, ber(0x73, ber(4, 'ldap://elsewhere/dc=x')));

/** A server that does what a test says. */
let server: Server;
let peer: Promise<Socket>;
let ended: string[];
let connection: LdapConnection;
const received: Buffer[] = [];

beforeEach(async () => {
  received.length = 0;
  ended = [];
  const accepted = Promise.withResolvers<Socket>();
  peer = accepted.promise;
  server = createServer((socket) => {
    socket.on('error', () => undefined).on('data', (chunk: Buffer) => received.push(chunk));
    accepted.resolve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  connection = new LdapConnection(socket, (detail) => ended.push(detail));
});

afterEach(async () => {
  connection.close();
  (await peer).destroy();
  await new Promise((resolve) => server.close(resolve));
});

const parsed = FilterTemplate.parse('(objectClass=*)');
const filter = parsed.kind === 'parsed' ? parsed.template.encode(new Map()) : 'impossible';
const search: Search = {
  base: 'dc=x',
  scope: 'sub',
  filter: filter === 'impossible' ? undefined! : filter,
  attributes: ['cn'],
  sizeLimit: 2,
  timeLimit: 1,
};
const patient = new AbortController().signal;

describe('LdapConnection', () => {
  it('gives each operation its own answer, in whatever order and pieces they come', async () => {
    const answers = [1, 2, 3].map(() => connection.search(search, patient));
    const bytes = Buffer.concat([
      entry(3, 'cn=c', 'c'),
      entry(1, 'cn=a', 'a', 'b'),
      done(3, 0),
      reference(1),
      done(2, 32),
      done(1, 0),
    ]);
    const socket = await peer;
    for (const byte of bytes) socket.write(Buffer.of(byte));
    const [first, second, third] = await Promise.all(answers);
    expect(first).toMatchObject({
      code: 0,
      entries: [{ attributes: [{ type: 'cn', values: [new Uint8Array([97]), new Uint8Array([98])] }] }],
    });
    expect(second).toMatchObject({ code: 32, entries: [] });
    expect(third).toMatchObject({ code: 0, entries: [{ attributes: [{ values: [new Uint8Array([99])] }] }] });
  });

  it('keeps no more entries than were asked for, and says so', async () => {
    const answer = connection.search(search, patient);
    (await peer).write(Buffer.concat([...[1, 2, 3, 4].map(() => entry(1, 'cn=a', 'a')), done(1, 0)]));
    expect(await answer).toMatchObject({ kind: 'result', surplus: true, entries: { length: 2 } });
  });

  it.each([
    ['entries', (id: number) => entry(id, 'cn=a', 'x'.repeat(60_000))],
    ['names', (id: number) => entry(id, 'x'.repeat(60_000))],
    ['types', (id: number) => message(id, ber(0x64, ber(4), ber(0x30, ber(0x30, ber(4, 'x'.repeat(60_000)), ber(0x31)))))],
    ['references', (id: number) => message(id, ber(0x73, ber(4, `ldap://elsewhere/${'x'.repeat(60_000)}`)))],
  ])('ends the operation alone whose %s become too many bytes, and tells the server to stop', async (_name, part) => {
    const [endless, other] = [connection.search(search, patient), connection.search(search, patient)];
    const socket = await peer;
    for (let sent = 0; sent < 150; sent++) socket.write(part(1));
    expect(await endless).toEqual({ kind: 'tooMuch' });
    await vi.waitFor(() => expect(Buffer.concat(received).includes(Buffer.of(0x50, 1, 1))).toBe(true));
    socket.write(done(2, 0));
    expect(await other).toMatchObject({ kind: 'result', entries: [] });
    expect(ended).toEqual([]);
  });

  it('hands on where else entries may be, and where the next page begins', async () => {
    const answer = connection.search({ ...search, after: Buffer.from('before') }, patient);
    const control = ber(0x30, ber(4, '1.2.840.113556.1.4.319'), ber(4, ber(0x30, ber(2, Buffer.of(0)), ber(4, 'next'))));
    const last = ber(0x30, ber(0x02, Buffer.of(1)), ber(0x65, ber(0x0a, Buffer.of(0)), ber(4), ber(4)), ber(0xa0, control));
    (await peer).write(Buffer.concat([reference(1), last]));
    expect(await answer).toMatchObject({ references: ['ldap://elsewhere/dc=x'], cookie: Buffer.from('next') });
    const asked = Buffer.concat([Buffer.of(2, 1, 2, 4, 6), Buffer.from('before')]);
    await vi.waitFor(() => expect(Buffer.concat(received).includes(asked)).toBe(true));
  });

  it('ends the operation alone whose answer cannot be read', async () => {
    const answers = [connection.search(search, patient), connection.search(search, patient)];
    (await peer).write(Buffer.concat([message(1, ber(0x79, ber(4))), done(2, 0)]));
    expect(await Promise.all(answers)).toMatchObject([{ kind: 'malformed' }, { kind: 'result', code: 0 }]);
    expect(connection.isUsable).toBe(true);
    // AbandonRequest [APPLICATION 16] with the id of the search
    await vi.waitFor(() => expect(Buffer.concat(received).includes(Buffer.from('3006020103500101', 'hex'))).toBe(true));
  });

  it.each([
    ['a value', '301602010164110402646e300b3009040161310404640131'],
    ['a list', '300b02010164060402646e3064'],
    ['a reference', '300802010173030464aa'],
    ['a control', '301202010165070a010004000400a00404020484'],
  ])('is not held up by %s that claims to be longer than its message', async (_name, hex) => {
    const answers = [connection.search(search, patient), connection.search(search, patient)];
    (await peer).write(Buffer.concat([Buffer.from(hex, 'hex'), done(2, 0)]));
    expect(await Promise.all(answers)).toMatchObject([{ kind: 'malformed' }, { kind: 'result', code: 0 }]);
  });

  it.each([
    ['bytes that are not LDAP', Buffer.from('HTTP/1.1 400 Bad Request\r\n'), 'not LDAP'],
    ['a message without an id', Buffer.from('30020500', 'hex'), 'unreadable message'],
    [
      'a notice of disconnection',
      message(0, ber(0x78, ber(0x0a, Buffer.of(52)), ber(4), ber(4))),
      'notice of disconnection (52)',
    ],
  ])('is over with %s', async (_, bytes, detail) => {
    const answers = [connection.search(search, patient), connection.search(search, patient)];
    (await peer).write(bytes);
    expect(await Promise.all(answers)).toEqual([
      { kind: 'closed', detail },
      { kind: 'closed', detail },
    ]);
    expect(connection.isUsable).toBe(false);
    expect(await connection.search(search, patient)).toEqual({ kind: 'closed', detail });
    expect(ended).toEqual([detail]);
  });

  it('is over when the server ends it', async () => {
    const answer = connection.search(search, patient);
    (await peer).end();
    expect(await answer).toMatchObject({ kind: 'closed' });
    expect(ended).toHaveLength(1);
  });

  it('abandons what nobody waits for, and drops its answer', async () => {
    const abort = new AbortController();
    const answer = connection.search(search, abort.signal);
    abort.abort();
    expect(await answer).toEqual({ kind: 'aborted' });
    const socket = await peer;
    // AbandonRequest [APPLICATION 16] with the id of the search
    await vi.waitFor(() => expect(Buffer.concat(received).includes(Buffer.from('3006020102500101', 'hex'))).toBe(true));
    const next = connection.search(search, patient);
    socket.write(Buffer.concat([entry(1, 'cn=late', 'late'), done(1, 0), done(3, 0)]));
    expect(await next).toMatchObject({ kind: 'result', entries: [] });
  });

  const limitPassed = new DOMException('operation limit', 'TimeoutError');

  it('goes on whoever gives up before the limit, as a preview that is closed', async () => {
    for (let count = 0; count < 10; count++) {
      const abort = new AbortController();
      const answer = connection.search(search, abort.signal);
      abort.abort();
      expect(await answer).toEqual({ kind: 'aborted' });
    }
    expect(connection.isUsable).toBe(true);
    expect(ended).toEqual([]);
  });

  it('is suspected after two operations in a row without a byte from the server, and not where something came', async () => {
    const suspicions: string[] = [];
    connection.watch((suspicion) => suspicions.push(suspicion));
    const abandoned = async (): Promise<void> => {
      const abort = new AbortController();
      const answer = connection.search(search, abort.signal);
      abort.abort(limitPassed);
      await answer;
    };
    await abandoned();
    const answer = connection.search(search, patient);
    (await peer).write(done(3, 0));
    await answer;
    await abandoned();
    expect(suspicions).toEqual([]);
    await abandoned();
    expect(suspicions).toEqual(['silent']);
    expect(connection.isUsable).toBe(true);
  });

  it('is suspected after four operations in a row without an answer, though something comes', async () => {
    const suspicions: string[] = [];
    connection.watch((suspicion) => suspicions.push(suspicion));
    const socket = await peer;
    const others = [connection.search(search, patient), connection.search(search, patient)];
    const giveUp = async (): Promise<void> => {
      const abort = new AbortController();
      const answer = connection.search(search, abort.signal);
      const before = connection.received;
      socket.write(entry(1, 'cn=a', 'a'));
      await vi.waitFor(() => expect(connection.received).toBeGreaterThan(before));
      abort.abort(limitPassed);
      await answer;
    };
    for (let count = 0; count < 3; count++) await giveUp();
    socket.write(done(2, 0));
    await others[1];
    for (let count = 0; count < 3; count++) await giveUp();
    expect(suspicions).toEqual([]);
    await giveUp();
    expect(suspicions).toEqual(['slow']);
    expect(connection.isUsable).toBe(true);
  });

  it('lets what is under way finish when it is retired', async () => {
    const answer = connection.search(search, patient);
    connection.retire();
    expect(connection.isUsable).toBe(false);
    expect(ended).toEqual([]);
    (await peer).write(done(1, 0));
    expect(await answer).toMatchObject({ kind: 'result' });
    expect(ended).toEqual(['closed by us']);
  });

  it('says nothing of an answer that came to its own abort', async () => {
    expect(await connection.search(search, AbortSignal.abort())).toEqual({ kind: 'aborted' });
    expect(received).toEqual([]);
  });
});
