import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { generateKeyPairSync } from 'node:crypto';
import { IssuerServer, answerJson, signingKey, type Behaviour, type SigningKey } from '../test/issuer-server.js';
import { KeyManager, type KeyManagerOptions } from './key-manager.js';
import { KeyFetchError, readPinnedKeys } from './key-source.js';

const issuer = 'https://issuer.example/contoso/v2.0';
const other = 'https://issuer.example/fabrikam/v2.0';

let server: IssuerServer;
let first: SigningKey;
let second: SigningKey;
let clock: number;
let manager: KeyManager;

function manage(options: Partial<KeyManagerOptions> = {}): KeyManager {
  manager = new KeyManager({
    issuers: [{ issuer, metadata: server.metadata('contoso') }],
    ca: server.ca,
    now: () => clock,
    ...options,
  });
  return manager;
}

const make = (...metadata: string[]): KeyManager =>
  new KeyManager({ issuers: metadata.map((address) => ({ issuer, metadata: address })) });
const pass = (milliseconds: number): void => void (clock += milliseconds);

beforeAll(async () => {
  server = await IssuerServer.start();
  [first, second] = await Promise.all([signingKey('first'), signingKey('second')]);
});
afterAll(async () => server[Symbol.asyncDispose]());
beforeEach(() => {
  clock = Date.UTC(2026, 0, 1);
  server.requests.clear();
  server.publish('contoso', issuer, [first.publicJwk]);
});
afterEach(async () => manager.close());

describe('what is held', () => {
  it('is fetched at the start and then answered without a fetch', async () => {
    manage();
    expect(manager.ready).toBe(false);
    expect(manager.status()).toEqual([{ issuer, state: 'missing', keys: 0, suppressedFetches: 0 }]);
    await manager.start();
    expect(manager.ready).toBe(true);
    expect((await manager.key(issuer, 'first')).kind).toBe('key');
    expect(server.asked('contoso', 'keys')).toBe(1);
    const usableUntil = new Date(clock + 24 * 3_600_000);
    expect(manager.status()).toEqual([
      { issuer, state: 'fresh', keys: 1, fetchedAt: new Date(clock), usableUntil, suppressedFetches: 0 },
    ]);
  });

  it('is fetched once for any number of requests that come before it', async () => {
    manage();
    const answers = await Promise.all(Array.from({ length: 50 }, () => manager.key(issuer, 'first')));
    expect(answers.every(({ kind }) => kind === 'key')).toBe(true);
    expect([server.asked('contoso', 'metadata'), server.asked('contoso', 'keys')]).toEqual([1, 1]);
  });

  it('belongs to its own issuer only', async () => {
    server.publish('fabrikam', other, [second.publicJwk]);
    manage({
      issuers: [
        { issuer, metadata: server.metadata('contoso') },
        { issuer: other, metadata: server.metadata('fabrikam') },
        { issuer, metadata: server.metadata('contoso') },
      ],
    });
    await manager.start();
    expect(manager.status()).toHaveLength(2);
    expect((await manager.key(other, 'second')).kind).toBe('key');
    expect((await manager.key(issuer, 'second')).kind).toBe('unknownKid');
    await expect(manager.key('https://issuer.example/stranger', 'first')).rejects.toThrow('does not know');
  });

  it('leaves out keys that must not sign', async () => {
    const { n, e } = generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey.export({ format: 'jwk' });
    const { kid: _, ...nameless } = first.publicJwk;
    server.publish('contoso', issuer, [
      { ...first.publicJwk, kid: 'encrypts', use: 'enc' },
      { ...first.publicJwk, kid: 'other-algorithm', alg: 'PS256' },
      { kty: 'RSA', kid: 'weak', use: 'sig', n, e },
      { kty: 'oct', kid: 'secret', k: 'c2VjcmV0' },
      { kty: 'RSA', kid: 'broken', n: '!', e: '!' },
      nameless,
      second.publicJwk,
      { ...first.publicJwk, kid: 'second' },
    ]);
    await manage().start();
    expect(manager.status()).toMatchObject([{ keys: 1 }]);
    expect((await manager.key(issuer, 'second')).kind).toBe('key');
  });

  it('has a bound', async () => {
    server.publish('contoso', issuer, [...Array.from({ length: 1_000 }, () => ({ kty: 'oct', kid: 'x' })), first.publicJwk]);
    await manage().start();
    expect(manager.ready).toBe(false);
  });
});

