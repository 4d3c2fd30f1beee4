import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startClaimsService, tenantId, type ClaimsService } from './claims-service.js';
import { canary, ids, member, place, tokenIssuanceStart, withValue, type Json } from './wire-events.js';

let service: ClaimsService;

beforeAll(async () => {
  service = await startClaimsService();
});

afterAll(() => service[Symbol.asyncDispose]());

const context = 'data.authenticationContext';
const user = `${context}.user`;

const having = (dotted: string, value: unknown): string => JSON.stringify(withValue(tokenIssuanceStart(), dotted, value));

/** The case; the body; the paths that the answer names, in any order; `''` is the body itself. */
type Case = readonly [name: string, body: string | Uint8Array, paths: readonly string[]];

const show = (value: unknown): string => (value === undefined ? 'absent' : JSON.stringify(value).slice(0, 40));
const each = (dotted: string, wrong: readonly unknown[], paths: readonly string[] = [dotted]): Case[] =>
  wrong.map((value) => [`${dotted}: ${show(value)}`, having(dotted, value), paths]);

const notText = [42, true, [canary], { [canary]: canary }];
const notThere = [undefined, null, ''];
const notGuid = [
  ...notThere,
  ...notText,
  canary,
  `${ids.userId} `,
  ` ${ids.userId}`,
  `{${ids.userId}}`,
  `${ids.userId}\n`,
  ids.userId.replaceAll('-', ''),
  `${ids.userId}0`,
  ids.userId.slice(1),
  ids.userId.replace('9', 'g'),
  ids.userId.replace('9', '９'),
];
const notObject = [canary, 42, true, [canary], [[{ [canary]: 1 }]]];

const wholeGuids = ['data.tenantId', `${context}.correlationId`, `${user}.id`];
const otherGuids = [
  'data.authenticationEventListenerId',
  'data.customAuthenticationExtensionId',
  `${context}.clientServicePrincipal.id`,
  `${context}.clientServicePrincipal.appId`,
  `${context}.resourceServicePrincipal.id`,
  `${context}.resourceServicePrincipal.appId`,
];
const texts = [
  `${context}.protocol`,
  `${context}.requestType`,
  ...['ip', 'locale', 'market'].map((name) => `${context}.client.${name}`),
  ...['appDisplayName', 'displayName'].map((name) => `${context}.clientServicePrincipal.${name}`),
  ...Object.keys(member)
    .filter((name) => name !== 'id')
    .map((name) => `${user}.${name}`),
];
const kinds = [
  ...notThere,
  42,
  ['microsoft.graph.authenticationEvent.tokenIssuanceStart'],
  canary,
  'tokenIssuanceStart',
  '#microsoft.graph.authenticationEvent.tokenIssuanceStart',
  'microsoft.graph.authenticationEvent.tokenIssuanceStart ',
  'microsoft.graph.authenticationEvent.tokenIssuanceStart\n',
  'microsoft-graph.authenticationEvent.tokenIssuanceStart',
  ...['attributeCollectionStart', 'attributeCollectionSubmit', 'emailOtpSend', 'passwordSubmit', 'pageRenderStart'].map(
    (kind) => `microsoft.graph.authenticationEvent.${kind}`,
  ),
];
const dataTypes = [
  ...notThere,
  42,
  ['microsoft.graph.onTokenIssuanceStartCalloutData'],
  canary,
  '#microsoft.graph.onTokenIssuanceStartCalloutData',
  'microsoft.graph.onAttributeCollectionStartCalloutData',
  'microsoft.graph.onTokenIssuanceStartResponseData',
];

const envelope: readonly Case[] = [
  ...each('type', kinds),
  ...each('source', [...notThere, ...notText]),
  ...each('data', [undefined, null, ...notObject]),
  ...each('data.@odata.type', dataTypes),
  ...each(context, [undefined, null, ...notObject]),
];
const guids: readonly Case[] = [
  ...wholeGuids.flatMap((dotted) => each(dotted, notGuid)),
  ...otherGuids.flatMap((dotted) => each(dotted, [undefined, null, canary, 42, [ids.userId], { id: ids.userId }])),
];
const objects: readonly Case[] = ['client', 'clientServicePrincipal', 'resourceServicePrincipal', 'user'].flatMap((name) =>
  each(`${context}.${name}`, notObject),
);
const wrongTexts: readonly Case[] = texts.flatMap((dotted) => each(dotted, notText));

