import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { answer } from '#auth-events';
import { authenticationExtensionsAppId, entraIssuers } from '#entra-auth';
import { Pool } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serviceDocument } from '#configuration';
import { tenantId } from './claims-service.js';
import { startHandlerHost, type HandlerHost, type HostAnswer } from './handler-host.js';
import { claimsOf } from './wire-answers.js';
import { ids, member, tokenIssuanceStart, wireEvents, withValue, type EventKind, type Json } from './wire-events.js';

let host: HandlerHost;

beforeAll(async () => {
  host = await startHandlerHost();
});

afterAll(() => host[Symbol.asyncDispose]());

const valid = JSON.stringify(tokenIssuanceStart());
const context = 'data.authenticationContext';
const having = (dotted: string, value: unknown): string => JSON.stringify(withValue(tokenIssuanceStart(), dotted, value));
const claims = { dateOfBirth: '2000-01-01', customRoles: ['Writer', 'Editor'] };
const action = { '@odata.type': 'microsoft.graph.tokenIssuanceStart.provideClaimsForToken', claims };
const document = { data: { '@odata.type': 'microsoft.graph.onTokenIssuanceStartResponseData', actions: [action] } };

/** What the table says of an answer: status, code, failed paths. A 200 is checked as Entra would. */
function verdict({ status, text }: HostAnswer): string {
  if (status === 200) {
    claimsOf(text);
    return '200';
  }
  const { code, errors = [] } = JSON.parse(text) as Json;
  const paths = (errors as readonly Json[]).map((issue) => issue['path'] || '(body)').join(', ');
  return `${status} ${code}${paths === '' ? '' : `: ${paths}`}`;
}

async function posting(body: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  host.handler.give = () => answer.provideClaims(claims);
  return verdict(await host.post('tokenIssuanceStart', body, headers));
}

async function returning(given: unknown, kind: EventKind = 'tokenIssuanceStart'): Promise<string> {
  host.handler.give = () => given;
  return verdict(await host.post(kind, JSON.stringify(wireEvents[kind]())));
}

const returningClaims = (value: unknown, name: unknown = 'key'): Promise<string> =>
  returning({ kind: 'provideClaims', claims: new Map([[name, value]]) });

async function at(address: string, method = 'POST'): Promise<string> {
  const response = await fetch(host.url + address, {
    method,
    headers: { authorization: host.authorization, 'content-type': 'application/json' },
    ...(method === 'POST' && { body: valid }),
  });
  return verdict({ status: response.status, contentType: null, text: await response.text() });
}

/** What is known of the event that the handler was given. */
async function seen(body: string): Promise<Json> {
  expect(await posting(body)).toBe('200');
  return host.handler.seen.at(-1) as Json;
}

async function configured(tenant: Json): Promise<string> {
  const wanted = {
    mappings: { folder: 'mappings' },
    tenants: { fabrikam: { tenantId, audience: ids.applicationId, ...tenant } },
  };
  expect(serviceDocument.safeParse({ ...wanted, tenants: { fabrikam: { tenantId, audience: ids.applicationId } } }).success).toBe(
    true,
  );
  return serviceDocument.safeParse(wanted).success ? 'started' : 'an error at the start';
}

const party = async (azp: string): Promise<string> =>
  posting(valid, { authorization: `Bearer ${await host.simulator.mintExtensionToken({ claims: { azp } })}` });

