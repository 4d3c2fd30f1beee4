import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountOf } from './refusal.js';
import { eventOf, startTrustStack, type TrustStack } from './trust-stack.js';
import { chunked, converse, length, message, only, route } from './wire.js';

let stack: TrustStack;
let token: string;

beforeAll(async () => {
  stack = await startTrustStack();
  await stack.ready();
  token = await stack.mint('contoso-2');
});

afterAll(() => stack[Symbol.asyncDispose]());

const body = JSON.stringify(eventOf('contoso'));
const post = (...lines: readonly string[]): string => message([length(body), ...lines], body);
const bearer = (): string => `Authorization: Bearer ${token}`;

describe('bodies', () => {
  it.each([
    ['more than 64 KB', () => ({ lines: [length(`${body}${' '.repeat(70_000)}`)], content: `${body}${' '.repeat(70_000)}` })],
    [
      'more than 64 KB in chunks',
      () => ({ lines: ['Transfer-Encoding: chunked'], content: chunked(`${body}${' '.repeat(70_000)}`) }),
    ],
  ])('of %s are 413, whoever sends them', async (_name, make) => {
    const { lines, content } = make();
    for (const more of [[], [bearer()]])
      expect(await accountOf(stack, token, () => only(stack.publicUrl, message([...lines, ...more], content)))).toMatchObject({
        status: 413,
        code: 'request.tooLarge',
        leaks: [],
        reached: [],
      });
  });

  it.each<[string, string, string | Buffer, number, string]>([
    [
      'compressed',
      'application/json\r\nContent-Encoding: gzip',
      Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]),
      400,
      'request.body',
    ],
    ['in UTF-16', 'application/json', Buffer.from(body, 'utf16le'), 400, 'request.body'],
    ['said to be UTF-16', 'application/json; charset=utf-16', body, 415, 'request.contentType'],
    [
      'of broken UTF-8',
      'application/json',
      Buffer.concat([Buffer.from(body.slice(0, -1)), Buffer.from([0xff, 0x7d])]),
      400,
      'request.body',
    ],
    ['of 60,000 nested lists', 'application/json', '['.repeat(60_000), 400, 'request.body'],
    [
      'with an inherited tenant',
      'application/json',
      body.replace('"data":{', '"data":{"__proto__":{').replace(/\}$/, '}}'),
      400,
      'request.body',
    ],
    ['as a form', 'application/x-www-form-urlencoded', body, 415, 'request.contentType'],
    ['in parts', 'multipart/form-data; boundary=x', body, 415, 'request.contentType'],
    ['of two content types', 'application/json, text/plain', body, 415, 'request.contentType'],
  ])('%s reach no source', async (_name, type, content, status, code) => {
    const bytes = Buffer.concat([
      Buffer.from(
        `POST ${route} HTTP/1.1\r\nHost: claims.example\r\nConnection: close\r\n${bearer()}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(content)}\r\n\r\n`,
      ),
      Buffer.from(content),
    ]);
    expect(await accountOf(stack, token, () => only(stack.publicUrl, bytes))).toMatchObject({
      status,
      code,
      leaks: [],
      reached: [],
    });
  });
});