const constructors = [{ constructor: {} }, [{ constructor: {} }], { constructor: { prototype: 1 } }, { constructor: canary }];

/** An object in whose prototype, as an attacker would have it, the wanted key is. */
const inherited = (dotted: string): Case => {
  const event = tokenIssuanceStart();
  const [parent, name] = place(event, dotted);
  Object.defineProperty(parent, '__proto__', { value: { [name]: parent[name] as unknown }, enumerable: true });
  return [`${dotted} in __proto__ only`, JSON.stringify(withValue(event, dotted, undefined)), [dotted]];
};
const several: readonly Case[] = [
  ...['type', 'source', 'data', 'data.tenantId', `${context}.correlationId`, `${user}.id`].map(inherited),
  ...['type', 'source', 'data.tenantId', `${context}.protocol`, `${user}.id`, `${user}.mail`].flatMap((dotted) =>
    each(dotted, constructors),
  ),
  ['an empty object', '{}', ['type', 'source', 'data']],
  [
    'all of data missing',
    having('data', {}),
    ['data.@odata.type', 'data.tenantId', 'data.authenticationEventListenerId', 'data.customAuthenticationExtensionId', context],
  ],
  [
    'three faults at three levels',
    JSON.stringify(
      withValue(withValue(withValue(tokenIssuanceStart(), 'source', 7), 'data.tenantId', canary), `${user}.id`, canary),
    ),
    ['source', 'data.tenantId', `${user}.id`],
  ],
  [
    'the type under a key with a capital T',
    having('data.@odata.type', undefined).replace(
      '"data":{',
      `"data":{"@odata.Type":"microsoft.graph.onTokenIssuanceStartCalloutData",`,
    ),
    ['data.@odata.type'],
  ],
  ['the event in a list', JSON.stringify([tokenIssuanceStart()]), ['']],
  ['the event in another object', JSON.stringify({ event: tokenIssuanceStart() }), ['type', 'source', 'data']],
  ['keys in other letter case', JSON.stringify({ Type: 'x', Source: 'x', Data: {} }), ['type', 'source', 'data']],
  [
    'a key twice, and the last one wrong',
    JSON.stringify(tokenIssuanceStart()).replace(`"tenantId":"${tenantId}"`, `"tenantId":"${tenantId}","tenantId":"${canary}"`),
    ['data.tenantId'],
  ],
  [
    'deep nesting where an object is due',
    having('data', 'DEEP').replace('"DEEP"', `${'['.repeat(30_000)}${']'.repeat(30_000)}`),
    ['data'],
  ],
  [
    'deep nesting where a user is due',
    having(user, 'DEEP').replace('"DEEP"', `${'{"user":'.repeat(6_000)}1${'}'.repeat(6_000)}`),
    [`${user}.id`],
  ],
  [
    'deep nesting where a text is due',
    having(`${user}.mail`, 'DEEP').replace('"DEEP"', `${'['.repeat(30_000)}${']'.repeat(30_000)}`),
    [`${user}.mail`],
  ],
];

