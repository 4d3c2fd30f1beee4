import { fatal, letIn, serverMessage, startScriptedPostgres, type PostgresScript } from '#testing';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { ProtocolError } from './message-frames.js';
import { PostgresClient } from './postgres-client.js';

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).toReversed()) await each();
});

async function clientOf(script: PostgresScript): Promise<PostgresClient> {
  const server = await startScriptedPostgres(script);
  cleanUp.push(() => server.stop());
  return new PostgresClient({ host: '127.0.0.1', port: server.port, user: 'u', password: 'p', database: 'd', ssl: false });
}

const endOf = (client: PostgresClient): Promise<void> => new Promise((resolve) => void client.once('end', resolve));

const int16 = (value: number): Buffer => Buffer.from([(value >> 8) & 255, value & 255]);
const int32 = (value: number): Buffer => Buffer.from([value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255]);

const broken: Readonly<Record<string, Buffer>> = {
  'asks for GSSAPI': serverMessage('R', int32(7)),
  'asks for SSPI': serverMessage('R', int32(9)),
  'has an authentication without a kind': serverMessage('R'),
  'describes more columns than there are': serverMessage('T', int16(300)),
  'has fewer columns than none': serverMessage('D', int16(-5)),
  'has more fields than there are': serverMessage('D', Buffer.concat([int16(2), int32(-1)])),
  'is an error without an end': serverMessage('E', Buffer.from('SFATAL\0C57P01\0')),
  'is an error that ends in the middle of a field': serverMessage('E', Buffer.from('SFATAL\0C57P')),
  'is an error without a field': serverMessage('E'),
  'is a notice without an end': serverMessage('N', Buffer.from('SNOTICE\0')),
  'has no columns to copy': serverMessage('G', Buffer.from([0])),
  'has a key without a secret': serverMessage('K', int32(1)),
  'is shorter than its own length': Buffer.from([0x5a, 0, 0, 0, 3, 0x49]),
  'is longer than any of its type': Buffer.from('Z\x10\0\0\0I'),
  'is of an unknown type': serverMessage('!', int32(0)),
  'is of another protocol': Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
};

describe('a client whose server sends a message that', () => {
  it.each(Object.entries(broken))('%s: fails, at the login and afterwards', async (_what, message) => {
    const early = await clientOf(() => ({ say: message }));
    await expect(early.connect()).rejects.toBeInstanceOf(ProtocolError);
    const late = await clientOf((piece) => ({ say: piece === 1 ? letIn : message }));
    await late.connect();
    const ended = endOf(late);
    await expect(late.query('select 1')).rejects.toBeInstanceOf(ProtocolError);
    await ended;
  });

  it('ends the session, in one piece with the end of the login: tells whoever asks next', async () => {
    const client = await clientOf(() => ({ say: Buffer.concat([letIn, fatal('57P01')]), end: true }));
    const ended = endOf(client);
    await client.connect();
    await expect(client.query('select 1')).rejects.toThrow('not queryable');
    await ended;
  });

  it('is anything at all within its frame: settles, and goes on with its life', async () => {
    const message = fc
      .tuple(fc.constantFrom(...'123ACDEGHIKNRSTWZcdnstv'), fc.uint8Array({ maxLength: 40 }))
      .map(([type, body]) => serverMessage(type, Buffer.from(body)));
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 5 }), fc.boolean(), async (messages, atOnce) => {
        const say = Buffer.concat(messages);
        const client = await clientOf((piece) =>
          piece === 1 && !atOnce ? { say: letIn } : { say: atOnce ? Buffer.concat([letIn, say]) : say, end: true },
        );
        const ended = endOf(client);
        await client.connect().catch(() => undefined);
        await client.query('select 1').catch(() => undefined);
        await ended;
        for (const each of cleanUp.splice(0)) await each();
      }),
      { numRuns: 300 },
    );
  });
});
