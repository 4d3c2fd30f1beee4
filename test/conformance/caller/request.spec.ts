import type { RefusalCode } from '#entra-auth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountOf, refusedWith, unauthenticated } from './refusal.js';
import { claimsOf, eventOf, startTrustStack, type TrustStack } from './trust-stack.js';
import { converse, type WireAnswer } from './wire.js';

let stack: TrustStack;
let token: string;

beforeAll(async () => {
  stack = await startTrustStack();
  await stack.ready();
  token = await stack.mint('contoso-2');
});

afterAll(() => stack[Symbol.asyncDispose]());

const body = JSON.stringify(eventOf('contoso'));
const route = '/api/onTokenIssuanceStart';
const line = `POST ${route} HTTP/1.1`;

/** A request whose connection ends with its answer; what is told of the body's length is up to the caller. */
const message = (lines: readonly string[], content = body, start = line): string =>
  `${[start, 'Host: claims.example', 'Content-Type: application/json', 'Connection: close', ...lines].join('\r\n')}\r\n\r\n${content}`;
const length = (content = body): string => `Content-Length: ${Buffer.byteLength(content)}`;
const post = (...lines: readonly string[]): string => message([length(), ...lines]);
const chunked = (content = body): string => `${content.length.toString(16)}\r\n${content}\r\n0\r\n\r\n`;
const bearer = (): string => `Authorization: Bearer ${token}`;

async function only(bytes: string | Buffer): Promise<WireAnswer> {
  const answers = await converse(stack.publicUrl, bytes);
  expect(answers.map(({ status }) => status)).toHaveLength(1);
  return answers[0]!;
}

describe('the scheme', () => {
  it.each([
    ['in lower case', () => `Authorization: bearer ${token}`],
    ['in upper case', () => `AUTHORIZATION: BEARER ${token}`],
    ['and several spaces', () => `Authorization: Bearer    ${token}`],
    ['and space around the value', () => `Authorization: \t Bearer ${token} \t `],
    ['and a challenge to a proxy', () => `Authorization: Bearer ${token}\r\nProxy-Authorization: Basic eDp5`],
  ])('Bearer is accepted %s', async (_name, header) => {
    expect(await only(post(header()))).toMatchObject({ status: 200 });
  });

  it('Bearer is accepted before a body in chunks', async () => {
    expect(await only(message([bearer(), 'Transfer-Encoding: chunked'], chunked()))).toMatchObject({ status: 200 });
  });

  /** Name, refusal, header lines. */
  const cases: readonly (readonly [string, RefusalCode, () => readonly string[]])[] = [
    ['no header', 'token.missing', () => []],
    ['an empty header', 'token.malformed', () => ['Authorization:']],
    ['the scheme alone', 'token.malformed', () => ['Authorization: Bearer']],
    ['the token alone', 'token.malformed', () => [`Authorization: ${token}`]],
    ...['Basic', 'Digest', 'Negotiate', 'DPoP', 'PoP', 'MAC', 'Bearer2', 'XBearer', 'JWT', 'Token', 'SharedAccessSignature'].map(
      (scheme) => [`the scheme ${scheme}`, 'token.malformed', () => [`Authorization: ${scheme} ${token}`]] as const,
    ),
    ['a tab instead of the space', 'token.malformed', () => [`Authorization: Bearer\t${token}`]],
    ['no space', 'token.malformed', () => [`Authorization: Bearer${token}`]],
    ['a colon', 'token.malformed', () => [`Authorization: Bearer: ${token}`]],
    ['a comma', 'token.malformed', () => [`Authorization: Bearer, ${token}`]],
    ['quotes', 'token.malformed', () => [`Authorization: Bearer "${token}"`]],
    ['a parameter', 'token.malformed', () => [`Authorization: Bearer token=${token}`]],
    ['the scheme twice', 'token.malformed', () => [`Authorization: Bearer Bearer ${token}`]],
    ['two tokens and a space', 'token.malformed', () => [`Authorization: Bearer ${token} ${token}`]],
    ['two tokens and a comma', 'token.malformed', () => [`Authorization: Bearer ${token}, Bearer ${token}`]],
    ['a comment', 'token.malformed', () => [`Authorization: Bearer ${token} (good)`]],
    ['a space that does not break', 'token.malformed', () => [`Authorization: Bearer\u00a0${token}`]],
    ['UTF-8 in the token', 'token.malformed', () => [`Authorization: Bearer ${token}${Buffer.from('é').toString('latin1')}`]],
    [
      'a scheme in full-width letters',
      'token.malformed',
      () => [`Authorization: ${Buffer.from('Ｂearer').toString('latin1')} ${token}`],
    ],
    ['the header twice', 'token.malformed', () => [bearer(), bearer()]],
    ['a good header and a bad one', 'token.malformed', () => [bearer(), 'Authorization: Bearer a.b.c']],
    ['a bad header and a good one', 'token.malformed', () => ['Authorization: Bearer a.b.c', bearer()]],
    ['a good header and an empty one', 'token.malformed', () => [bearer(), 'authorization:']],
    ['a good header and one of another scheme', 'token.malformed', () => [bearer(), 'AUTHORIZATION: Basic eDp5']],
    ['the header three times, apart', 'token.malformed', () => [bearer(), 'X-Between: 1', bearer(), 'X-Between: 2', bearer()]],
  ];
  it.each(cases)('%s is refused: %s', async (_name, refusal, lines) => {
    expect(await accountOf(stack, token, () => only(post(...lines())))).toEqual(unauthenticated(refusal));
  });
});

