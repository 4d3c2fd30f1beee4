import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOf, type Answer } from '../../e2e/stack.js';
import { accountOf, refusedWith, unauthenticated } from './refusal.js';
import { extensionsAppId, operators, startTrustStack, tenants, type IssuerName, type TrustStack } from './trust-stack.js';
import type { RefusalCode } from '#entra-auth';

let stack: TrustStack;

beforeAll(async () => {
  stack = await startTrustStack({ configure: ({ listen }) => void (listen.management.metrics = 'Claims.Read') });
  await stack.ready();
});

afterAll(() => stack[Symbol.asyncDispose]());

type Change = Readonly<Record<string, unknown>>;
const { admin, contoso } = tenants;
const other = '11111111-2222-4333-8444-555555555555';
/** A user who works with the console. */
const delegated = { azp: operators.console, scp: 'Claims.Manage', idtyp: 'user' };

async function ask(token: string | undefined, route = '/admin/health', init: RequestInit = {}): Promise<Answer> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return answerOf(await fetch(stack.managementUrl + route, { headers, ...init }));
}

describe.each(['/admin/health', '/metrics'])('the management door, %s', (route) => {
  it.each<[string, IssuerName, Change]>([
    ['a daemon with the role', 'admin-2', {}],
    ['a daemon with the role, version 1.0', 'admin-1', {}],
    ['a user with role and scope', 'admin-2', delegated],
    ['a user with more scopes and roles', 'admin-2', { ...delegated, scp: 'openid Claims.Manage', roles: ['x', 'Claims.Read'] }],
  ])('lets in %s', async (_name, issuer, change) => {
    expect((await ask(await stack.mint(issuer, change), route)).status).toBe(200);
  });

  it.each<[string, RefusalCode, IssuerName, Change]>([
    ['Entra’s extension token', 'token.issuer', 'contoso-2', {}],
    ['Entra’s extension token with the role', 'token.issuer', 'contoso-2', { roles: ['Claims.Read'] }],
    [
      'a token of another tenant for this audience',
      'token.issuer',
      'contoso-2',
      { aud: admin.audience, azp: operators.daemon, roles: ['Claims.Read'] },
    ],
    ['a token of an external tenant', 'token.issuer', 'fabrikam-id', { aud: admin.audience, roles: ['Claims.Read'] }],
    ['a token that names another tenant', 'token.tenant', 'admin-2', { tid: contoso.tenantId }],
    ['a token for the event endpoint', 'token.audience', 'admin-2', { aud: contoso.audience }],
    ['a token for two audiences', 'token.audience', 'admin-2', { aud: [admin.audience, contoso.audience] }],
    ['an application that is not listed', 'token.caller', 'admin-2', { azp: other }],
    ['a user of an application that is not listed', 'token.caller', 'admin-2', { ...delegated, azp: other }],
    ['Entra’s extensions service', 'token.caller', 'admin-2', { azp: extensionsAppId }],
    ['an ID token with the role', 'token.caller', 'admin-2', { azp: undefined, nonce: 'n' }],
    ['a listed application in appid', 'token.caller', 'admin-2', { azp: other, appid: operators.daemon }],
    ['roles in text', 'token.malformed', 'admin-2', { roles: 'Claims.Read' }],
    ['scopes in a list', 'token.malformed', 'admin-2', { ...delegated, scp: ['Claims.Manage'] }],
    ['an expired token', 'token.expired', 'admin-2', { exp: 1 }],
  ])('refuses %s: 401 for %s', async (_name, refusal, issuer, change) => {
    const token = await stack.mint(issuer, change);
    expect(await accountOf(stack, token, () => ask(token, route))).toEqual(unauthenticated(refusal));
  });

  it.each<[string, string, Change]>([
    ['a daemon without roles', 'needs a role of: Claims.Read', { roles: undefined }],
    ['a daemon with an empty list of roles', 'needs a role of: Claims.Read', { roles: [] }],
    ['a daemon with another role', 'needs a role of: Claims.Read', { roles: ['Claims.Edit', 'Claims.Publish'] }],
    ['the role in lower case', 'needs a role of: Claims.Read', { roles: ['claims.read'] }],
    ['the role and a space', 'needs a role of: Claims.Read', { roles: ['Claims.Read '] }],
    ['two roles in one', 'needs a role of: Claims.Read', { roles: ['Claims.Edit,Claims.Read'] }],
    ['a star', 'needs a role of: Claims.Read', { roles: ['Claims.*', '*'] }],
    [
      'the role among directory roles and groups',
      'needs a role of: Claims.Read',
      { roles: undefined, wids: ['Claims.Read'], groups: ['Claims.Read'] },
    ],
    ['a user with the scope and no role', 'needs a role of: Claims.Read', { ...delegated, roles: undefined }],
    [
      'a user whose role is a scope',
      'needs a role of: Claims.Read',
      { ...delegated, scp: 'Claims.Manage Claims.Read', roles: undefined },
    ],
    ['a user with the role and no scope', 'the delegated token lacks the scope', { ...delegated, scp: '' }],
    ['a user with the role and another scope', 'the delegated token lacks the scope', { ...delegated, scp: 'User.Read' }],
    ['a user whose scope begins like it', 'the delegated token lacks the scope', { ...delegated, scp: 'Claims.Manage.All' }],
    ['the daemon for a user', 'the application may not call for users', { scp: 'Claims.Manage' }],
    ['the console for itself', 'the application may not call for itself', { azp: operators.console }],
  ])('refuses %s: 403, %s', async (_name, reason, change) => {
    const token = await stack.mint('admin-2', change);
    expect(await accountOf(stack, token, () => ask(token, route))).toEqual(refusedWith(403, 'caller.forbidden', reason));
  });

  it('refuses who brings no token, and a token in the query', async () => {
    const token = await stack.mint('admin-2');
    for (const address of [route, `${route}?access_token=${token}`])
      expect(await accountOf(stack, token, () => ask(undefined, address))).toEqual(unauthenticated('token.missing'));
  });
});

describe('a token that was accepted at one door', () => {
  it('is not remembered at the other', async () => {
    const operator = await stack.mint('admin-2');
    const entra = await stack.mint('contoso-2');
    expect((await ask(operator)).status).toBe(200);
    expect((await stack.post(entra)).status).toBe(200);
    expect(await accountOf(stack, operator, () => stack.post(operator))).toEqual(unauthenticated('token.issuer'));
    expect(await accountOf(stack, entra, () => ask(entra))).toEqual(unauthenticated('token.issuer'));
    expect((await ask(operator)).status).toBe(200);
  });

  it.each<[string, Change]>([
    ['a daemon', {}],
    ['a user', delegated],
    ['the extensions service', { azp: extensionsAppId }],
  ])('of an operator has no way to send events: %s', async (_name, change) => {
    const token = await stack.mint('admin-2', { ...change, aud: contoso.audience, tid: contoso.tenantId });
    expect(await accountOf(stack, token, () => stack.post(token))).toEqual(unauthenticated('token.issuer'));
  });
});
