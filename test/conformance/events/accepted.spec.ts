import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { provided, startClaimsService, type ClaimsService } from './claims-service.js';
import { claimsOf } from './wire-answers.js';
import { ids, member, place, tokenIssuanceStart, withValue, type Json } from './wire-events.js';

let service: ClaimsService;

beforeAll(async () => {
  service = await startClaimsService();
});

afterAll(() => service[Symbol.asyncDispose]());

const context = 'data.authenticationContext';
const user = `${context}.user`;

const changed = (act: (event: Json) => unknown): string => {
  const event = tokenIssuanceStart();
  act(event);
  return JSON.stringify(event);
};

const having = (dotted: string, value: unknown): string => JSON.stringify(withValue(tokenIssuanceStart(), dotted, value));

/** With a further key in front of the others of an object; also one that an object literal cannot have. */
const withKey = (dotted: string, key: string, value: unknown): string =>
  changed((event) => {
    const [parent, name] = dotted === '' ? [{ event } as Json, 'event'] : place(event, dotted);
    Object.defineProperty(parent[name], key, { value, enumerable: true });
  });

const levels = [
  '',
  'data',
  context,
  `${context}.client`,
  `${context}.clientServicePrincipal`,
  `${context}.resourceServicePrincipal`,
  user,
];
const optional = [
  ...['protocol', 'requestType', 'client', 'user'].map((name) => `${context}.${name}`),
  ...['ip', 'locale', 'market'].map((name) => `${context}.client.${name}`),
  ...['appDisplayName', 'displayName'].map((name) => `${context}.resourceServicePrincipal.${name}`),
  ...Object.keys(member)
    .filter((name) => name !== 'id')
    .map((name) => `${user}.${name}`),
];
const guids = [
  'data.tenantId',
  'data.authenticationEventListenerId',
  'data.customAuthenticationExtensionId',
  `${context}.correlationId`,
  `${context}.clientServicePrincipal.id`,
  `${context}.clientServicePrincipal.appId`,
  `${context}.resourceServicePrincipal.id`,
  `${context}.resourceServicePrincipal.appId`,
  `${user}.id`,
];

/** The case; the body; the name of the user as it was understood, `undefined` where there is none. */
type Case = readonly [name: string, body: string | Uint8Array, understood: string | undefined];

const named = 'Mira Lindt';

const people: readonly Case[] = [
  ['a member with all fourteen properties', JSON.stringify(tokenIssuanceStart()), named],
  [
    'a social account without user principal name',
    having(user, { id: ids.userId, userType: 'Member', displayName: 'Someone', mail: 'someone@mail.example' }),
    'Someone',
  ],
  [
    'a local account of an external tenant, with a synthetic user principal name and no mail',
    having(user, {
      id: ids.userId,
      userType: 'Member',
      displayName: 'Local',
      userPrincipalName: `${ids.userId}@fabrikam.example`,
    }),
    'Local',
  ],
  [
    'a B2B guest',
    having(user, {
      id: ids.userId,
      userType: 'Guest',
      displayName: 'Guest',
      userPrincipalName: 'kim_contoso.example#EXT#@fabrikam.example',
      createdDateTime: '2022-07-15T00:00:00Z',
    }),
    'Guest',
  ],
  ['a user with an id only', having(user, { id: ids.userId }), undefined],
  ['a type of user that is not known yet', having(`${user}.userType`, 'Agent'), named],
  ['a date of creation without time zone', having(`${user}.createdDateTime`, '2024-01-01T00:00:00'), named],
  ['no user: a service signs in', having(user, undefined), undefined],
  ['a user that is null', having(user, null), undefined],
  ['a user whose properties are all null', having(user, { ...nulls(member), id: ids.userId }), undefined],
];

const values: readonly Case[] = [
  ...['2001:db8::2f', '0.0.0.0', '321.456.789.255', '', 'not an address', '192.0.2.1:443', 'x'.repeat(4_000)].map((ip): Case => [
    `the client address "${ip.slice(0, 20)}"`,
    having(`${context}.client.ip`, ip),
    named,
  ]),
  ...['SAML', 'WS-FED', 'OAUTH2', 'unknownFutureValue', '', 'oauth2.0', 'PASSKEY3'].map((protocol): Case => [
    `the protocol "${protocol}"`,
    having(`${context}.protocol`, protocol),
    named,
  ]),
  ['the request type of another event', having(`${context}.requestType`, 'signUp'), named],
  ['a kind in other letter case', having('type', 'MICROSOFT.GRAPH.authenticationevent.TokenIssuanceStart'), named],
  ['a source in another form', having('source', 'urn:elsewhere'), named],
  ['a source of a space', having('source', ' '), named],
  ...guids.map((dotted): Case => [
    `${dotted} in upper case`,
    changed((event) => {
      const [parent, name] = place(event, dotted);
      parent[name] = (parent[name] as string).toUpperCase();
    }),
    named,
  ]),
  ...['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '018f3a5e-7c21-7b3d-0f00-a1b2c3d4e5f6'].map(
    (id): Case => [`the GUID ${id}, of no or another version`, having(`${user}.id`, id), named],
  ),
];

