import fc from 'fast-check';
import { SignJWT, type JWTPayload } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { IssuerServer, answerJson, signToken, signingKey, type SigningKey } from '../test/issuer-server.js';
import { KeyManager } from './key-manager.js';
import { judgeClaims } from './token-claims.js';
import { TokenVerifier } from './token-verifier.js';
import {
  authenticationExtensionsAppId,
  entraIssuers,
  type TrustConfiguration,
  type TrustedIssuer,
  type TrustedTenant,
} from './trust-configuration.js';

const contosoId = '5f1c6b0e-0d0a-4b52-9c33-0a7f1f6f2a11';
const fabrikamId = '0b8c1c7e-58f3-4d53-8a44-7e3d5d5b0c22';
const audience = '8d2f0f0a-6d1e-4a61-b8a5-1d9b8a3f4c33';

let server: IssuerServer;
let current: SigningKey;
let former: SigningKey;
let foreign: SigningKey;
let clock: number;
let keys: KeyManager;
let trust: TrustConfiguration;
let verifier: TokenVerifier;

const seconds = (): number => Math.floor(clock / 1_000);
const pass = (by: { seconds: number }): void => void (clock += by.seconds * 1_000);

/** The tenant's issuers as Entra names them, their metadata at our server: version 1.0 under `<alias>-1`, 2.0 under `<alias>-2`. */
function issuersOf(alias: string, tenantId: string): [TrustedIssuer, TrustedIssuer] {
  const [one, two] = entraIssuers({ tenantId }) as [TrustedIssuer, TrustedIssuer];
  return [
    { ...one, metadata: server.metadata(`${alias}-1`) },
    { ...two, metadata: server.metadata(`${alias}-2`) },
  ];
}

function tenantOf(alias: string, tenantId: string): TrustedTenant {
  return {
    alias,
    tenantId,
    audiences: [audience],
    issuers: issuersOf(alias, tenantId),
    callers: [authenticationExtensionsAppId],
  };
}

/** What Entra writes into a token of version 2.0 for a custom authentication extension. */
function claims(change: JWTPayload = {}): JWTPayload {
  return {
    aud: audience,
    iss: `https://login.microsoftonline.com/${contosoId}/v2.0`,
    iat: seconds(),
    nbf: seconds(),
    exp: seconds() + 3_900,
    azp: authenticationExtensionsAppId,
    azpacr: '2',
    oid: 'a1d4b0f6-2f64-4a7e-8b5d-0c2b9f7d1e44',
    sub: 'a1d4b0f6-2f64-4a7e-8b5d-0c2b9f7d1e44',
    tid: contosoId,
    ver: '2.0',
    ...change,
  };
}

const verdictOn = async (change: JWTPayload, header?: Record<string, unknown>, key: SigningKey = current): Promise<unknown> =>
  verifier.verify(await signToken(key, claims(change), header));
const refusal = (code: string): unknown => expect.objectContaining({ kind: 'refused', code });
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Makes the keys unknown, so that only a remembered verdict can be positive. */
async function withdrawKeys(): Promise<void> {
  server.publish('contoso-2', `https://login.microsoftonline.com/${contosoId}/v2.0`, [former.publicJwk]);
  pass({ seconds: 30 });
  await verdictOn({}, { kid: 'former-or-later' }, foreign);
}

const made = (change: Partial<TrustedTenant>, more: Partial<TrustConfiguration> = {}): (() => TokenVerifier) => {
  const tenants = [{ ...tenantOf('contoso', contosoId), ...change }];
  return () => new TokenVerifier({ tenants, ...more }, keys, () => clock);
};

beforeAll(async () => {
  server = await IssuerServer.start();
  [current, former, foreign] = await Promise.all([signingKey('current'), signingKey('former'), signingKey('foreign')]);
});
afterAll(async () => server[Symbol.asyncDispose]());
beforeEach(async () => {
  clock = Date.UTC(2026, 0, 1);
  server.requests.clear();
  trust = { tenants: [tenantOf('contoso', contosoId), tenantOf('fabrikam', fabrikamId)] };
  for (const { alias, issuers } of trust.tenants)
    for (const [index, { issuer }] of issuers.entries())
      server.publish(`${alias}-${index + 1}`, issuer, [alias === 'contoso' ? current.publicJwk : former.publicJwk]);
  keys = new KeyManager({ issuers: trust.tenants.flatMap(({ issuers }) => issuers), ca: server.ca, now: () => clock });
  verifier = new TokenVerifier(trust, keys, () => clock);
  await keys.start();
});
afterEach(async () => keys.close());