describe('what is not HTTP as RFC 9112 has it', () => {
  const hidden = (): string => post(bearer());
  const cases: readonly (readonly [string, () => string | Buffer])[] = [
    ['length and chunks', () => message([length(body), 'Transfer-Encoding: chunked', bearer()], `0\r\n\r\n${hidden()}`)],
    [
      'chunks and length',
      () => message(['Transfer-Encoding: chunked', 'Content-Length: 4', bearer()], `${chunked(body)}${hidden()}`),
    ],
    ['two lengths', () => message([length(body), 'Content-Length: 0', bearer()], `${body}${hidden()}`)],
    ['the same length twice', () => post(length(body), bearer())],
    ['two lengths in one', () => message([`${length(body)}, ${Buffer.byteLength(body)}`, bearer()], body)],
    ...['-1', '+10', '0x10', '1 0', '1e3', '٣', '', '99999999999999999999999', '10_0'].map(
      (value) =>
        [
          `the length ${JSON.stringify(value)}`,
          () => message([`Content-Length: ${Buffer.from(value).toString('latin1')}`, bearer()], body),
        ] as const,
    ),
    ...['xchunked', 'chunked, identity', 'identity', 'chunked, chunked ,x', 'gzip', 'chunked\x0b', '"chunked"', 'chunked;x'].map(
      (value) =>
        [
          `the transfer encoding ${JSON.stringify(value)}`,
          () => message([`Transfer-Encoding: ${value}`, bearer()], `${chunked(body)}${hidden()}`),
        ] as const,
    ),
    [
      'a space before the colon of the encoding',
      () => message(['Transfer-Encoding : chunked', bearer()], `${chunked(body)}${hidden()}`),
    ],
    [
      'two encodings',
      () => message(['Transfer-Encoding: chunked', 'Transfer-Encoding: identity', bearer()], `${chunked(body)}${hidden()}`),
    ],
    ['a chunk of negative size', () => message(['Transfer-Encoding: chunked', bearer()], `-1\r\n${body}\r\n0\r\n\r\n`)],
    ['a chunk whose size has a prefix', () => message(['Transfer-Encoding: chunked', bearer()], `0x5\r\nabcde\r\n0\r\n\r\n`)],
    [
      'a chunk beyond every size',
      () => message(['Transfer-Encoding: chunked', bearer()], `fffffffffffffffff\r\n${body}\r\n0\r\n\r\n`),
    ],
    ['a chunk without its end', () => message(['Transfer-Encoding: chunked', bearer()], `5\r\nabcdeXX0\r\n\r\n`)],
    ['a chunk that ends with a line feed', () => message(['Transfer-Encoding: chunked', bearer()], `5\nabcde\n0\n\n`)],
    [
      'an extension of a chunk with a line feed',
      () => message(['Transfer-Encoding: chunked', bearer()], `5;\nabcde\r\n0\r\n\r\n`),
    ],
    ['a space before the colon', () => post(`Authorization : Bearer ${token}`)],
    ['a name with a NUL', () => post(`Authorization\0: Bearer ${token}`)],
    ['a value with a NUL', () => post(`Authorization: Bearer ${token}\0`)],
    ['a value with a carriage return', () => post(`X-A: 1\rAuthorization: Bearer ${token}`)],
    ['a value with a control character', () => post(`Authorization: Bearer \x01${token}`)],
    ['a folded value', () => post(`Authorization: Bearer\r\n ${token}`)],
    [
      'a first header that is folded',
      () => message([length(body)], body).replace('\r\nHost', `\r\n Authorization: Bearer ${token}\r\nHost`),
    ],
    ['a header without a name', () => post(`: Bearer ${token}`)],
    ['a header without a colon', () => post('Authorization')],
    ['a name in Unicode', () => post(`${Buffer.from('Authorizatiоn').toString('latin1')}: Bearer ${token}`)],
    ['line feeds alone', () => post(bearer()).replaceAll('\r\n', '\n')],
    ['version 1.2', () => message([length(body), bearer()], body, `POST ${route} HTTP/1.2`)],
    ['version 2.0', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a method that is none', () => message([length(body), bearer()], body, `STEAL ${route} HTTP/1.1`)],
    ['a space in the address', () => message([length(body), bearer()], body, `POST ${route} x HTTP/1.1`)],
    ['a NUL in the address', () => message([length(body), bearer()], body, `POST ${route}\0 HTTP/1.1`)],
    ['TLS', () => Buffer.from('16030100c8010000c40303', 'hex')],
    ['noise', () => Buffer.from(Array.from({ length: 512 }, (_, index) => (index * 151 + 7) % 256))],
  ];
  it.each(cases)('%s is refused, the connection ends, and nothing behind it is read', async (_name, request) => {
    const before = { ...stack.lookups };
    const from = stack.service.log.length;
    const answers = await converse(stack.publicUrl, request());
    expect(answers.map(({ status, json }) => [status, json?.code])).toEqual([[400, 'request.malformed']]);
    expect(answers[0]!.text).not.toContain(token.slice(0, 40));
    expect(stack.lookups).toEqual(before);
    const line = await stack.service.line(({ correlationId }) => correlationId === answers[0]!.json.correlationId, from);
    expect(line).toMatchObject({ level: 'warn', status: 400, code: 'request.malformed' });
    expect(JSON.stringify(stack.service.log.slice(from))).not.toContain(token.slice(0, 40));
  });

  it.each([
    ['one header', () => [`X-Padding: ${'x'.repeat(20_000)}`]],
    ['the token', () => [`Authorization: Bearer ${token}${'x'.repeat(20_000)}`]],
    ['many headers', () => Array.from({ length: 6_000 }, () => 'a:')],
    ['the address', () => []],
  ])('%s beyond 16 KB are 431', async (name, lines) => {
    const start = name === 'the address' ? `POST ${route}?${'x'.repeat(20_000)} HTTP/1.1` : undefined;
    const answers = await converse(stack.publicUrl, message([length(body), ...lines()], body, start));
    expect(answers.map(({ status, json }) => [status, json?.code])).toEqual([[431, 'request.headersTooLarge']]);
  });

  it.each([
    ['no host', 400, 'request.malformed', (text: string) => text.replace('Host: claims.example\r\n', '')],
    ['two hosts', 400, 'request.malformed', (text: string) => text.replace('Host:', 'Host: a.example\r\nHOST:')],
    ['an expectation', 417, 'request.expectation', (text: string) => text.replace('Host:', 'Expect: 200-ok\r\nHost:')],
  ] as const)('%s is refused too, and logged', async (_name, status, code, change) => {
    const before = { ...stack.lookups };
    const from = stack.service.log.length;
    const [answer] = await converse(stack.publicUrl, change(post(bearer())));
    expect(answer).toMatchObject({ status, json: { status, code } });
    expect(answer!.headers.get('content-type')).toContain('application/problem+json');
    const line = await stack.service.line(({ correlationId }) => correlationId === answer!.json.correlationId, from);
    expect(line).toMatchObject({ level: 'warn', status, code });
    expect(stack.lookups).toEqual(before);
  });

  it('an expectation of 100-continue is met, and no host is needed by HTTP/1.0', async () => {
    for (const lines of ['1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue', '1.0'])
      expect((await converse(stack.publicUrl, `GET /health/live HTTP/${lines}\r\n\r\n`)).at(-1)).toMatchObject({ status: 200 });
  });

  it('never disturbed a caller that is in order, nor the process', async () => {
    expect((await stack.post(await stack.mint('contoso-2'))).status).toBe(200);
    expect(stack.lookups).toEqual({ contoso: 1, fabrikam: 0 });
    expect(stack.service.log.filter(({ level }) => level === 'error')).toEqual([]);
    expect(stack.service.stderr).toBe('');
  });
});
