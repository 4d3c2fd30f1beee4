import type { RefusalCode } from '#entra-auth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountOf, unauthenticated } from './refusal.js';
import { claimsOf, eventOf, startTrustStack, type TrustStack } from './trust-stack.js';
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

describe('the scheme', () => {
  it.each([
    ['in lower case', () => `Authorization: bearer ${token}`],
    ['in upper case', () => `AUTHORIZATION: BEARER ${token}`],
    ['and several spaces', () => `Authorization: Bearer    ${token}`],
    ['and space around the value', () => `Authorization: \t Bearer ${token} \t `],
    ['and a challenge to a proxy', () => `Authorization: Bearer ${token}\r\nProxy-Authorization: Basic eDp5`],
  ])('Bearer is accepted %s', async (_name, header) => {
    expect(await only(stack.publicUrl, post(header()))).toMatchObject({ status: 200 });
  });

  it('Bearer is accepted before a body in chunks', async () => {
    expect(await only(stack.publicUrl, message([bearer(), 'Transfer-Encoding: chunked'], chunked(body)))).toMatchObject({
      status: 200,
    });
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
    expect(await accountOf(stack, token, () => only(stack.publicUrl, post(...lines())))).toEqual(unauthenticated(refusal));
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
    ['the query', () => message([length(body)], body, `POST ${route}?access_token=${token} HTTP/1.1`)],
    ['the query, as a header', () => message([length(body)], body, `POST ${route}?authorization=Bearer%20${token} HTTP/1.1`)],
    ['a fragment of the address', () => message([length(body)], body, `POST ${route}#access_token=${token} HTTP/1.1`)],
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
      () =>
        message(['Transfer-Encoding: chunked', 'Trailer: Authorization'], chunked(body).replace(/\r\n$/, `${bearer()}\r\n\r\n`)),
    ],
    [
      'an extension of a chunk',
      () => message(['Transfer-Encoding: chunked'], chunked(body).replace('\r\n', `;authorization="Bearer ${token}"\r\n`)),
    ],
  ];
  it.each(places)('is not looked for: %s', async (_name, request) => {
    expect(await accountOf(stack, token, () => only(stack.publicUrl, request()))).toEqual(unauthenticated('token.missing'));
  });
});

describe('the way round the check', () => {
  const unmarked = ['/api/%6fnTokenIssuanceStart', `${route}?`, `${route}?x=/health/live`];
  it.each(unmarked)('is none: %s is the endpoint, and needs a token', async (address) => {
    const request = message([length(body)], body, `POST ${address} HTTP/1.1`);
    expect(await accountOf(stack, token, () => only(stack.publicUrl, request))).toEqual(unauthenticated('token.missing'));
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
        message([length(body), ...override, ...lines], body, `${method} ${address} HTTP/1.1`),
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
    expect(await accountOf(stack, token, () => only(stack.publicUrl, post('Expect: 100-continue')))).toEqual(
      unauthenticated('token.missing'),
    );
  });

  it.each([
    ['to WebSocket', 'Upgrade: websocket', 'Upgrade, close'],
    ['to HTTP/2', 'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__', 'Upgrade, HTTP2-Settings, close'],
  ])('is none by an upgrade %s', async (_name, upgrade, connection) => {
    const request = post(upgrade).replace('Connection: close', `Connection: ${connection}`);
    expect(await accountOf(stack, token, () => only(stack.publicUrl, request))).toEqual(unauthenticated('token.missing'));
  });

  it('is none by a version of HTTP that has no headers', async () => {
    expect(await accountOf(stack, token, () => only(stack.publicUrl, `POST ${route}\r\n\r\n`))).toEqual(
      unauthenticated('token.missing'),
    );
  });
});