describe('an issuer that is configured without its version', () => {
  const one = { ver: '1.0', appid: authenticationExtensionsAppId, azp: undefined };
  const verdicts = async (change: Partial<TrustedIssuer>): Promise<readonly unknown[]> => {
    const [, { issuer, metadata }] = issuersOf('contoso', contosoId);
    const explicit = made({ issuers: [{ issuer, metadata, ...change }] })();
    const verdictsOf = [{}, one].map(async (claim) => explicit.verify(await signToken(current, claims(claim))));
    return (await Promise.all(verdictsOf)).map((verdict) => ('code' in verdict ? verdict.code : verdict.kind));
  };

  it('issues what its form says, and what is stated where something is', async () => {
    expect(await verdicts({})).toEqual(['verified', 'token.version']);
    expect(await verdicts({ version: '1.0' })).toEqual(['token.version', 'verified']);
  });
});

describe('a token of ours', () => {
  it('is verified, version 2.0', async () => {
    expect(await verdictOn({})).toEqual({
      kind: 'verified',
      caller: {
        tenant: 'contoso',
        tenantId: contosoId,
        appId: authenticationExtensionsAppId,
        objectId: 'a1d4b0f6-2f64-4a7e-8b5d-0c2b9f7d1e44',
        version: '2.0',
        scopes: [],
        roles: [],
        delegated: false,
        expiresAt: new Date(clock + 3_900_000),
      },
    });
  });

  it('is verified, version 1.0', async () => {
    const one = {
      iss: `https://sts.windows.net/${contosoId}/`,
      ver: '1.0',
      appid: authenticationExtensionsAppId,
      azp: undefined,
    };
    expect(await verdictOn(one)).toMatchObject({ kind: 'verified', caller: { version: '1.0', tenant: 'contoso' } });
  });

  it('says what a user let the application do', async () => {
    const verdict = await verdictOn({
      scp: 'Claims.Manage  offline',
      roles: ['Claims.Read', 'Claims.Edit'],
      azp: authenticationExtensionsAppId,
    });
    expect(verdict).toMatchObject({
      caller: { delegated: true, scopes: ['Claims.Manage', 'offline'], roles: ['Claims.Read', 'Claims.Edit'] },
    });
  });

  it.each([{ typ: 'at+jwt' }, { typ: 'application/at+jwt' }, { typ: 'jwt' }, { x5t: 'of-no-key' }])(
    'may have the header %o',
    async (header) => {
      expect(await verdictOn({}, header)).toMatchObject({ kind: 'verified' });
    },
  );

  it('is of its own tenant, where there are two', async () => {
    const ofFabrikam = { tid: fabrikamId, iss: `https://login.microsoftonline.com/${fabrikamId}/v2.0` };
    expect(await verdictOn(ofFabrikam, {}, former)).toMatchObject({ kind: 'verified', caller: { tenant: 'fabrikam' } });
  });
});