describe('an unknown kid', () => {
  it('is looked for after the cool-down, so that a rollover is noticed', async () => {
    await manage().start();
    server.publish('contoso', issuer, [first.publicJwk, second.publicJwk]);
    expect((await manager.key(issuer, 'second')).kind).toBe('unknownKid');
    pass(30_000);
    expect((await manager.key(issuer, 'second')).kind).toBe('key');
  });

  it('is withdrawn when the issuer withdraws it', async () => {
    await manage().start();
    server.publish('contoso', issuer, [second.publicJwk]);
    pass(30_000);
    expect((await manager.key(issuer, 'second')).kind).toBe('key');
    expect((await manager.key(issuer, 'first')).kind).toBe('unknownKid');
  });

  it('causes one fetch a cool-down, however many are forged', async () => {
    await manage().start();
    for (let forged = 0; forged < 100; forged += 1) await manager.key(issuer, `early-${forged}`);
    expect(server.asked('contoso', 'metadata')).toBe(1);
    pass(30_000);
    await Promise.all(Array.from({ length: 100 }, (_, forged) => manager.key(issuer, `forged-${forged}`)));
    for (let forged = 0; forged < 100; forged += 1) await manager.key(issuer, `late-${forged}`);
    expect(server.asked('contoso', 'metadata')).toBe(2);
    expect(manager.status()).toMatchObject([{ suppressedFetches: 200 }]);
  });

  it('is not called unknown while the issuer cannot be asked', async () => {
    await manage().start();
    server.behave('contoso', 'keys', answerJson({ error: 'down' }, 503));
    pass(30_000);
    expect((await manager.key(issuer, 'second')).kind).toBe('unavailable');
    expect((await manager.key(issuer, 'second')).kind).toBe('unavailable');
    expect((await manager.key(issuer, 'first')).kind).toBe('key');
    expect(server.asked('contoso', 'keys')).toBe(2);
  });
});