describe('a token elsewhere', () => {
  const principal = Buffer.from(
    JSON.stringify({ auth_typ: 'aad', claims: Object.entries(claimsOf('contoso-2')).map(([typ, val]) => ({ typ, val })) }),
  ).toString('base64');
  const places: readonly (readonly [string, () => string])[] = [
    ...[
      'Proxy-Authorization',
      'X-Authorization',
      'X-Forwarded-Authorization',
      'X-Original-Authorization',
      'Authorization-Token',
      'Authorisation',
      'X-MS-TOKEN-AAD-ACCESS-TOKEN',
      'X-MS-TOKEN-AAD-ID-TOKEN',
      'X-Access-Token',
      'X-Api-Key',
      'X-Amzn-Oidc-Data',
      'X-Goog-IAP-JWT-Assertion',
      'X-ZUMO-AUTH',
      'Ocp-Apim-Subscription-Key',
      'WWW-Authenticate',
      'Sec-WebSocket-Protocol',
    ].map((name) => [`the header ${name}`, () => post(`${name}: Bearer ${token}`)] as const),
    ...['X-MS-CLIENT-PRINCIPAL', 'X-MS-CLIENT-PRINCIPAL-ID', 'X-MS-CLIENT-PRINCIPAL-NAME', 'X-MS-CLIENT-PRINCIPAL-IDP'].map(
      (name) =>
        [
          `the principal header ${name}`,
          () => post(`${name}: ${name.endsWith('PRINCIPAL') ? principal : '99045fe1-7639-4a75-9d4a-577b6ca3810f'}`),
        ] as const,
    ),
    [
      'all principal headers at once',
      () =>
        post(
          `X-MS-CLIENT-PRINCIPAL: ${principal}`,
          'X-MS-CLIENT-PRINCIPAL-IDP: aad',
          'X-MS-CLIENT-PRINCIPAL-ID: 99045fe1-7639-4a75-9d4a-577b6ca3810f',
          `X-MS-TOKEN-AAD-ACCESS-TOKEN: ${token}`,
        ),
    ],
    [
      'a client certificate of a proxy',
      () => post('X-ARR-ClientCert: MIIB', 'X-Forwarded-Client-Cert: Hash=1', 'X-SSL-Client-Verify: SUCCESS'),
    ],
    ['a cookie', () => post(`Cookie: access_token=${token}; AppServiceAuthSession=${token}`)],
    ['the query', () => message([length()], body, `POST ${route}?access_token=${token} HTTP/1.1`)],
    ['the query, as a header', () => message([length()], body, `POST ${route}?authorization=Bearer%20${token} HTTP/1.1`)],
    ['a fragment of the address', () => message([length()], body, `POST ${route}#access_token=${token} HTTP/1.1`)],
    [
      'the body, as JSON',
      () => {
        const content = JSON.stringify({ ...eventOf('contoso'), access_token: token, authorization: `Bearer ${token}` });
        return message([length(content)], content);
      },
    ],
    [
      'the body, as a form',
      () => {
        const content = `access_token=${token}`;
        return message([length(content)], content).replace('application/json', 'application/x-www-form-urlencoded');
      },
    ],
    [
      'a trailer after a body in chunks',
      () => message(['Transfer-Encoding: chunked', 'Trailer: Authorization'], chunked().replace(/\r\n$/, `${bearer()}\r\n\r\n`)),
    ],
    [
      'an extension of a chunk',
      () => message(['Transfer-Encoding: chunked'], chunked().replace('\r\n', `;authorization="Bearer ${token}"\r\n`)),
    ],
    ['a header after 3,000 others', () => post(...Array.from({ length: 3_000 }, () => 'a:'), bearer())],
  ];
  it.each(places)('is not looked for: %s', async (_name, request) => {
    expect(await accountOf(stack, token, () => only(request()))).toEqual(unauthenticated('token.missing'));
  });
});