describe('refused for its claims, without asking for keys', () => {
  it.each<[string, string, JWTPayload]>([
    ['another audience', 'token.audience', { aud: '00000000-0000-0000-0000-000000000000' }],
    ['several audiences', 'token.audience', { aud: [audience, 'other'] }],
    ['a list of one audience', 'token.audience', { aud: [audience] }],
    ['no audience', 'token.audience', { aud: undefined }],
    ['another issuer', 'token.issuer', { iss: 'https://login.microsoftonline.com/common/v2.0' }],
    ['almost our issuer', 'token.issuer', { iss: `https://login.microsoftonline.com/${contosoId}/v2.0/` }],
    ['no issuer', 'token.issuer', { iss: undefined }],
    ['the tenant of another of our issuers', 'token.tenant', { tid: fabrikamId }],
    ['no tenant', 'token.tenant', { tid: undefined }],
    ['another caller', 'token.caller', { azp: audience }],
    ['its caller where version 1.0 has it', 'token.caller', { azp: undefined, appid: authenticationExtensionsAppId }],
    ['no caller, as an ID token', 'token.caller', { azp: undefined }],
    ['the version of another issuer', 'token.version', { ver: '1.0', appid: authenticationExtensionsAppId }],
    ['no version', 'token.version', { ver: undefined }],
    ['an unknown version', 'token.version', { ver: '3.0' }],
    ['no expiry', 'token.malformed', { exp: undefined }],
    ['no time of issue', 'token.malformed', { iat: undefined }],
    ['an expiry in text', 'token.malformed', { exp: '9999999999' as never }],
    ['a lifetime of 26 hours', 'token.lifetime', { exp: Date.UTC(2026, 0, 1) / 1_000 + 26 * 3_600 }],
    ['scopes in a list', 'token.malformed', { scp: ['a'] }],
    ['a role in text', 'token.malformed', { roles: 'Claims.Publish' }],
  ])('%s', async (_name, code, change) => {
    expect(await verdictOn(change, { kid: 'unknown' })).toEqual(refusal(code));
    pass({ seconds: 31 });
    await verdictOn(change, { kid: 'unknown' });
    expect([1, 2].map((version) => server.asked(`contoso-${version}`, 'metadata'))).toEqual([1, 1]);
  });

  it('an expiry beyond the clock skew, and a start before it', async () => {
    const expired = { iat: seconds() - 3_600, nbf: seconds() - 3_600 };
    expect(await verdictOn({ ...expired, exp: seconds() - 59 })).toMatchObject({ kind: 'verified' });
    expect(await verdictOn({ ...expired, exp: seconds() - 60 })).toEqual(refusal('token.expired'));
    expect(await verdictOn({ nbf: seconds() + 60 })).toMatchObject({ kind: 'verified' });
    expect(await verdictOn({ nbf: seconds() + 61 })).toEqual(refusal('token.notYetValid'));
    expect(await verdictOn({ iat: seconds() + 61 })).toEqual(refusal('token.notYetValid'));
  });

  it('and a clock skew of 0 means 0', async () => {
    verifier = new TokenVerifier({ ...trust, clockSkewSeconds: 0 }, keys, () => clock);
    expect(await verdictOn({ exp: seconds() })).toEqual(refusal('token.expired'));
    expect(await verdictOn({ nbf: seconds() + 1 })).toEqual(refusal('token.notYetValid'));
    expect(await verdictOn({})).toMatchObject({ kind: 'verified' });
  });
});

describe('refused for its signature', () => {
  it('algorithm none', async () => {
    const unsigned = `${encode({ alg: 'none', typ: 'JWT', kid: 'current' })}.${encode(claims())}.`;
    expect(await verifier.verify(unsigned)).toEqual(refusal('token.algorithm'));
  });

  it('HS256 with the public key as the secret', async () => {
    for (const secret of [current.publicPem, JSON.stringify(current.publicJwk), current.publicJwk.n ?? '']) {
      const forged = await new SignJWT(claims())
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: 'current' })
        .sign(new TextEncoder().encode(secret));
      expect(await verifier.verify(forged)).toEqual(refusal('token.algorithm'));
      const [, payload, signature] = forged.split('.');
      const disguised = `${encode({ alg: 'RS256', typ: 'JWT', kid: 'current' })}.${payload}.${signature}`;
      expect(await verifier.verify(disguised)).toEqual(refusal('token.signature'));
    }
  });

  it('a foreign key under a known kid', async () => {
    expect(await verdictOn({}, { kid: 'current' }, foreign)).toEqual(refusal('token.signature'));
  });

  it('a foreign key that the header brings along', async () => {
    expect(await verdictOn({}, { kid: 'current', jwk: foreign.publicJwk }, foreign)).toEqual(refusal('token.signature'));
    const address = `${server.origin}/attacker/keys`;
    expect(await verdictOn({}, { kid: 'current', jku: address, x5u: address }, foreign)).toEqual(refusal('token.signature'));
    expect(server.asked('attacker', 'keys')).toBe(0);
  });

  it('a key of another issuer', async () => {
    expect(await verdictOn({}, {}, former)).toEqual(refusal('key.unknown'));
  });

  it('no kid, or one that is none', async () => {
    for (const kid of [undefined, '', 7, ['current'], 'k'.repeat(257)])
      expect(await verdictOn({}, { kid })).toEqual(refusal('key.missing'));
  });

  it('another type', async () => {
    for (const typ of [undefined, 'JWE', 'dpop+jwt', 'JWT2']) expect(await verdictOn({}, { typ })).toEqual(refusal('token.type'));
  });

  it('an extension of the header that is critical and unknown', async () => {
    const [, payload, signature] = (await signToken(current, claims())).split('.');
    const critical = encode({ alg: 'RS256', typ: 'JWT', kid: 'current', crit: ['x'], x: 1 });
    expect(await verifier.verify(`${critical}.${payload}.${signature}`)).toEqual(refusal('token.malformed'));
  });

  it('more than 16 KB, before it is read', async () => {
    expect(await verdictOn({ padding: 'x'.repeat(13_000) })).toEqual(refusal('token.tooLarge'));
    expect(await verdictOn({ padding: 'x'.repeat(11_000) })).toMatchObject({ kind: 'verified' });
  });

  it('any text that is no token, without a throw', async () => {
    const part = fc.oneof(
      fc.base64String(),
      fc.json().map((text) => Buffer.from(text).toString('base64url')),
      fc.string(),
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')),
    );
    await fc.assert(
      fc.asyncProperty(text, async (token) => {
        expect(await verifier.verify(token)).toMatchObject({ kind: 'refused' });
      }),
    );
  });

  it('any change of header, claims or signature', async () => {
    const token = await signToken(current, claims());
    expect(await verifier.verify(token)).toMatchObject({ kind: 'verified' });
    const character = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=');
    // The last character of the signature has bits that do not count.
    const place = fc.nat({ max: token.length - 2 });
    await fc.assert(
      fc.asyncProperty(place, character, async (at, replacement) => {
        fc.pre(token[at] !== replacement);
        const changed = token.slice(0, at) + replacement + token.slice(at + 1);
        expect(await verifier.verify(changed)).toMatchObject({ kind: 'refused' });
      }),
    );
  });

  it('any other value of a claim that counts', () => {
    const name = fc.constantFrom('iss', 'aud', 'tid', 'azp', 'ver');
    fc.assert(
      fc.property(name, fc.oneof(fc.anything(), fc.constantFrom(contosoId, fabrikamId, audience)), (claim, value) => {
        fc.pre(value !== claims()[claim]);
        expect(judgeClaims(claims({ [claim]: value }), trust, seconds()).kind).toBe('refused');
      }),
    );
  });
});