const missing: readonly Case[] = [
  ...optional.flatMap((dotted): Case[] => {
    const understood = dotted === user || dotted === `${user}.displayName` ? undefined : named;
    return [
      [`${dotted} null`, having(dotted, null), understood],
      [`${dotted} absent`, having(dotted, undefined), understood],
    ];
  }),
  ['the resource service principal null', having(`${context}.resourceServicePrincipal`, null), named],
  ['the resource service principal absent', having(`${context}.resourceServicePrincipal`, undefined), named],
  ['the client service principal null', having(`${context}.clientServicePrincipal`, null), named],
  ['the client service principal absent', having(`${context}.clientServicePrincipal`, undefined), named],
];

const strange = { a: [1, 'two', null, { three: [] }], tenantId: 'x', displayName: 'Wrong' };
const unknown: readonly Case[] = levels.flatMap((dotted): Case[] =>
  ['somethingNew', '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', ''].map((key) => [
    `the unknown key "${key}" in ${dotted || 'the envelope'}`,
    withKey(dotted, key, strange),
    named,
  ]),
);
const events: readonly Case[] = [
  ['fields of other events', changed(({ data }) => Object.assign(data, { userSignUpInfo: null, otpContext: null })), named],
  ['an @odata.type on nested objects', withKey(user, '@odata.type', 'microsoft.graph.user'), named],
  ['the type with a capital T beside the right one', withKey('data', '@odata.Type', 'something else'), named],
];

const unicode = {
  'an emoji of several code points': '👩🏽‍🚀 Mira',
  'text from right to left, with its marks': '\u202Eمرحبا\u202C',
  'combining marks, not composed': 'Ze\u0301',
  'a character of each plane': '\uFFFD \u{1F600} \u{20000} \u{10FFFF}',
  'line separators and controls': 'a\u2028b\u2029c\u0000d\u001F\u007F',
  'a quote and a backslash': '"\\"',
  markup: '</script><!--',
  'a name of 1,400 letters': 'ü'.repeat(1_400),
};
const texts: readonly Case[] = [
  ...Object.entries(unicode).map(([name, text]): Case => [name, having(`${user}.displayName`, text), text]),
  [
    'the same, all escaped',
    having(`${user}.displayName`, 'NAME').replace(
      'NAME',
      [...'Zoë 😀']
        .flatMap((part) => part.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`))
        .join(''),
    ),
    'Zoë 😀',
  ],
  [
    'a lone surrogate, escaped, stays what it was',
    having(`${user}.displayName`, 'NAME').replace('NAME', String.raw`a\ud83db`),
    'a\uD83Db',
  ],
  ['numbers that are too large for a number, in an unknown field', having('data.n', 'N').replace('"N"', '1e400'), named],
  ['space around and between', ` \r\n\t${JSON.stringify(tokenIssuanceStart(), undefined, '\t')}\n`, named],
  ['a byte order mark', Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), Buffer.from(JSON.stringify(tokenIssuanceStart()))]), named],
  [
    'a key twice: the last one counts',
    JSON.stringify(tokenIssuanceStart()).replace('"displayName":"Mira Lindt"', '"displayName":"First","displayName":"Last"'),
    'Last',
  ],
  [
    'an unknown field that nests deeply, within 64 KB',
    having('deep', 'DEEP').replace('"DEEP"', `${'['.repeat(20_000)}${']'.repeat(20_000)}`),
    named,
  ],
  ['65,536 bytes', sized(65_536), named],
];

describe.each<[string, readonly Case[]]>([
  ['people', people],
  ['values', values],
  ['what is null or absent', missing],
  ['unknown keys', unknown],
  ['parts of other events', events],
  ['texts and their encoding', texts],
])('%s that are accepted', (_group, cases) => {
  it.each(cases)('%s', async (_name, body, understood) => {
    const answer = await fetch(service.endpoint, {
      method: 'POST',
      headers: { authorization: service.authorization, 'content-type': 'application/json' },
      body,
    });
    const text = await answer.text();
    expect(answer.status, text).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json(; charset=utf-8)?$/);
    expect(claimsOf(text)).toEqual(understood === undefined ? provided : { ...provided, name: understood });
  });
});

it('is not changed by any of them', async () => {
  const answer = await fetch(service.endpoint, {
    method: 'POST',
    headers: { authorization: service.authorization, 'content-type': 'application/json' },
    body: having(user, { id: ids.userId }),
  });
  expect(claimsOf(await answer.text())).toEqual(provided);
});

function nulls(of: Json): Json {
  return Object.fromEntries(Object.keys(of).map((name) => [name, null]));
}

function sized(bytes: number): string {
  const text = having('padding', '');
  return text.replace('"padding":""', `"padding":"${'x'.repeat(bytes - Buffer.byteLength(text))}"`);
}