const valid = JSON.stringify(tokenIssuanceStart());
const named = (text: string): string => valid.replace('Mira Lindt', text);
const bytes = (before: string, raw: readonly number[]): Uint8Array => {
  const [head, tail] = named(before).split(before);
  return Buffer.concat([Buffer.from(head!), Buffer.from(raw), Buffer.from(tail!)]);
};
const broken: Readonly<Record<string, string | Uint8Array>> = {
  'an empty body': '',
  'space only': ' \n',
  null: 'null',
  true: 'true',
  'a number': '42',
  'a text': `"${canary}"`,
  'a list': `["${canary}"]`,
  'a truncated event': valid.slice(0, -1),
  'half an event': valid.slice(0, valid.length / 2),
  'one brace': '{',
  'a comma after the last property': valid.replace('}}}}', ',}}}}'),
  'a comma too many': valid.replace(',', ',,'),
  NaN: valid.replace('"192.0.2.41"', 'NaN'),
  Infinity: valid.replace('"192.0.2.41"', '-Infinity'),
  undefined: valid.replace('"192.0.2.41"', 'undefined'),
  'a hexadecimal number': valid.replace('"192.0.2.41"', '0x10'),
  'a number with a leading zero': valid.replace('"192.0.2.41"', '012'),
  'a comment': valid.replace('{', `{/* ${canary} */`),
  'a comment to the end of the line': `// ${canary}\n${valid}`,
  'single quotes': valid.replaceAll('"', "'"),
  'keys without quotes': valid.replace('"type"', 'type'),
  'two events': valid + valid,
  'an event and more': `${valid}${canary}`,
  'a NUL at the end': `${valid}\0`,
  'a line break in a text': named('Mira\nLindt'),
  'a tab in a text': named('Mira\tLindt'),
  'an escape that is none': named(String.raw`\x41`),
  'half an escape': named(String.raw`\u12`),
  XML: `<event><type>${canary}</type></event>`,
  'a form': `type=${canary}&data=x`,
  YAML: `type: ${canary}\n`,
  'a JWT': `${canary}.eyJ9.x`,
  'UTF-16, little endian': Buffer.from(`\uFEFF${valid}`, 'utf16le'),
  'UTF-16, big endian': Buffer.from(`\uFEFF${valid}`, 'utf16le').swap16(),
  'UTF-16 without mark': Buffer.from(valid, 'utf16le'),
  'Latin-1': bytes('NAME', [0x5a, 0x6f, 0xeb]),
  'UTF-8 that is cut': bytes('NAME', [0xf0, 0x9f, 0x98]),
  'UTF-8 that is longer than it may be': bytes('NAME', [0xc0, 0xaf]),
  'a surrogate in UTF-8': bytes('NAME', [0xed, 0xa0, 0xbd]),
  'a byte that UTF-8 does not have': bytes('NAME', [0xff]),
  'a mark in the middle': `{\uFEFF${valid.slice(1)}`,
  'two marks': `\uFEFF\uFEFF${valid}`,
  '64 KB of opening brackets': '['.repeat(65_536),
  '64 KB of opening braces': '{"a":'.repeat(13_107),
  '64 KB of balanced brackets': `${'['.repeat(32_768)}${']'.repeat(32_768)}`,
  'gzip, unannounced': Buffer.from('H4sIAAAAAAAAA6tWKkksLVayUkqtKCgtUaoFAE5hW4kSAAAA', 'base64'),
  '64 KB of zeros': new Uint8Array(65_536),
};

describe.each<[string, readonly Case[]]>([
  ['the envelope', envelope],
  ['identifiers', guids],
  ['objects', objects],
  ['texts', wrongTexts],
  ['structure', several],
  ['bodies that are not JSON objects', Object.entries(broken).map(([name, body]): Case => [name, body, ['']])],
])('%s: refused with 400, the failed paths, and nothing of the values', (_group, cases) => {
  it.each(cases)('%s', async (_name, body, paths) => {
    const answer = await fetch(service.endpoint, {
      method: 'POST',
      headers: { authorization: service.authorization, 'content-type': 'application/json' },
      body,
    });
    const text = await answer.text();
    expect(answer.status, text).toBe(400);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json(; charset=utf-8)?$/);
    const problem = JSON.parse(text) as Json;
    expect(problem).toEqual({
      type: 'urn:claimbridge:problem:request.body',
      title: expect.any(String),
      status: 400,
      code: 'request.body',
      correlationId: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      errors: expect.any(Array),
    });
    const issues = problem['errors'] as readonly Json[];
    expect(issues.map(({ path }) => path as string).toSorted()).toEqual(paths.toSorted());
    for (const { reason } of issues) expect(reason).toMatch(/^(must |the body ).+/);
    expect(text).not.toContain(canary);
    for (const value of [tenantId, member['mail'], member['userPrincipalName'], member['displayName'], ids.userId])
      expect(text).not.toContain(value);
  });
});
