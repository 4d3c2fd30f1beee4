import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claims, accountOfToken, header, odd, other, signed, withMember, type Make, type TokenAttack } from './token-attack.js';
import { unauthenticated } from './refusal.js';
import {
  application,
  extensionsAppId,
  issuers,
  operators,
  seconds,
  startTrustStack,
  tenants,
  type TrustStack,
} from './trust-stack.js';

let running: TrustStack;

beforeAll(async () => {
  running = await startTrustStack();
  await running.ready();
});

afterAll(() => running[Symbol.asyncDispose]());

const { contoso, fabrikam, admin } = tenants;

describe('issuer, audience and tenant', () => {
  const two = issuers['contoso-2'].issuer;
  const wrong = {
    iss: [
      undefined,
      null,
      7,
      [two],
      { iss: two },
      '',
      `${two}/`,
      `${two} `,
      `${two}#`,
      `${two}?x`,
      `${two}\0`,
      two.slice(0, -1),
      two.replace('https', 'http'),
      two.replace('login', 'LOGIN'),
      two.replace('/v2.0', '%2fv2.0'),
      two.replace('/v2.0', ''),
      two.replace('.com/', '.com@attacker.example/'),
      two.replace('.com/', '.com.attacker.example/'),
      two.replace('o', 'о'),
      two.replace(contoso.tenantId, 'common'),
      two.replace(contoso.tenantId, 'organizations'),
      two.replace(contoso.tenantId, other),
      'https://accounts.google.com',
    ],
    aud: [
      undefined,
      null,
      7,
      '',
      other,
      [contoso.audience],
      [contoso.audience, other],
      { aud: contoso.audience },
      contoso.audience.toUpperCase(),
      `${contoso.audience} `,
      `${contoso.audience}/`,
      `${contoso.audience}\0`,
      `api://${contoso.audience}`,
      `spn:${contoso.audience}`,
      `${contoso.audience},${other}`,
      fabrikam.audience,
      admin.audience,
      '00000003-0000-0000-c000-000000000000',
    ],
    tid: [
      undefined,
      null,
      7,
      '',
      other,
      fabrikam.tenantId,
      admin.tenantId,
      [contoso.tenantId],
      `${contoso.tenantId} `,
      `{${contoso.tenantId}}`,
      '９',
    ],
  };
  const codes = { iss: 'token.issuer', aud: 'token.audience', tid: 'token.tenant' } as const;
  const cases = (Object.keys(wrong) as (keyof typeof wrong)[]).flatMap((claim) =>
    wrong[claim].map((value): TokenAttack => [`${claim} ${JSON.stringify(value)}`, codes[claim], signed({ [claim]: value })]),
  );
  cases.push(
    [
      'the issuer of one tenant, the tenant of another',
      'token.tenant',
      signed({ tid: contoso.tenantId, aud: contoso.audience }, {}, 'fabrikam-id'),
    ],
    ['fabrikam’s token for contoso’s audience', 'token.audience', signed({ aud: contoso.audience }, {}, 'fabrikam-id')],
    ['an operators’ token', 'token.issuer', signed({}, {}, 'admin-2')],
    [
      'an operators’ token for our audience',
      'token.issuer',
      signed({ aud: contoso.audience, azp: extensionsAppId }, {}, 'admin-2'),
    ],
    ['a second iss after the good one', 'token.issuer', odd(header, withMember(claims(), '"iss":"https://attacker.example/"'))],
    ['a second aud after the good one', 'token.audience', odd(header, withMember(claims(), `"aud":"${other}"`))],
    ['a second tid after the good one', 'token.tenant', odd(header, withMember(claims(), `"tid":"${fabrikam.tenantId}"`))],
  );
  it.each(cases)('%s is refused: %s', async (_name, refusal, make) => {
    expect(await accountOfToken(running, make)).toEqual(unauthenticated(refusal));
  });
});