/** Each case of the tables, by subject and case. */
const cases: Readonly<Record<string, () => Promise<string>>> = {
  'PayloadTests: a valid event, answered with the action': () => posting(valid),
  'PayloadTests: a wire document without `data` is returned': () => returning(document.data),
  'PayloadTests: a wire document without `data.@odata.type` is returned': () => returning({ data: { actions: [action] } }),
  'PayloadTests: an unknown action is returned': () => returning({ kind: 'ProvideClaims', claims: [{ id: 'dateOfBirth' }] }),
  'PayloadTests: no action is returned': () => returning({ actions: [] }),
  'PayloadTests: an empty text is returned': () => returning(''),
  'ResponseTypesTests: a text with a valid body is returned': () => returning(JSON.stringify(document)),
  'ResponseTypesTests: an HTTP response with a valid body is returned': () => returning(Response.json(document)),
  'ResponseTypesTests: a stream with a valid body is returned': () => returning(Readable.from([JSON.stringify(document)])),
  'ResponseTypesTests: the typed answer is returned': () => returning(answer.provideClaims(claims)),
  'ResponseTypesTests: an unsupported type is returned': () => returning(new URL('https://fabrikam.example')),
  'RequestResponseModelTests: 10,000 events at once': async () => {
    host.handler.give = (event) => answer.provideClaims({ name: (event as Json)['user'].displayName });
    await using parts = new AsyncDisposableStack();
    const pool = parts.adopt(new Pool(host.url, { connections: 64 }), (open) => open.destroy());
    const names = await Promise.all(
      Array.from({ length: 10_000 }, async (_, index) => {
        const response = await pool.request({
          method: 'POST',
          path: '/api/onTokenIssuanceStart',
          headers: { authorization: host.authorization, 'content-type': 'application/json' },
          body: valid.replace('Mira Lindt', `Person ${index}`),
        });
        return claimsOf(await response.body.text())['name'];
      }),
    );
    return names.every((name, index) => name === `Person ${index}`) ? 'each its own answer' : 'mixed up';
  },
  'RequestResponseModelTests: query parameters': async () => {
    expect(await at('/api/onTokenIssuanceStart?param1=test1&param2=test2')).toBe('200');
    expect(JSON.stringify(host.handler.seen.at(-1))).not.toContain('test1');
    const { request } = host.handler.contexts.at(-1)!;
    return (request.query as Json)['param2'] === 'test2' ? 'on the request of the context' : 'lost';
  },
  'RequestResponseModelTests: an event with status Successful': () => posting(valid),
  'RequestResponseModelTests: a handler that failed': async () => {
    host.handler.give = () => Promise.reject(new Error('failed'));
    return verdict(await host.post('tokenIssuanceStart', valid));
  },
  'RequestResponseModelTests: an event that does not validate': () => posting(having('data.tenantId', 'x')),
  'RequestResponseModelTests: a token that does not validate': () => posting(valid, { authorization: 'Bearer a.b.c' }),
  'RequestResponseModelTests: null is returned': () => returning(null),
  'RequestResponseModelTests: NullClaims': () => returning({ kind: 'provideClaims', claims: null }),
  'RequestResponseModelTests: EmptyClaims': () => returning(answer.provideClaims({})),
  'RequestResponseModelTests: NullClaimId': () => returningClaims('', null),
  'RequestResponseModelTests: EmptyClaimsId': () => returningClaims('', ''),
  'RequestResponseModelTests: EmptyValueString': () => returningClaims(''),
  'RequestResponseModelTests: NullValue': () => returningClaims(null),
  'RequestResponseModelTests: EmptyValueArray': () => returningClaims([]),
  'RequestResponseModelTests: EmptyValueStringArray': () => returningClaims(['', '']),
  'RequestResponseModelTests: EmptyMixedArray': () => returningClaims(['', null, ' ']),
  'RequestResponseModelTests: NullActionItems': () => returning([null]),
  'ConfigProviderTests: the function answers 200': () => returning(answer.provideClaims({})),
  'ConfigProviderTests: the function answers 400': () => returning(answer.fail('loyalty.refused', 'Not this person.')),
  'ConfigProviderTests: the function answers 401': () => posting(valid, { authorization: '' }),
  'ConfigProviderTests: no function is named': () => at('/api'),
  'ConfigProviderTests: another function is named': () => at('/api/onSomethingElse'),
  'ConfigProviderTests: GET': () => at('/api/onTokenIssuanceStart', 'GET'),
  'AuthenticationEventBindingTests: an empty body': () => posting(''),
  'AuthenticationEventBindingTests: an XML body': () => posting('<event><type>tokenIssuanceStart</type></event>'),
  'AuthenticationEventBindingTests: an XML body that says so': () => posting('<event/>', { 'content-type': 'application/xml' }),
  'AuthenticationEventBindingTests: a valid body': () => posting(valid),
  'AuthenticationEventMetadataTests: a comma too many': () => posting(valid.replace('}}}}', ',}}}}')),
  'AuthenticationEventMetadataTests: no source': () => posting(having('source', undefined)),
  'AuthenticationEventMetadataTests: no `@odata.type`': () => posting(having('data.@odata.type', undefined)),
  'AuthenticationEventMetadataTests: a valid event': () => posting(valid),
  'AuthenticationEventDataTests: no tenantId': () => posting(having('data.tenantId', undefined)),
  'AuthenticationEventDataTests: no authenticationEventListenerId': () =>
    posting(having('data.authenticationEventListenerId', undefined)),
  'AuthenticationEventDataTests: no customAuthenticationExtensionId': () =>
    posting(having('data.customAuthenticationExtensionId', undefined)),
  'ConfigurationManagerTests: no audience': () => configured({ audience: undefined }),
  'ConfigurationManagerTests: no authority': () => configured({ tenantId: undefined }),
  'ConfigurationManagerTests: no authorised party is configured': async () => {
    expect([authenticationExtensionsAppId, await party(authenticationExtensionsAppId), await party(ids.userId)]).toEqual([
      '99045fe1-7639-4a75-9d4a-577b6ca3810f',
      '200',
      '401 caller.unauthenticated',
    ]);
    return '99045fe1-…';
  },
  'ConfigurationManagerTests: an authorised party is configured': async () => {
    await using own = await startHandlerHost({ callers: [ids.userId] });
    own.handler.give = () => answer.provideClaims(claims);
    const token = await own.simulator.mintExtensionToken({ claims: { azp: ids.userId } });
    const verdicts = [
      verdict(await own.post('tokenIssuanceStart', valid, { authorization: `Bearer ${token}` })),
      verdict(await own.post('tokenIssuanceStart', valid)),
    ];
    return verdicts.join() === '200,401 caller.unauthenticated' ? 'that one' : verdicts.join();
  },
  'ConfigurationManagerTests: metadata of version 1.0 and 2.0': async () => {
    const addresses = entraIssuers({ tenantId }).map(({ metadata }) => metadata);
    expect(addresses.toSorted()).toEqual([
      `https://login.microsoftonline.com/${tenantId}/.well-known/openid-configuration`,
      `https://login.microsoftonline.com/${tenantId}/v2.0/.well-known/openid-configuration`,
    ]);
    return 'both';
  },
  'EventTriggerMetricsTests: the header that names version, framework and platform': async () => {
    const response = await fetch(`${host.url}/api/onTokenIssuanceStart`, {
      method: 'POST',
      headers: { authorization: host.authorization, 'content-type': 'application/json' },
      body: valid,
    });
    const names = ['user-agent', 'server', 'x-powered-by'].filter((name) => response.headers.has(name));
    return names.length === 0 ? 'not sent' : names.join();
  },
  'OneOrMoreRequiredAttributeTests: a list of actions that is empty': () => returning([]),
  'EnumerableItemsNotNullAttributeTests: a list of actions with null': () => returning([answer.provideClaims({}), null]),

  "events: a social account without userPrincipalName (Microsoft's own sample)": () =>
    posting(
      having(`${context}.user`, { id: ids.userId, displayName: 'Someone', mail: 'someone@mail.example', userType: 'Member' }),
    ),
  'events: no user': () => posting(having(`${context}.user`, undefined)),
  'events: a user without id': () => posting(having(`${context}.user.id`, undefined)),
  'events: a protocol that is not in its list': () => posting(having(`${context}.protocol`, 'OAUTH2')),
  'events: resourceServicePrincipal null': () => posting(having(`${context}.resourceServicePrincipal`, null)),
  'events: an unknown field at every level': () => posting(valid.replaceAll('{"', '{"sessionContext":{"risk":[1]},"')),
  'events: onPremisesUserPrincipalName': async () =>
    (await seen(valid))['user'].onPremisesUserPrincipalName === member['onPremisesUserPrincipalName'] ? 'on the event' : 'lost',
  'events: ids in upper case': async () =>
    (await seen(having(`${context}.user.id`, ids.userId.toUpperCase())))['user'].id === ids.userId
      ? 'in lower case'
      : 'as they came',
  "events: another tenant than the token's": () => posting(having('data.tenantId', ids.userId)),
  'events: 70,000 bytes': () => posting(valid + ' '.repeat(70_000)),
  'events: attributeCollectionSubmit': async () => {
    host.handler.give = () => answer.continueWithDefaultBehavior();
    const { status } = await host.post('attributeCollectionSubmit', JSON.stringify(wireEvents.attributeCollectionSubmit()));
    return String(status);
  },
  'answers: a number as a value': () => returningClaims(42),
  'answers: a truth value': () => returningClaims(false),
  'answers: an object as a value': () => returningClaims({ street: 'x' }),
  'answers: more than 3,000 bytes of claims': () => returningClaims('x'.repeat(3_000)),
  'answers: two actions': () => returning([answer.provideClaims({}), answer.provideClaims({})]),
  'refusals: a body with a quote in what is wrong': async () => {
    host.handler.give = () => answer.fail('loyalty.refused', 'The "gold" tier is closed.');
    const { text } = await host.post('tokenIssuanceStart', valid);
    return (JSON.parse(text) as Json)['title'] === 'The "gold" tier is closed.' ? 'valid JSON' : 'invalid JSON';
  },
};

const page = readFileSync(path.resolve(import.meta.dirname, '../../../docs/reference/microsoft-library.md'), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (class|subject) \|/.test(line))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  .map(([subject, name, theirs, ours, why]) => ({ name: `${subject}: ${name}`, theirs: theirs!, ours: ours!, why: why! }));

describe("the table beside Microsoft's library", () => {
  it('has each case once, and no other', () => {
    expect(rows.map(({ name }) => name).toSorted()).toEqual(Object.keys(cases).toSorted());
  });

  it('gives a reason where the verdicts differ, and only there', () => {
    const differ = ({ theirs, ours }: (typeof rows)[number]): boolean => theirs !== ours && theirs !== ours.split(' ')[0];
    for (const row of rows) expect(`${row.name}: ${row.why !== ''}`).toBe(`${row.name}: ${differ(row)}`);
  });

  it.each(rows)('$name: $ours', async ({ name, ours }) => {
    expect(await cases[name]!()).toBe(ours);
  });
});
