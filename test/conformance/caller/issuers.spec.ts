import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RefusalCode } from '#entra-auth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountOf, unauthenticated } from './refusal.js';
import {
  departments,
  extensionsAppId,
  issuers,
  startTrustStack,
  tenants,
  type IssuerName,
  type TrustStack,
} from './trust-stack.js';

let stack: TrustStack;
let folder: string;

/** The issuers that the configuration stands for without naming them. Their metadata are out of reach, so that their keys are pinned. */
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-issuers-'));
  const pinned = path.join(folder, 'keys.json');
  stack = await startTrustStack({
    configure: (document) => {
      for (const tenant of [document['tenants'].contoso, document['tenants'].fabrikam, document['admin']]) delete tenant.issuers;
      document['tenants'].fabrikam.external = { subdomain: 'fabrikam' };
      document['trust'].keys.pinned = `file:${pinned}`;
    },
    beforeStart: async (_server, keys) => {
      const sets = Object.entries(keys).map(([name, { publicJwk }]) => [
        issuers[name as IssuerName].issuer,
        { keys: [publicJwk] },
      ]);
      await writeFile(pinned, JSON.stringify(Object.fromEntries(sets)));
    },
  });
  await stack.ready();
});

afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe('the issuers of a tenant', () => {
  it.each<[IssuerName, 'contoso' | 'fabrikam']>([
    ['contoso-1', 'contoso'],
    ['contoso-2', 'contoso'],
    ['fabrikam-id', 'fabrikam'],
    ['fabrikam-name', 'fabrikam'],
  ])('are known: %s', async (name, tenant) => {
    const answer = await stack.post(await stack.mint(name), tenant);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json.data.actions[0].claims).toEqual({ department: departments[tenant] });
  });

  it.each<[string, RefusalCode, IssuerName, Readonly<Record<string, unknown>>]>([
    ['version 1.0 by the issuer of 2.0', 'token.version', 'contoso-2', { ver: '1.0', appid: extensionsAppId }],
    ['version 2.0 by the issuer of 1.0', 'token.version', 'contoso-1', { ver: '2.0', azp: extensionsAppId }],
    ['version 1.0 of an external tenant', 'token.version', 'fabrikam-id', { ver: '1.0', appid: extensionsAppId }],
    [
      'the issuer of 1.0 of an external tenant',
      'token.issuer',
      'fabrikam-id',
      { iss: `https://sts.windows.net/${tenants.fabrikam.tenantId}/` },
    ],
    [
      'the host of an external tenant for a workforce one',
      'token.issuer',
      'contoso-2',
      { iss: `https://contoso.ciamlogin.com/${tenants.contoso.tenantId}/v2.0` },
    ],
    [
      'the subdomain of another external tenant',
      'token.issuer',
      'fabrikam-name',
      { iss: `https://northwind.ciamlogin.com/${tenants.fabrikam.tenantId}/v2.0` },
    ],
    [
      'the cloud of the US government',
      'token.issuer',
      'contoso-2',
      { iss: `https://login.microsoftonline.us/${tenants.contoso.tenantId}/v2.0` },
    ],
    ['the cloud of China', 'token.issuer', 'contoso-1', { iss: `https://sts.chinacloudapi.cn/${tenants.contoso.tenantId}/` }],
  ])('do not include %s: %s', async (_name, refusal, issuer, change) => {
    const token = await stack.mint(issuer, change);
    const tenant = issuer.startsWith('contoso') ? 'contoso' : 'fabrikam';
    expect(await accountOf(stack, token, () => stack.post(token, tenant))).toEqual(unauthenticated(refusal));
  });

  it('whose keys are nowhere cannot be judged: 503, never 401', async () => {
    const token = await stack.mint('fabrikam-id', { iss: `https://login.microsoftonline.com/${tenants.fabrikam.tenantId}/v2.0` });
    expect(await accountOf(stack, token, () => stack.post(token, 'fabrikam'))).toMatchObject({
      status: 503,
      code: 'keys.unavailable',
      challenge: null,
      leaks: [],
      reached: [],
    });
  });
});