describe('caller and version', () => {
  const wrongCallers = [
    undefined,
    null,
    7,
    '',
    other,
    [extensionsAppId],
    { appid: extensionsAppId },
    `${extensionsAppId} `,
    `${extensionsAppId}\0`,
    operators.daemon,
    contoso.audience,
    application,
    'Azure Active Directory Authentication Extensions',
  ];
  const cases: TokenAttack[] = [
    ...wrongCallers.map((azp): TokenAttack => [`azp ${JSON.stringify(azp)}`, 'token.caller', signed({ azp })]),
    ...wrongCallers.map((appid): TokenAttack => [
      `appid ${JSON.stringify(appid)}`,
      'token.caller',
      signed({ appid }, {}, 'contoso-1'),
    ]),
    ['appid instead of azp', 'token.caller', signed({ azp: undefined, appid: extensionsAppId })],
    ['azp instead of appid', 'token.caller', signed({ appid: undefined, azp: extensionsAppId }, {}, 'contoso-1')],
    ['a foreign azp beside a good appid', 'token.caller', signed({ azp: other, appid: extensionsAppId })],
    ['a foreign appid beside a good azp', 'token.caller', signed({ appid: other, azp: extensionsAppId }, {}, 'contoso-1')],
    [
      'a good app_displayname of a foreign azp',
      'token.caller',
      signed({ azp: other, app_displayname: 'Azure Active Directory Authentication Extensions' }),
    ],
    [
      'a good sub and oid of a foreign azp',
      'token.caller',
      signed({ azp: other, sub: extensionsAppId, oid: extensionsAppId, client_id: extensionsAppId }),
    ],
    ['version 1.0 with the claims of 2.0', 'token.version', signed({ ver: '1.0' })],
    ['version 2.0 with the claims of 1.0', 'token.version', signed({ ver: '2.0' }, {}, 'contoso-1')],
    ['version 1.0 by the issuer of 2.0', 'token.version', signed({ ver: '1.0', azp: undefined, appid: extensionsAppId })],
    [
      'version 2.0 by the issuer of 1.0',
      'token.version',
      signed({ ver: '2.0', appid: undefined, azp: extensionsAppId }, {}, 'contoso-1'),
    ],
    ...[undefined, null, 2, 2.1, '', '2', '2.0 ', '02.0', '3.0', ['2.0'], '２.０'].map((ver): TokenAttack => [
      `version ${JSON.stringify(ver)}`,
      'token.version',
      signed({ ver }),
    ]),
    [
      'an ID token of a user',
      'token.caller',
      signed({ azp: undefined, nonce: 'n', preferred_username: 'adele.vance@contoso.example' }),
    ],
    ['scopes in a list', 'token.malformed', signed({ scp: ['Claims.Manage'] })],
    ['a role in text', 'token.malformed', signed({ roles: 'Claims.Read' })],
    ['roles that are null', 'token.malformed', signed({ roles: null })],
    ['an oid that is a number', 'token.malformed', signed({ oid: 7 })],
  ];
  it.each(cases)('%s is refused: %s', async (_name, refusal, make) => {
    expect(await accountOfToken(running, make)).toEqual(unauthenticated(refusal));
  });
});

describe('time', () => {
  const hour = 3_600;
  const at = (offset: number): number => seconds() + offset;
  /** Made when it is sent, because time passes meanwhile. */
  const late =
    (change: () => Record<string, unknown>): Make =>
    (stack) =>
      signed(change())(stack);
  const raw = (name: string, text: string): Make => odd(header, withMember(claims({ [name]: undefined }), `"${name}":${text}`));
  const cases: TokenAttack[] = [
    ['expired an hour ago', 'token.expired', late(() => ({ exp: at(-hour) }))],
    ['expired just beyond the clock skew', 'token.expired', late(() => ({ exp: at(-61) }))],
    ['expired in 1970', 'token.expired', late(() => ({ exp: 0 }))],
    ['expired before 1970', 'token.expired', late(() => ({ exp: -1 }))],
    ['a second exp that has passed', 'token.expired', odd(header, withMember(claims(), '"exp":1'))],
    ['without exp', 'token.malformed', late(() => ({ exp: undefined }))],
    ['exp null', 'token.malformed', raw('exp', 'null')],
    ['exp in text', 'token.malformed', raw('exp', '"9999999999"')],
    ['exp true', 'token.malformed', raw('exp', 'true')],
    ['exp in a list', 'token.malformed', raw('exp', '[9999999999]')],
    ['exp beyond every number', 'token.malformed', raw('exp', '1e999')],
    ['without iat', 'token.malformed', late(() => ({ iat: undefined }))],
    ['iat in text', 'token.malformed', raw('iat', '"1"')],
    ['nbf in text', 'token.malformed', raw('nbf', '"1"')],
    ['nbf null', 'token.malformed', raw('nbf', 'null')],
    ['not valid for an hour', 'token.notYetValid', late(() => ({ nbf: at(hour) }))],
    ['not valid until just beyond the clock skew', 'token.notYetValid', late(() => ({ nbf: at(70) }))],
    ['issued in an hour', 'token.notYetValid', late(() => ({ iat: at(hour), exp: at(2 * hour) }))],
    ['issued in milliseconds', 'token.notYetValid', late(() => ({ iat: Date.now(), nbf: Date.now(), exp: Date.now() + hour }))],
    ['living 26 hours', 'token.lifetime', late(() => ({ exp: at(26 * hour) }))],
    ['living ten years', 'token.lifetime', late(() => ({ exp: at(87_600 * hour) }))],
    ['living for ever', 'token.lifetime', late(() => ({ exp: Number.MAX_SAFE_INTEGER }))],
    ['ending in milliseconds', 'token.lifetime', late(() => ({ exp: Date.now() + hour }))],
    ['issued in 1970 and still valid', 'token.lifetime', late(() => ({ iat: 0, nbf: 0 }))],
  ];
  it.each(cases)('%s is refused: %s', async (_name, refusal, make) => {
    expect(await accountOfToken(running, make)).toEqual(unauthenticated(refusal));
  });
});