const html: Behaviour = (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
const hang: Behaviour = () => undefined;
const huge: Behaviour = (_request, response) =>
  void response.writeHead(200).end(JSON.stringify({ issuer, keys: [], padding: 'x'.repeat(300 * 1024) }));
const endless: Behaviour = (_request, response) => {
  response.writeHead(200);
  const timer = setInterval(() => response.write('x'.repeat(1_024)), 1);
  response.on('close', () => clearInterval(timer));
};
const reset: Behaviour = (request) => void request.socket.destroy();
const half: Behaviour = (_request, response) => {
  response.writeHead(200, { 'content-length': 1_000 }).write('{"issuer":');
  setTimeout(() => response.destroy(), 20);
};
const unavailable = answerJson({ error: 'down' }, 503);
const list = answerJson(['not', 'metadata']);
const nothing = answerJson(null);

describe.each(['metadata', 'keys'] as const)('trouble with the %s', (document) => {
  it.each([
    ['status 503', unavailable, 'status 503'],
    ['HTML', html, 'must be a JSON object'],
    ['null', nothing, 'must be a JSON object'],
    ['a list', list, /must be a JSON object/],
    ['no answer', hang, 'no answer in time'],
    ['too large an answer', huge, 'RES_EXCEEDED_MAX_SIZE'],
    ['an endless answer', endless, /RES_EXCEEDED_MAX_SIZE|no answer in time/],
    ['a reset connection', reset, /cannot be fetched/],
    ['half an answer', half, /cannot be fetched/],
  ])('%s is unavailable, and over as soon as the issuer answers again', async (_name, behaviour, detail) => {
    server.behave('contoso', document, behaviour);
    manage({ timeoutMs: 400 });
    await manager.start();
    expect(manager.ready).toBe(false);
    expect(await manager.key(issuer, 'first')).toEqual({ kind: 'unavailable', detail: expect.stringMatching(detail) as string });
    expect(manager.status()).toMatchObject([{ state: 'missing', keys: 0, lastError: { at: new Date(clock) } }]);
    server.publish('contoso', issuer, [first.publicJwk]);
    pass(500);
    expect((await manager.key(issuer, 'first')).kind).toBe('key');
    expect(manager.status()[0]).not.toHaveProperty('lastError');
  });

  it('a redirect is not followed', async () => {
    server.publish('fabrikam', issuer, [second.publicJwk]);
    const location = document === 'metadata' ? server.metadata('fabrikam') : `${server.origin}/fabrikam/keys`;
    server.behave('contoso', document, (_request, response) => void response.writeHead(302, { location }).end());
    await manage().start();
    expect(await manager.key(issuer, 'second')).toMatchObject({
      kind: 'unavailable',
      detail: expect.stringContaining('302') as string,
    });
    expect(server.asked('fabrikam', document)).toBe(0);
  });

  it('a failed fetch takes no keys away, for a day', async () => {
    await manage({ timeoutMs: 400 }).start();
    const fetchedAt = new Date(clock);
    server.behave('contoso', document, html);
    pass(23 * 3_600_000);
    expect((await manager.key(issuer, 'unknown')).kind).toBe('unavailable');
    expect((await manager.key(issuer, 'first')).kind).toBe('key');
    expect(manager.status()).toMatchObject([{ state: 'stale', keys: 1, fetchedAt, lastError: { at: new Date(clock) } }]);
    expect(manager.ready).toBe(true);
    pass(3_600_000);
    expect((await manager.key(issuer, 'first')).kind).toBe('unavailable');
    expect(manager.ready).toBe(false);
    expect(manager.status()).toMatchObject([{ state: 'missing', keys: 0 }]);
  });
});

describe('keys that are pinned', () => {
  const pinned = async (keys: readonly unknown[] = [second.publicJwk], name = issuer) =>
    readPinnedKeys(JSON.stringify({ [name]: { keys } }));

  it('serve where the metadata cannot be reached, for a day', async () => {
    server.behave('contoso', 'metadata', answerJson({}, 503));
    manage({ pinned: await pinned() });
    expect((await manager.key(issuer, 'second')).kind).toBe('key');
    expect(server.asked('contoso', 'metadata')).toBe(0);
    await manager.start();
    expect(manager.ready).toBe(true);
    expect((await manager.key(issuer, 'second')).kind).toBe('key');
    expect((await manager.key(issuer, 'first')).kind).toBe('unavailable');
    const usableUntil = new Date(Date.UTC(2026, 0, 2));
    expect(manager.status()).toMatchObject([{ state: 'pinned', keys: 1, usableUntil, lastError: { at: new Date(clock) } }]);
    expect(manager.status()[0]).not.toHaveProperty('fetchedAt');
    pass(24 * 3_600_000);
    expect((await manager.key(issuer, 'second')).kind).toBe('unavailable');
    expect(manager.status()).toMatchObject([{ state: 'missing', keys: 0 }]);
  });

  it('give way to the first fetch that succeeds', async () => {
    await manage({ pinned: await pinned() }).start();
    expect(manager.status()).toMatchObject([{ state: 'fresh', keys: 1, fetchedAt: new Date(clock) }]);
    expect((await manager.key(issuer, 'first')).kind).toBe('key');
    expect((await manager.key(issuer, 'second')).kind).toBe('unknownKid');
  });

  it('belong to an issuer of the configuration', async () => {
    const foreign = await pinned([second.publicJwk], other);
    expect(() => manage({ pinned: foreign })).toThrow(`${other}, which is no issuer of the configuration`);
  });

  it.each(['', 'null', '[]', '"x"', `{"${issuer}":null}`, `{"${issuer}":{}}`, `{"${issuer}":{"keys":[]}}`])(
    'are refused as %s',
    async (text) => {
      await expect(readPinnedKeys(text)).rejects.toThrow(KeyFetchError);
    },
  );

  it('are refused without a usable key', async () => {
    await expect(pinned([{ ...second.publicJwk, use: 'enc' }])).rejects.toThrow('no usable RSA signing key');
  });
});

describe('metadata', () => {
  it.each([
    ['of another issuer', { issuer: other }, 'another issuer'],
    ['whose keys are not https', { jwks_uri: 'http://localhost:1/keys' }, 'not https'],
    ['whose keys are nowhere', { jwks_uri: 'keys' }, 'not https'],
    ['without an address of keys', { jwks_uri: undefined }, 'no jwks_uri'],
  ])('%s are refused', async (_name, change, detail) => {
    server.publish('contoso', issuer, [first.publicJwk], change);
    await manage().start();
    expect(await manager.key(issuer, 'first')).toMatchObject({
      kind: 'unavailable',
      detail: expect.stringContaining(detail) as string,
    });
    expect(server.asked('contoso', 'keys')).toBe(0);
  });

  it('asks in nobody’s name', async () => {
    const names: string[] = [];
    server.behave('contoso', 'metadata', (request, response) => {
      names.push(...Object.keys(request.headers));
      answerJson({}, 503)(request, response);
    });
    await manage().start();
    expect(names.toSorted()).toEqual(['accept', 'connection', 'host']);
  });

  it('may state the other issuer that the configuration allows', async () => {
    server.publish('contoso', other, [first.publicJwk]);
    manage({ issuers: [{ issuer, metadata: server.metadata('contoso'), alsoStatedAs: other }] });
    await manager.start();
    expect((await manager.key(issuer, 'first')).kind).toBe('key');
    expect(manager.knows(other)).toBe(false);
  });

  it('are accepted only from a server that the authority vouches for', async () => {
    await manage({ ca: undefined }).start();
    expect(await manager.key(issuer, 'first')).toMatchObject({ kind: 'unavailable' });
    expect(server.asked('contoso', 'metadata')).toBe(0);
  });

  it('have one https address, or the manager is not made', () => {
    manage();
    expect(() => make('http://issuer.example/')).toThrow('not https');
    expect(() => make('https://a.example/', 'https://b.example/')).toThrow('two metadata addresses');
  });
});

describe('waiting', () => {
  it('ends with the budget of the caller while the fetch goes on', async () => {
    let release!: () => void;
    const held = new Promise<void>((resolve) => (release = resolve));
    server.behave(
      'contoso',
      'keys',
      (request, response) => void held.then(() => answerJson({ keys: [first.publicJwk] })(request, response)),
    );
    manage({ timeoutMs: 10_000 });
    expect(await manager.key(issuer, 'first', 1)).toMatchObject({
      kind: 'unavailable',
      detail: expect.stringContaining('still') as string,
    });
    expect(await manager.key(issuer, 'first', -1)).toMatchObject({ kind: 'unavailable' });
    const patient = manager.key(issuer, 'first');
    release();
    expect((await patient).kind).toBe('key');
    expect(server.asked('contoso', 'keys')).toBe(1);
  });

  it('is refused at once in the pause after a failure, which grows with each one', async () => {
    server.behave('contoso', 'metadata', unavailable);
    await manage().start();
    await manager.key(issuer, 'first');
    expect(server.asked('contoso', 'metadata')).toBe(1);
    pass(500);
    await manager.key(issuer, 'first');
    pass(999);
    await manager.key(issuer, 'first');
    expect(server.asked('contoso', 'metadata')).toBe(2);
    pass(1);
    await manager.key(issuer, 'first');
    expect(server.asked('contoso', 'metadata')).toBe(3);
  });

  it('does not outlast a clock that is set back', async () => {
    await manage().start();
    server.publish('contoso', issuer, [second.publicJwk]);
    pass(-3_600_000);
    expect((await manager.key(issuer, 'second')).kind).toBe('key');
  });
});

describe('in the background', () => {
  it('keys are refreshed, and fetched again after a failure, without being asked for', async () => {
    const log = {
      info: vi.fn<(fields: object, message: string) => void>(),
      warn: vi.fn<(fields: object, message: string) => void>(),
    };
    server.behave('contoso', 'metadata', unavailable);
    manage({ log, now: Date.now, times: { refresh: 20, firstPause: 5, longestPause: 10 } });
    await manager.start();
    expect(log.warn).toHaveBeenCalledWith(expect.objectContaining({ issuer, held: false }), expect.any(String));
    server.publish('contoso', issuer, [first.publicJwk]);
    await expect.poll(() => manager.ready).toBe(true);
    server.publish('contoso', issuer, [second.publicJwk]);
    await expect.poll(async () => (await manager.key(issuer, 'second')).kind).toBe('key');
    server.behave('contoso', 'keys', html);
    await expect.poll(() => manager.status()[0]?.state).toBe('stale');
    server.publish('contoso', issuer, [second.publicJwk]);
    await expect.poll(() => manager.status()[0]?.state).toBe('fresh');
  });

  it('nothing goes on after close, which ends a fetch under way', async () => {
    server.behave('contoso', 'metadata', hang);
    manage({ timeoutMs: 60_000, times: { firstPause: 1, longestPause: 1 } });
    const started = manager.start();
    await expect.poll(() => server.asked('contoso', 'metadata')).toBe(1);
    await manager.close();
    await started;
    await manager.start();
    expect((await manager.key(issuer, 'first')).kind).toBe('unavailable');
    expect(server.asked('contoso', 'metadata')).toBe(1);
  });
});
