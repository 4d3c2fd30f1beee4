import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { BerReader, integer, octets, sequence } from './ber.js';
import { noticeOfDisconnection, resultCodes } from './messages.js';
import { serve } from './seeded-directory.js';
import { selfSigned } from './self-signed.js';
import type { RunningDirectory } from './server.js';

/** Sends bytes and reads until the server closes; `last` says whether our side closes after them. */
async function answers(directory: RunningDirectory, bytes: Uint8Array, last = false): Promise<Buffer> {
  const socket = connect(directory.port, '127.0.0.1');
  if (last) socket.end(bytes);
  else socket.write(bytes);
  return buffer(socket);
}

const resultOf = (message: Uint8Array): { readonly id: number; readonly tag: number; readonly code: number } => {
  const body = new BerReader(message).inside();
  const id = body.integer();
  const { tag, content } = body.element();
  return { id, tag, code: new BerReader(content).integer(0x0a) };
};

/** The controls of a message: one that nobody knows. */
const control = (...critical: Uint8Array[]): Uint8Array => octets(sequence(octets('1.2.3'), ...critical), 0xa0);

/** A search of the root for objectClass=*: scope, aliases, size limit, time limit, types only. */
const rootFields = [Uint8Array.of(0x0a, 1, 0), Uint8Array.of(0x0a, 1, 0), integer(0), integer(0), Uint8Array.of(1, 1, 0)];
const rootSearch = octets(Buffer.concat([octets(''), ...rootFields, octets('objectClass', 0x87), sequence()]), 0x63);

describe('the protocol', () => {
  it.each([
    ['another type', Buffer.from('HTTP/1.1')],
    ['a message over 1 MB', Buffer.from('3084001000fb', 'hex')],
    ['an unknown operation', sequence(integer(1), octets('', 0x7f))],
    ['a malformed operation', sequence(integer(1), octets('', 0x63))],
  ])('ends the session with a notice after %s', async (_, bytes) => {
    const notice = await answers(await serve(), bytes);
    expect(resultOf(notice)).toEqual({ id: 0, tag: 0x78, code: resultCodes.protocolError });
    expect(notice.includes('1.3.6.1.4.1.1466.20036')).toBe(true);
    expect(noticeOfDisconnection('').length).toBeLessThan(notice.length);
  });

  it.each([
    ['modify', 0x66, 0x67],
    ['add', 0x68, 0x69],
    ['delete', 0x4a, 0x6b],
    ['modifyDN', 0x6c, 0x6d],
    ['compare', 0x6e, 0x6f],
  ])('refuses %s with its own answer', async (_, request, response) => {
    const answer = await answers(await serve(), sequence(integer(7), octets('', request)), true);
    expect(resultOf(answer)).toEqual({ id: 7, tag: response, code: resultCodes.unwillingToPerform });
  });

  it('may be hindered on purpose: silence, garbage, a reset', async () => {
    const bind = sequence(integer(1), octets(Buffer.concat([integer(3), octets(''), octets('', 0x80)]), 0x60));
    expect(await answers(await serve({ onBind: () => 'silence' }), bind, true)).toHaveLength(0);
    expect(String(await answers(await serve({ onBind: () => 'garbage' }), bind, true))).toMatch(/^HTTP/);
    await expect(answers(await serve({ onBind: () => 'disconnect' }), bind)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('refuses a critical control that it does not know, and ignores one that is not critical', async () => {
    const bind = octets(Buffer.concat([integer(3), octets(''), octets('', 0x80)]), 0x60);
    const directory = await serve();
    const critical = await answers(directory, sequence(integer(2), bind, control(Uint8Array.of(1, 1, 0xff))), true);
    expect(resultOf(critical)).toEqual({ id: 2, tag: 0x61, code: resultCodes.unavailableCriticalExtension });
    expect(resultOf(await answers(directory, sequence(integer(2), bind, control()), true)).code).toBe(resultCodes.success);
  });

  it.each([
    ['version 2', Buffer.concat([integer(2), octets(''), octets('', 0x80)]), resultCodes.protocolError],
    ['SASL', Buffer.concat([integer(3), octets(''), octets(octets('EXTERNAL'), 0xa3)]), resultCodes.authMethodNotSupported],
  ])('refuses a bind with %s', async (_, bind, code) => {
    const answer = await answers(await serve(), sequence(integer(1), octets(bind, 0x60)), true);
    expect(resultOf(answer)).toEqual({ id: 1, tag: 0x61, code });
  });

  it.each([
    ['shorter', 'abc'],
    ['longer', 'abcde'],
  ])('refuses a page with a cookie %s than its own', async (_, cookie) => {
    const page = sequence(octets('1.2.840.113556.1.4.319'), octets(sequence(integer(2), octets(cookie))));
    const answer = await answers(await serve(), sequence(integer(4), rootSearch, octets(page, 0xa0)), true);
    expect(resultOf(answer)).toEqual({ id: 4, tag: 0x65, code: resultCodes.unwillingToPerform });
  });

  it('takes nothing that comes in clear text after StartTLS', async () => {
    const upgrade = sequence(integer(1), octets(octets('1.3.6.1.4.1.1466.20037', 0x80), 0x77));
    const directory = await serve({ tls: await selfSigned() });
    const answer = await answers(directory, Buffer.concat([upgrade, sequence(integer(2), rootSearch)]));
    expect(resultOf(answer)).toEqual({ id: 0, tag: 0x78, code: resultCodes.protocolError });
    expect(directory.searches).toBe(0);
  });

  it('counts what is abandoned and does not answer it', async () => {
    const directory = await serve({ onSearch: () => Promise.resolve() });
    const abandoned = Buffer.concat([sequence(integer(5), rootSearch), sequence(integer(6), Buffer.from([0x50, 1, 5]))]);
    expect(await answers(directory, abandoned, true)).toHaveLength(0);
    expect(directory).toMatchObject({ searches: 1, abandons: 1 });
  });

  it('reads messages in whatever pieces they arrive', async () => {
    const directory = await serve();
    const bind = sequence(integer(3), octets(Buffer.concat([integer(3), octets(''), octets('', 0x80)]), 0x60));
    const socket = connect({ port: directory.port, host: '127.0.0.1', noDelay: true });
    const all = buffer(socket);
    for (const byte of bind) {
      socket.write(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
    socket.end();
    expect(resultOf(await all)).toEqual({ id: 3, tag: 0x61, code: resultCodes.success });
  });
});
