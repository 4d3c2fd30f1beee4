import { Readable } from 'node:stream';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { provided, startClaimsService, type ClaimsService } from './claims-service.js';
import { claimsOf } from './wire-answers.js';
import { canary, tokenIssuanceStart, type Json } from './wire-events.js';

let service: ClaimsService;

beforeAll(async () => {
  service = await startClaimsService();
});

afterAll(() => service[Symbol.asyncDispose]());

const valid = JSON.stringify(tokenIssuanceStart());
const route = '/api/onTokenIssuanceStart';

interface Call {
  readonly method?: string;
  readonly path?: string;
  /** `undefined` sends none. */
  readonly contentType?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | Readable | null;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

async function call({ method = 'POST', path = route, headers = {}, body = valid, ...more }: Call): Promise<Answer> {
  const contentType = 'contentType' in more ? more.contentType : 'application/json';
  const response = await request(service.publicUrl + path, {
    method: method as 'POST',
    headers: {
      authorization: service.authorization,
      ...(contentType !== undefined && { 'content-type': contentType }),
      ...headers,
    },
    body,
  });
  return { status: response.statusCode, headers: response.headers, text: await response.body.text() };
}

/** Status and code of a problem document in its one form, which repeats nothing of the body. */
function refusalOf({ status, headers, text }: Answer): readonly [status: number, code: string] {
  expect(headers['content-type'], text).toMatch(/^application\/problem\+json(; charset=utf-8)?$/);
  const problem = JSON.parse(text) as Json;
  expect(problem).toMatchObject({ type: `urn:claimbridge:problem:${problem['code']}`, status });
  expect(text).not.toContain(canary);
  return [status, problem['code'] as string];
}

const accepted = { ...provided, name: 'Mira Lindt' };

describe('the content type', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset=utf-8',
    'application/json; charset="utf-8"',
    'application/json ; charset=UTF-8',
    'Application/JSON',
    'APPLICATION/JSON; CHARSET=UTF-8',
  ])('%s is taken', async (contentType) => {
    const answer = await call({ contentType });
    expect(answer.status, answer.text).toBe(200);
    expect(claimsOf(answer.text)).toEqual(accepted);
  });

  it.each([
    undefined,
    '',
    'text/json',
    'text/plain',
    'text/xml',
    'application/xml',
    'application/problem+json',
    'application/cloudevents+json',
    'application/json+x',
    'application/jsonp',
    'application/x-json',
    'application/json, text/plain',
    'application/json; charset=utf-16',
    'application/json; charset=iso-8859-1',
    'application/json; charset=',
    'application/json; charset=utf-8; charset=latin1',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/octet-stream',
    'json',
    '*/*',
    canary,
  ])('%s is refused with 415', async (contentType) => {
    expect(refusalOf(await call({ contentType }))).toEqual([415, 'request.contentType']);
  });
});

describe('a body that is encoded', () => {
  it.each([
    ['gzip', gzipSync(valid)],
    ['deflate', deflateSync(valid)],
    ['br', brotliCompressSync(valid)],
    ['gzip', gzipSync(Buffer.alloc(50_000_000))],
    ['gzip, gzip', gzipSync(gzipSync(valid))],
  ])('by %s is not decoded: 4xx, whatever it holds', async (encoding, body) => {
    const answer = await call({ headers: { 'content-encoding': encoding }, body });
    expect([
      [400, 'request.body'],
      [415, 'request.contentType'],
    ]).toContainEqual(refusalOf(answer));
  });
});

describe('the size of a body', () => {
  const sized = (bytes: number): string => valid + ' '.repeat(bytes - Buffer.byteLength(valid));

  it.each([
    ['at once', (text: string) => text],
    ['in chunks', (text: string) => Readable.from(text.match(/.{1,1000}/gs)!)],
  ])('may be 65,536 bytes, sent %s', async (_name, send) => {
    expect(claimsOf((await call({ body: send(sized(65_536)) })).text)).toEqual(accepted);
  });

  it.each([
    ['65,537 bytes', () => sized(65_537)],
    ['65,537 bytes in chunks', () => Readable.from(sized(65_537).match(/.{1,1000}/gs)!)],
    ['a megabyte', () => sized(1_048_576)],
    ['a megabyte that is no JSON', () => canary.repeat(100_000)],
  ])('may not be %s: 413', async (_name, body) => {
    expect(refusalOf(await call({ body: body() }))).toEqual([413, 'request.tooLarge']);
  });
});