describe('the way round the check', () => {
  const unmarked = ['/api/%6fnTokenIssuanceStart', `${route}?`, `${route}?x=/health/live`];
  it.each(unmarked)('is none: %s is the endpoint, and needs a token', async (address) => {
    const request = message([length()], body, `POST ${address} HTTP/1.1`);
    expect(await accountOf(stack, token, () => only(request))).toEqual(unauthenticated('token.missing'));
  });

  it.each([
    ['POST', '//api/onTokenIssuanceStart'],
    ['POST', '/api//onTokenIssuanceStart'],
    ['POST', '/api/onTokenIssuanceStart/'],
    ['POST', '/API/onTokenIssuanceStart'],
    ['POST', '/api/ontokenissuancestart'],
    ['POST', '/api/./onTokenIssuanceStart'],
    ['POST', '/x/../api/onTokenIssuanceStart'],
    ['POST', '/x/..%2fapi/onTokenIssuanceStart'],
    ['POST', '/api%2fonTokenIssuanceStart'],
    ['POST', '/api\\onTokenIssuanceStart'],
    ['POST', '/api/onTokenIssuanceStart;x'],
    ['POST', '/api/onTokenIssuanceStart%00'],
    ['POST', '/api/onTokenIssuanceStart.json'],
    ['POST', '/api/onTokenIssuanceStart%20'],
    ['GET', route],
    ['HEAD', route],
    ['PUT', route],
    ['PATCH', route],
    ['DELETE', route],
    ['OPTIONS', route],
    ['TRACE', route],
    ['PROPFIND', route],
  ])('is none: there is nothing at %s %s, token or not', async (method, address) => {
    for (const lines of [[], [bearer()]]) {
      const before = { ...stack.lookups };
      const from = stack.service.log.length;
      const override = ['X-HTTP-Method-Override: POST', `X-Original-URL: ${route}`, `X-Rewrite-URL: ${route}`];
      const answers = await converse(
        stack.publicUrl,
        message([length(), ...override, ...lines], body, `${method} ${address} HTTP/1.1`),
      );
      expect(answers.map(({ status }) => status)).toEqual([404]);
      expect(answers[0]!.text).not.toContain(token);
      expect(stack.lookups).toEqual(before);
      expect(stack.service.log.slice(from).filter(({ tenant }) => tenant !== undefined)).toEqual([]);
    }
  });

  it('is none within a connection: a caller is not remembered for the next request', async () => {
    const open = post(bearer()).replace('Connection: close\r\n', '');
    const answers = await converse(stack.publicUrl, `${open}${open}${post()}`);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 401]);
  });

  it('is none by 100-continue: a body is no token', async () => {
    expect(await accountOf(stack, token, () => only(post('Expect: 100-continue')))).toEqual(unauthenticated('token.missing'));
  });

  it('is none by an upgrade', async () => {
    for (const lines of [
      ['Upgrade: websocket', 'Connection: Upgrade'],
      ['Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__', 'Connection: Upgrade, HTTP2-Settings'],
    ]) {
      const request = post(...lines).replace('Connection: close\r\n', '');
      const account = await accountOf(stack, token, () =>
        only(`${request}${'GET / HTTP/0.0\r\n\r\n'}`.replace('GET / HTTP/0.0\r\n\r\n', '')),
      );
      expect(account).toEqual(unauthenticated('token.missing'));
    }
  });
});

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
      expect(await accountOf(stack, token, () => only(message([...lines, ...more], content)))).toMatchObject({
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
        `${line}\r\nHost: claims.example\r\nConnection: close\r\n${bearer()}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(content)}\r\n\r\n`,
      ),
      Buffer.from(content),
    ]);
    expect(await accountOf(stack, token, () => only(bytes))).toMatchObject({ status, code, leaks: [], reached: [] });
  });
});