describe('keys', () => {
  it('that roll over are found after the cool-down', async () => {
    server.publish('contoso-2', `https://login.microsoftonline.com/${contosoId}/v2.0`, [current.publicJwk, foreign.publicJwk]);
    expect(await verdictOn({}, {}, foreign)).toEqual(refusal('key.unknown'));
    pass({ seconds: 30 });
    expect(await verdictOn({}, {}, foreign)).toMatchObject({ kind: 'verified' });
  });

  it('that are forged in a flood cause one fetch', async () => {
    pass({ seconds: 30 });
    const flood = Array.from({ length: 200 }, async (_, forged) => verdictOn({}, { kid: `forged-${forged}` }, foreign));
    expect(new Set((await Promise.all(flood)).map((verdict) => (verdict as { code: string }).code))).toEqual(
      new Set(['key.unknown']),
    );
    expect(server.asked('contoso-2', 'metadata')).toBe(2);
    expect(server.asked('contoso-1', 'metadata')).toBe(1);
  });

  it('that cannot be had are unavailable, never a refusal, and the verifier is not ready', async () => {
    await keys.close();
    const hidden = answerJson({ error: 'down' }, 503);
    for (const version of [1, 2]) server.behave(`contoso-${version}`, 'metadata', hidden);
    keys = new KeyManager({ issuers: trust.tenants.flatMap(({ issuers }) => issuers), ca: server.ca, now: () => clock });
    verifier = new TokenVerifier(trust, keys, () => clock);
    await keys.start();
    expect([keys.ready, verifier.ready]).toEqual([true, false]);
    expect(await verdictOn({})).toMatchObject({ kind: 'unavailable' });
    server.publish('contoso-2', `https://login.microsoftonline.com/${contosoId}/v2.0`, [current.publicJwk]);
    pass({ seconds: 1 });
    expect(await verdictOn({})).toMatchObject({ kind: 'verified' });
    expect(verifier.ready).toBe(true);
  });
});

