import { expect, it } from 'vitest';
import { entraIssuers, tokenVersionOf } from './trust-configuration.js';

const tenantId = '5f1c6b0e-0d0a-4b52-9c33-0a7f1f6f2a11';

it('trusts both token versions of a workforce tenant, whatever the case of its id', () => {
  expect(entraIssuers({ tenantId: tenantId.toUpperCase() })).toEqual([
    {
      issuer: `https://sts.windows.net/${tenantId}/`,
      metadata: `https://login.microsoftonline.com/${tenantId}/.well-known/openid-configuration`,
      version: '1.0',
    },
    {
      issuer: `https://login.microsoftonline.com/${tenantId}/v2.0`,
      metadata: `https://login.microsoftonline.com/${tenantId}/v2.0/.well-known/openid-configuration`,
      version: '2.0',
    },
  ]);
});

it.each([
  ['usGovernment', `https://sts.windows.net/${tenantId}/`, 'https://login.microsoftonline.us/'],
  ['china', `https://sts.chinacloudapi.cn/${tenantId}/`, 'https://login.partner.microsoftonline.cn/'],
] as const)('knows the hosts of the %s cloud', (cloud, versionOne, login) => {
  const issuers = entraIssuers({ tenantId, cloud });
  expect(issuers.map(({ issuer }) => issuer)).toEqual([versionOne, `${login}${tenantId}/v2.0`]);
  expect(issuers.every(({ metadata }) => metadata.startsWith(login))).toBe(true);
});

it('trusts all three issuers of an external tenant, each with metadata of its own host', () => {
  const issuers = entraIssuers({ tenantId, external: { subdomain: 'contoso' } });
  expect(issuers.map(({ issuer }) => issuer)).toEqual([
    `https://${tenantId}.ciamlogin.com/${tenantId}/v2.0`,
    `https://contoso.ciamlogin.com/${tenantId}/v2.0`,
    `https://login.microsoftonline.com/${tenantId}/v2.0`,
  ]);
  for (const { issuer, metadata } of issuers) expect(metadata).toBe(`${issuer}/.well-known/openid-configuration`);
  expect(issuers[1]?.alsoStatedAs).toBe(issuers[0]?.issuer);
  expect(entraIssuers({ tenantId, external: {} })).toHaveLength(2);
});

it('tells the version of the tokens by the form of the issuer, as it states it for the issuers that it knows', () => {
  const known = (['public', 'usGovernment', 'china'] as const).flatMap((cloud) => entraIssuers({ tenantId, cloud }));
  const external = entraIssuers({ tenantId, external: { subdomain: 'contoso' } });
  for (const { issuer, version } of [...known, ...external]) expect(tokenVersionOf(issuer), issuer).toBe(version);
  for (const issuer of [
    'https://adfs.corp.example/adfs',
    `https://sts.windows.net.example/${tenantId}/`,
    `https://login.example/v2.0/${tenantId}`,
    'no address',
  ])
    expect(tokenVersionOf(issuer), issuer).toBeUndefined();
});