describe('a body that arrives', () => {
  it.each<[string, () => Readable]>([
    ['in chunks', () => Readable.from(valid.match(/.{1,100}/gs)!)],
    ['byte by byte', () => Readable.from(Buffer.from(valid.replace('Mira', 'Mir\\u0061')).toString('latin1').match(/./gs)!)],
    ['with a character cut in two', () => cutInsideOf(valid.replace('Mira Lindt', 'Zoë'), 'ë')],
  ])('%s is read as a whole', async (_name, body) => {
    const answer = await call({ body: body() });
    expect(answer.status, answer.text).toBe(200);
    expect(claimsOf(answer.text)).toMatchObject(provided);
  });

  it('not at all is refused', async () => {
    expect(refusalOf(await call({ body: null }))).toEqual([400, 'request.body']);
    expect(refusalOf(await call({ body: Readable.from([]) }))).toEqual([400, 'request.body']);
  });

  it('not at all, with neither length nor type, is refused', async () => {
    expect(refusalOf(await call({ body: null, contentType: undefined }))).toEqual([415, 'request.contentType']);
  });
});

describe('the method', () => {
  it.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'])(
    '%s is not offered',
    async (method) => {
      const answer = await call({ method, body: ['GET', 'HEAD', 'TRACE'].includes(method) ? null : valid });
      expect([404, 405]).toContain(answer.status);
      if (method !== 'HEAD')
        expect(JSON.parse(answer.text)).toMatchObject({ status: answer.status, code: expect.stringMatching(/^route\./) });
      expect(answer.text).not.toContain('gold');
    },
  );
});

describe('the address', () => {
  it.each([
    '?',
    '?functionName=onTokenIssuanceStart',
    '?code=abc&x=%00',
    '?type=other&tenantId=x',
    '?__proto__[x]=1',
    `?${'q'.repeat(4_000)}`,
  ])('may have a query, as Entra keeps that of the registration: %.30s', async (query) => {
    const answer = await call({ path: route + query });
    expect(answer.status, answer.text).toBe(200);
    expect(claimsOf(answer.text)).toEqual(accepted);
  });

  it.each([
    '/api/ontokenissuancestart',
    '/API/onTokenIssuanceStart',
    '/api//onTokenIssuanceStart',
    '//api/onTokenIssuanceStart',
    '/api/onTokenIssuanceStart/x',
    '/api/onTokenIssuanceStart%00',
    '/api/onTokenIssuanceStart%2f',
    '/api/onTokenIssuanceStart;x',
    '/onTokenIssuanceStart',
    '/api/onAttributeCollectionStart',
    '/api/onAttributeCollectionSubmit',
    '/api/onEmailOtpSend',
    '/api/onOtpSend',
    '/api/onPasswordSubmit',
    '/api/onVerifiedIdClaimValidation',
    '/api/__proto__',
    '/api/constructor',
    '/',
  ])('%s has nothing', async (path) => {
    const answer = await call({ path });
    expect(answer.status, answer.text).toBe(404);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'route.unknown' });
  });

  it.each(['/api/%ff', '/api/%canary-7f3a', '/%'])('%s cannot be decoded, and is not repeated', async (path) => {
    expect(refusalOf(await call({ path }))).toEqual([400, 'request.malformed']);
  });

  it('may not end in a slash', async () => {
    expect(refusalOf(await call({ path: `${route}/` }))).toEqual([404, 'route.unknown']);
  });
});

describe('the answer', () => {
  it('is JSON that nobody may keep, transform or guess the type of', async () => {
    const { headers } = await call({});
    expect(headers['content-type']).toMatch(/^application\/json(; charset=utf-8)?$/);
    expect(headers['content-encoding']).toBeUndefined();
    expect(headers['x-powered-by'] ?? headers['server']).toBeUndefined();
  });

  it('is not compressed, also where the caller would take it', async () => {
    const answer = await call({ headers: { 'accept-encoding': 'gzip, br' } });
    expect(claimsOf(answer.text)).toEqual(accepted);
  });

  it('is JSON whatever the caller says it accepts', async () => {
    expect(claimsOf((await call({ headers: { accept: 'text/html' } })).text)).toEqual(accepted);
  });

  it('gives each of many concurrent callers its own', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => call({ body: valid.replace('Mira Lindt', `Person ${index}`) })),
    );
    expect(answers.map(({ text }) => claimsOf(text)['name'])).toEqual(answers.map((_, index) => `Person ${index}`));
  });

  it('is the same for the same event sent twice, as Entra does after a timeout', async () => {
    const [first, second] = [await call({}), await call({})];
    expect(second.text).toBe(first.text);
  });

  it('to a refusal is under the correlation id of our own, never one that the body has', async () => {
    const body = valid.replace('"source"', '"origin"');
    const problem = JSON.parse((await call({ body })).text) as Json;
    expect(body).not.toContain(problem['correlationId']);
  });
});

function cutInsideOf(text: string, character: string): Readable {
  const bytes = Buffer.from(text);
  const at = bytes.indexOf(Buffer.from(character)) + 1;
  return Readable.from([bytes.subarray(0, at), bytes.subarray(at)]);
}
