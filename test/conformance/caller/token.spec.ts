import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { part } from './forgery.js';
import { claims, accountOfToken, header, kid, odd, pieces, type TokenAttack } from './token-attack.js';
import { unauthenticated } from './refusal.js';
import {
  departments,
  extensionsAppId,
  seconds,
  startTrustStack,
  tenants,
  type IssuerName,
  type TrustStack,
} from './trust-stack.js';

let running: TrustStack;

beforeAll(async () => {
  running = await startTrustStack();
  await running.ready();
});

afterAll(() => running[Symbol.asyncDispose]());

const { contoso } = tenants;

describe('a token as Entra issues it', () => {
  it.each<[string, IssuerName, Record<string, unknown>, Record<string, unknown>]>([
    ['version 1.0', 'contoso-1', {}, {}],
    ['version 2.0', 'contoso-2', {}, {}],
    ['an external tenant, by the issuer with its id', 'fabrikam-id', {}, {}],
    ['an external tenant, by the issuer with its name', 'fabrikam-name', {}, {}],
    ['the type at+jwt', 'contoso-2', {}, { typ: 'at+jwt' }],
    ['the type application/at+jwt', 'contoso-2', {}, { typ: 'application/at+jwt' }],
    ['a thumbprint beside the key id', 'contoso-1', {}, { x5t: 'key-of-contoso-1' }],
    ['ids in upper case', 'contoso-2', { azp: extensionsAppId.toUpperCase(), tid: contoso.tenantId.toUpperCase() }, {}],
    ['an end within the clock skew', 'contoso-2', { exp: seconds() - 20 }, {}],
    ['no nbf', 'contoso-2', { nbf: undefined }, {}],
  ])('is accepted: %s', async (_name, issuer, change, more) => {
    const tenant = issuer.startsWith('contoso') ? 'contoso' : 'fabrikam';
    const before = running.lookups[tenant];
    const answer = await running.post(await running.mint(issuer, change, more), tenant);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json.data.actions[0].claims).toEqual({ department: departments[tenant] });
    expect(running.lookups[tenant]).toBe(before + 1);
  });

  it('is accepted again, as it was remembered', async () => {
    const token = await running.mint('contoso-2');
    for (let call = 0; call < 3; call += 1) expect((await running.post(token)).status).toBe(200);
  });
});

describe('form', () => {
  const payload = part({ aud: contoso.audience });
  const cases: TokenAttack[] = [
    ['one part', 'token.malformed', async (stack) => (await pieces(stack))[0]],
    ['two parts', 'token.malformed', async (stack) => (await pieces(stack)).slice(0, 2).join('.')],
    ['four parts', 'token.malformed', async (stack) => `${await stack.mint('contoso-2')}.${part('x')}`],
    [
      'five parts, as if encrypted',
      'token.malformed',
      () => [part({ alg: 'RSA-OAEP', enc: 'A256GCM', kid }), 'a', 'b', 'c', 'd'].join('.'),
    ],
    ['dots only', 'token.malformed', () => '..'],
    ['no header', 'token.malformed', async (stack) => `.${(await pieces(stack)).slice(1).join('.')}`],
    ['no claims', 'token.malformed', async (stack) => [(await pieces(stack))[0], '', (await pieces(stack))[2]].join('.')],
    ['a dot before', 'token.malformed', async (stack) => `.${await stack.mint('contoso-2')}`],
    ['a dot after', 'token.malformed', async (stack) => `${await stack.mint('contoso-2')}.`],
    ['padding after a part', 'token.malformed', async (stack) => (await pieces(stack)).join('=.')],
    ['padding after the token', 'token.malformed', async (stack) => `${await stack.mint('contoso-2')}==`],
    ['base64 that is not for addresses', 'token.malformed', async (stack) => (await pieces(stack)).join('./+')],
    ['dots that are encoded', 'token.malformed', async (stack) => (await pieces(stack)).join('%2E')],
    ['a tilde', 'token.malformed', async (stack) => (await pieces(stack)).join('.~')],
    ['a header that is no JSON', 'token.malformed', () => `${part('{')}.${payload}.${payload}`],
    ['a header in a list', 'token.malformed', () => `${part([header])}.${payload}.${payload}`],
    ['a header that is null', 'token.malformed', () => `${part(null)}.${payload}.${payload}`],
    ['a header that is text', 'token.malformed', () => `${part('"RS256"')}.${payload}.${payload}`],
    [
      'a header that is not UTF-8',
      'token.malformed',
      () => `${part(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))}.${payload}.${payload}`,
    ],
    ['claims that are no JSON', 'token.malformed', odd(header, 'claims')],
    ['claims in a list', 'token.malformed', odd(header, '[]')],
    ['claims that are null', 'token.malformed', odd(header, 'null')],
    ['claims that are a number', 'token.malformed', odd(header, '7')],
    ['claims that are empty', 'token.issuer', odd(header, '{}')],
    ['claims in UTF-16', 'token.malformed', odd(header, Buffer.from(JSON.stringify(claims()), 'utf16le'))],
    ['claims that nest 4,000 lists', 'token.issuer', odd(header, `{"x":${'['.repeat(4_000)}${']'.repeat(4_000)}}`)],
    ['claims of inherited members', 'token.issuer', odd(header, `{"__proto__":${JSON.stringify(claims())}}`)],
    ['15,000 characters', 'token.malformed', () => 'a'.repeat(15_000)],
  ];
  it.each(cases)('%s: refused, %s', async (_name, refusal, make) => {
    expect(await accountOfToken(running, make)).toEqual(unauthenticated(refusal));
  });

  it('more than the headers may have is 431, without a look at it', async () => {
    const before = { ...running.lookups };
    const answer = await running.post(await running.mint('contoso-2', { padding: 'x'.repeat(14_000) }));
    expect(answer).toMatchObject({ status: 431, json: { code: 'request.headersTooLarge' } });
    expect(running.lookups).toEqual(before);
  });
});

describe('after all of this', () => {
  it('a flood of unknown key ids has caused few fetches and hurt nobody', async () => {
    const fetched = running.server.asked('contoso-2', 'metadata');
    const untouched = running.server.asked('fabrikam-id', 'metadata');
    const flood = Array.from({ length: 200 }, async (_, forgery) =>
      running.post(await running.mint('contoso-2', {}, { kid: `flood-${forgery}` }, running.foreign)),
    );
    const valid = Array.from({ length: 20 }, async () => running.post(await running.mint('contoso-2')));
    expect(new Set((await Promise.all(flood)).map(({ status }) => status))).toEqual(new Set([401]));
    expect(new Set((await Promise.all(valid)).map(({ status }) => status))).toEqual(new Set([200]));
    // The flood may outlast one cool-down of five seconds, on a slow machine two.
    expect(running.server.asked('contoso-2', 'metadata') - fetched).toBeLessThanOrEqual(3);
    expect(running.server.asked('fabrikam-id', 'metadata')).toBe(untouched);
  });

  it('every source was asked for those alone who were accepted, who share a question where they come together', async () => {
    const accepted = (tenant: string): number =>
      running.service.log.filter((line) => line['msg'] === 'event' && line['status'] === 200 && line['tenant'] === tenant).length;
    // The log comes through a pipe, behind the answers.
    await expect.poll(() => accepted('contoso')).toBeGreaterThanOrEqual(running.lookups.contoso);
    await expect.poll(() => accepted('fabrikam')).toBe(running.lookups.fabrikam);
    expect(running.service.log.filter(({ level }) => level === 'error')).toEqual([]);
    expect(running.service.stderr).toBe('');
  });
});
