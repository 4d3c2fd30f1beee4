import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { IssuerServer, answerJson, signToken, signingKey, type SigningKey } from '../test/issuer-server.js';
import { KeyManager } from './key-manager.js';
import { KeySource } from './key-source.js';
import { TokenVerifier } from './token-verifier.js';
import { authenticationExtensionsAppId } from './trust-configuration.js';

const tenantId = '5f1c6b0e-0d0a-4b52-9c33-0a7f1f6f2a11';
const audience = '8d2f0f0a-6d1e-4a61-b8a5-1d9b8a3f4c33';
const issuer = `https://login.microsoftonline.com/${tenantId}/v2.0`;
const minute = 60_000;
const hour = 60 * minute;

let server: IssuerServer;
let first: SigningKey;
let second: SigningKey;
let foreign: SigningKey;
let keys: KeyManager;
let verifier: TokenVerifier;

beforeAll(async () => {
  server = await IssuerServer.start();
  [first, second, foreign] = await Promise.all([signingKey('first'), signingKey('second'), signingKey('foreign')]);
});
afterAll(async () => server[Symbol.asyncDispose]());

const read = vi.spyOn(KeySource.prototype, 'read');
let ended: number;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: Date.UTC(2026, 0, 1) });
  read.mockClear();
  ended = 0;
  const count = (): void => void (ended += 1);
  const metadata = server.metadata('contoso');
  keys = new KeyManager({ issuers: [{ issuer, metadata }], ca: server.ca, log: { info: count, warn: count } });
  const tenant = { alias: 'contoso', tenantId, audiences: [audience], issuers: [{ issuer, metadata, version: '2.0' as const }] };
  verifier = new TokenVerifier({ tenants: [{ ...tenant, callers: [authenticationExtensionsAppId] }] }, keys);
  publish(first);
  await keys.start();
});
afterEach(async () => {
  await keys.close();
  vi.useRealTimers();
});

function publish(...published: readonly SigningKey[]): void {
  server.publish(
    'contoso',
    issuer,
    published.map(({ publicJwk }) => publicJwk),
  );
}

const fail = (): void => server.behave('contoso', 'metadata', answerJson({ error: 'down' }, 503));
const fetches = (): number => read.mock.calls.length;

/** Lets time pass in steps of the shortest pause between two fetches that fail; no fetch is left under way. */
async function pass(milliseconds: number): Promise<void> {
  for (let left = milliseconds; left > 0; left -= 30_000) {
    await vi.advanceTimersByTimeAsync(30_000);
    while (ended < fetches()) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What is said of a token that was never seen before. */
async function verdict(signer: SigningKey = first): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const times = { iat: now, nbf: now, exp: now + 3_900 };
  const caller = { aud: audience, iss: issuer, tid: tenantId, azp: authenticationExtensionsAppId, ver: '2.0' };
  return (await verifier.verify(await signToken(signer, { ...caller, ...times }))).kind;
}

describe('an issuer that is out of reach', () => {
  it('for less than a day hurts no caller, hour by hour, and is asked twice a minute at most', async () => {
    fail();
    await pass(hour);
    for (let hours = 1; hours < 24; hours += 1) {
      expect(await verdict(), `after ${hours} h`).toBe('verified');
      expect(keys.status(), `after ${hours} h`).toMatchObject([
        { state: 'stale', keys: 1, usableUntil: new Date(Date.UTC(2026, 0, 2)) },
      ]);
      // Nobody knows whether these are keys of the issuer by now; so it is not said that they are none.
      for (let forged = 0; forged < 20; forged += 1) expect(await verdict(foreign)).toBe('unavailable');
      expect(verifier.ready).toBe(true);
      await pass(hour);
    }
    // One at the start, then from the first hour on one each 30 s; the forged ones above cause none beside them.
    expect(fetches()).toBeGreaterThan(23 * 60);
    expect(fetches()).toBeLessThanOrEqual(1 + 23 * 120 + 23);
    expect(await verdict()).toBe('unavailable');
    expect(keys.status()).toMatchObject([
      { state: 'missing', keys: 0, lastError: { detail: expect.stringContaining('503') as string } },
    ]);
    expect(verifier.ready).toBe(false);
  }, 120_000);

  it('for longer is unavailable, never a refusal, and over within half a minute of its return', async () => {
    fail();
    await pass(24 * hour);
    for (const signer of [first, second, foreign]) expect(await verdict(signer)).toBe('unavailable');
    const before = fetches();
    await pass(10 * minute);
    expect(fetches() - before).toBeLessThanOrEqual(20);
    publish(second);
    await pass(30_000);
    expect(keys.status()).toMatchObject([{ state: 'fresh', keys: 1 }]);
    expect([await verdict(second), await verdict(first), verifier.ready]).toEqual(['verified', 'refused', true]);
  }, 120_000);

  it('that returns in time with another key is followed, and its hourly rhythm with it', async () => {
    fail();
    await pass(12 * hour);
    publish(second);
    await pass(30_000);
    expect([await verdict(second), await verdict(first)]).toEqual(['verified', 'refused']);
    const before = fetches();
    await pass(5 * hour);
    expect(fetches() - before).toBe(5);
    expect(keys.status()).toMatchObject([{ state: 'fresh' }]);
  }, 120_000);
});