describe('a verdict that is remembered', () => {
  it('holds for five minutes', async () => {
    const token = await signToken(current, claims());
    expect(await verifier.verify(token)).toMatchObject({ kind: 'verified' });
    await withdrawKeys();
    pass({ seconds: 269 });
    expect(await verifier.verify(token)).toMatchObject({ kind: 'verified' });
    pass({ seconds: 1 });
    expect(await verifier.verify(token)).toEqual(refusal('key.unknown'));
  });

  it('never outlives the token', async () => {
    const token = await signToken(current, claims({ exp: seconds() + 100 }));
    expect(await verifier.verify(token)).toMatchObject({ kind: 'verified' });
    pass({ seconds: 159 });
    expect(await verifier.verify(token)).toMatchObject({ kind: 'verified' });
    pass({ seconds: 1 });
    expect(await verifier.verify(token)).toEqual(refusal('token.expired'));
  });

  it('never outlives the token, also with a clock skew of 0', async () => {
    verifier = new TokenVerifier({ ...trust, clockSkewSeconds: 0 }, keys, () => clock);
    const token = await signToken(current, claims({ exp: seconds() + 100 }));
    expect(await verifier.verify(token)).toMatchObject({ kind: 'verified' });
    pass({ seconds: 100 });
    expect(await verifier.verify(token)).toEqual(refusal('token.expired'));
  });

  it('ends when the clock is set back, however far', async () => {
    for (const back of [1, 3_600]) {
      const token = await signToken(
        current,
        claims({ exp: seconds() + 7_200, uti: `${back}`, nbf: seconds() - 7_200, iat: seconds() - 7_200 }),
      );
      expect(await verifier.verify(token)).toMatchObject({ kind: 'verified' });
      expect(verifier.recall(token)).toBeDefined();
      pass({ seconds: -back });
      expect(verifier.recall(token)).toBeUndefined();
      pass({ seconds: back });
      expect(verifier.recall(token)).toBeUndefined();
    }
  });

  it('is of the configuration by which it was judged, also where that changes meanwhile', async () => {
    let generation = 1;
    const changing = {
      ...trust,
      get generation(): number {
        return generation;
      },
    };
    verifier = new TokenVerifier(changing, keys, () => clock);
    const token = await signToken(current, claims());
    const judging = verifier.verify(token);
    generation = 2;
    expect(await judging).toMatchObject({ kind: 'verified' });
    expect(verifier.recall(token)).toBeUndefined();
    await verifier.verify(token);
    expect(verifier.recall(token)).toBeDefined();
    generation = 3;
    expect(verifier.recall(token)).toBeUndefined();
  });

  it('is recalled for no token that is too large, expired or another', async () => {
    const token = await signToken(current, claims({ exp: seconds() + 100 }));
    await verifier.verify(token);
    expect(verifier.recall(token)).toMatchObject({ tenant: 'contoso' });
    expect(verifier.recall(`${token}${'A'.repeat(16 * 1024)}`)).toBeUndefined();
    expect(verifier.recall(`${token} `)).toBeUndefined();
    pass({ seconds: 160 });
    expect(verifier.recall(token)).toBeUndefined();
  });

  it('is of that very token', async () => {
    const token = await signToken(current, claims());
    await verifier.verify(token);
    const [header, , signature] = token.split('.');
    expect(await verifier.verify(`${header}.${encode(claims({ roles: ['Claims.Publish'] }))}.${signature}`)).toEqual(
      refusal('token.signature'),
    );
  });

  it('is never negative', async () => {
    const token = await signToken(foreign, claims());
    expect(await verifier.verify(token)).toEqual(refusal('key.unknown'));
    server.publish('contoso-2', `https://login.microsoftonline.com/${contosoId}/v2.0`, [foreign.publicJwk]);
    pass({ seconds: 30 });
    expect(await verifier.verify(token)).toMatchObject({ kind: 'verified' });
  });

  it('gives way to others, so that memory is bounded', async () => {
    const token = await signToken(current, claims());
    await verifier.verify(token);
    for (let index = 0; index < 1_000; index += 1) await verdictOn({ uti: `${index}` });
    await withdrawKeys();
    expect(await verifier.verify(token)).toEqual(refusal('key.unknown'));
  });
});

describe('a configuration', () => {
  it('without tenants trusts nobody', async () => {
    verifier = new TokenVerifier({ tenants: [] }, keys, () => clock);
    expect(await verdictOn({})).toEqual(refusal('token.issuer'));
  });

  it('without callers trusts every application of the tenant', async () => {
    verifier = made({ callers: undefined })();
    expect(await verdictOn({ azp: audience.toUpperCase() })).toMatchObject({ kind: 'verified', caller: { appId: audience } });
  });

  it('that contradicts itself is refused', () => {
    expect(made({ audiences: [] })).toThrow('no audience');
    expect(made({ issuers: [] })).toThrow('no issuer');
    expect(made({ tenantId: contosoId.toUpperCase() })).toThrow('lower case');
    expect(made({ callers: [authenticationExtensionsAppId.toUpperCase()] })).toThrow('lower case');
    expect(made({ issuers: [{ issuer: 'https://x.example', metadata: 'https://x.example' }] })).toThrow('does not know');
    expect(made({}, { clockSkewSeconds: -1 })).toThrow('clock skew');
    expect(made({}, { clockSkewSeconds: Number.NaN })).toThrow('clock skew');
    const twice = { tenants: [tenantOf('contoso', contosoId), tenantOf('again', contosoId)] };
    twice.tenants[1] = { ...tenantOf('again', contosoId), issuers: tenantOf('contoso', contosoId).issuers };
    expect(() => new TokenVerifier(twice, keys)).toThrow('another alias');
  });
});