describe('what is not HTTP as RFC 9112 has it', () => {
  const hidden = (): string => post(bearer());
  const cases: readonly (readonly [string, () => string | Buffer])[] = [
    ['length and chunks', () => message([length(), 'Transfer-Encoding: chunked', bearer()], `0\r\n\r\n${hidden()}`)],
    [
      'chunks and length',
      () => message(['Transfer-Encoding: chunked', 'Content-Length: 4', bearer()], `${chunked()}${hidden()}`),
    ],
    ['two lengths', () => message([length(), 'Content-Length: 0', bearer()], `${body}${hidden()}`)],
    ['the same length twice', () => post(length(), bearer())],
    ['two lengths in one', () => message([`${length()}, ${Buffer.byteLength(body)}`, bearer()])],
    ...['-1', '+10', '0x10', '1 0', '1e3', '٣', '', '99999999999999999999999', '10_0'].map(
      (value) =>
        [
          `the length ${JSON.stringify(value)}`,
          () => message([`Content-Length: ${Buffer.from(value).toString('latin1')}`, bearer()]),
        ] as const,
    ),
    ...['xchunked', 'chunked, identity', 'identity', 'chunked, chunked ,x', 'gzip', 'chunked\x0b', '"chunked"', 'chunked;x'].map(
      (value) =>
        [
          `the transfer encoding ${JSON.stringify(value)}`,
          () => message([`Transfer-Encoding: ${value}`, bearer()], `${chunked()}${hidden()}`),
        ] as const,
    ),
    [
      'a space before the colon of the encoding',
      () => message(['Transfer-Encoding : chunked', bearer()], `${chunked()}${hidden()}`),
    ],
    [
      'two encodings',
      () => message(['Transfer-Encoding: chunked', 'Transfer-Encoding: identity', bearer()], `${chunked()}${hidden()}`),
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
      () => message([length()]).replace('\r\nHost', `\r\n Authorization: Bearer ${token}\r\nHost`),
    ],
    ['a header without a name', () => post(`: Bearer ${token}`)],
    ['a header without a colon', () => post('Authorization')],
    ['a name in Unicode', () => post(`${Buffer.from('Authorizatiоn').toString('latin1')}: Bearer ${token}`)],
    ['line feeds alone', () => post(bearer()).replaceAll('\r\n', '\n')],
    ['no host', () => post(bearer()).replace('Host: claims.example\r\n', '')],
    ['version 0.9', () => `POST ${route}\r\n\r\n`],
    ['version 1.2', () => message([length(), bearer()], body, `POST ${route} HTTP/1.2`)],
    ['version 2.0', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a method that is none', () => message([length(), bearer()], body, `STEAL ${route} HTTP/1.1`)],
    ['a space in the address', () => message([length(), bearer()], body, `POST ${route} x HTTP/1.1`)],
    ['a NUL in the address', () => message([length(), bearer()], body, `POST ${route}\0 HTTP/1.1`)],
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
    expect(stack.service.log.slice(from)).toEqual([]);
  });

  it.each([
    ['one header', () => [`X-Padding: ${'x'.repeat(20_000)}`]],
    ['the token', () => [`Authorization: Bearer ${token}${'x'.repeat(20_000)}`]],
    ['many headers', () => Array.from({ length: 2_000 }, (_, index) => `X-${index}: ${index}`)],
    ['the address', () => []],
  ])('%s beyond 16 KB are 431', async (name, lines) => {
    const start = name === 'the address' ? `POST ${route}?${'x'.repeat(20_000)} HTTP/1.1` : line;
    const answers = await converse(stack.publicUrl, message([length(), ...lines()], body, start));
    expect(answers.map(({ status, json }) => [status, json?.code])).toEqual([[431, 'request.headersTooLarge']]);
  });

  it('never disturbed a caller that is in order, nor the process', async () => {
    expect((await stack.post(await stack.mint('contoso-2'))).status).toBe(200);
    expect(stack.service.log.filter(({ level }) => level === 'error')).toEqual([]);
    expect(stack.service.stderr).toBe('');
  });
});

describe('the tenant of the body', () => {
  it.each([
    ['another tenant that is trusted', 'fabrikam'],
    ['the operators’ tenant', 'admin'],
  ] as const)('is that of the token, not %s', async (_name, named) => {
    const event = eventOf(named);
    const account = await accountOf(stack, token, () => stack.post(token, 'contoso', event));
    expect(account).toEqual(refusedWith(403, 'tenant.mismatch', 'The event is of another tenant than the access token.'));
  });
});
