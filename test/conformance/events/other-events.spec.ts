import { answer } from '#auth-events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHandlerHost, type HandlerHost } from './handler-host.js';
import { canary, eventKinds, ids, member, routes, wireEvents, withValue, type EventKind, type Json } from './wire-events.js';

let host: HandlerHost;

beforeAll(async () => {
  host = await startHandlerHost();
});

afterAll(() => host[Symbol.asyncDispose]());

const context = 'data.authenticationContext';
const attributes = 'data.userSignUpInfo.attributes';

type Other = Exclude<EventKind, 'tokenIssuanceStart'>;

const answers: Readonly<Record<EventKind, unknown>> = {
  tokenIssuanceStart: answer.provideClaims({}),
  attributeCollectionStart: answer.continueWithDefaultBehavior(),
  attributeCollectionSubmit: answer.continueWithDefaultBehavior(),
  emailOtpSend: answer.continueWithDefaultBehavior(),
  passwordSubmit: answer.retryPassword('nonce'),
  verifiedIdClaimValidation: answer.passVerification(),
};

/** A change of the event, by dotted path; `undefined` takes the property away. */
type Change = readonly [dotted: string, value: unknown];

const accepted: Readonly<Record<Other, readonly (readonly [name: string, changes: readonly Change[]])[]>> = {
  attributeCollectionStart: [
    ['as Microsoft shows it', []],
    ['a user', [[`${context}.user`, member]]],
    ['no attributes', [['data.userSignUpInfo.attributes', {}]]],
    ['attributes null', [['data.userSignUpInfo.attributes', null]]],
    ['attributes absent', [['data.userSignUpInfo.attributes', undefined]]],
    ['identities null', [['data.userSignUpInfo.identities', null]]],
    ['no identities', [['data.userSignUpInfo.identities', []]]],
    ['an identity of another kind', [['data.userSignUpInfo.identities', [{ signInType: 'federated', issuer: 'mail.example' }]]]],
    ['an attribute without value', [[`${attributes}.city`, { attributeType: 'builtIn' }]]],
    ['an attribute whose value is null', [[`${attributes}.city`, { value: null }]]],
    [
      'an attribute of a new type',
      [[`${attributes}.city`, { '@odata.type': 'microsoft.graph.dateDirectoryAttributeValue', value: '2026-01-02' }]],
    ],
    ['unknown fields of an attribute', [[`${attributes}.city`, { value: 'Bern', label: { en: canary } }]]],
    ['an attribute named constructor', [[`${attributes}.constructor`, { value: 'x' }]]],
    [
      'fields of other events',
      [
        ['data.otpContext', null],
        ['data.encryptedPasswordContext', null],
      ],
    ],
  ],
  attributeCollectionSubmit: [
    ['as Microsoft shows it', []],
    ['a large number', [[`${attributes}.year`, { value: 9_007_199_254_740_991 }]]],
    ['a text of several choices', [[`${attributes}.clubs`, { value: 'Chess,Rowing' }]]],
    ['no user sign-up info', [['data.userSignUpInfo', null]]],
  ],
  emailOtpSend: [
    ['as Microsoft shows it', []],
    ['for a sign-in', [[`${context}.requestType`, 'SignIn']]],
    ['without request type', [[`${context}.requestType`, undefined]]],
    ['a code with letters', [['data.otpContext.oneTimeCode', 'A1-B2']]],
    ['an address in another script', [['data.otpContext.identifier', 'zoë@почта.example']]],
  ],
  passwordSubmit: [
    ['as Microsoft shows it', []],
    ['a resource', [[`${context}.resourceServicePrincipal`, { id: ids.principalId, appId: ids.applicationId }]]],
    ['a JWE of 8 KB', [['data.encryptedPasswordContext', `${'a'.repeat(8_192)}.b.c.d.e`]]],
    [
      'fields of other events absent',
      [
        ['data.userSignUpInfo', undefined],
        ['data.otpContext', undefined],
      ],
    ],
  ],
  verifiedIdClaimValidation: [
    ['as Microsoft shows it', []],
    [
      'as its shortest sample: without listener, extension and user id',
      [
        ['data.authenticationEventListenerId', undefined],
        ['data.customAuthenticationExtensionId', undefined],
        [context, { correlationId: ids.correlationId, user: { userPrincipalName: 'mira.lindt@fabrikam.example' } }],
      ],
    ],
    ['no identities', [['data.verifiedIdClaimsContext.identities', undefined]]],
    ['no further information', [['data.verifiedIdClaimsContext.additionalInfo', null]]],
    [
      'claims of every type',
      [['data.verifiedIdClaimsContext.claims', { documentId: 'X1', age: 36, resident: true, middleName: null }]],
    ],
  ],
};

const notText = [7, true, [canary], { canary }];
const each = (dotted: string, wrong: readonly unknown[], path = dotted): (readonly [string, Change, string])[] =>
  wrong.map((value) => [`${dotted}: ${JSON.stringify(value) ?? 'absent'}`, [dotted, value], path]);

const signUp = [
  ...each('data.userSignUpInfo', [canary, 7, [canary]]),
  ...each(attributes, [canary, 7, [{ canary }]]),
  ...each('data.userSignUpInfo.identities', [canary, 7, { canary }]),
];
const refused: Readonly<Record<Other, readonly (readonly [string, Change, string])[]>> = {
  attributeCollectionStart: signUp,
  attributeCollectionSubmit: signUp,
  emailOtpSend: [
    ...each('data.otpContext', [undefined, null, canary, [canary]]),
    ...each('data.otpContext.identifier', [undefined, null, '', ...notText]),
    ...each('data.otpContext.oneTimeCode', [undefined, null, '', ...notText]),
  ],
  passwordSubmit: each('data.encryptedPasswordContext', [undefined, null, '', ...notText]),
  verifiedIdClaimValidation: [
    ...each('data.verifiedIdClaimsContext', [undefined, null, canary, [canary]]),
    ...each('data.verifiedIdClaimsContext.claims', [canary, 7, [canary], { dateOfBirth: { canary } }, { dateOfBirth: [canary] }]),
    ...each('data.verifiedIdClaimsContext.additionalInfo', [canary, { employeeId: [canary] }]),
    ...each('data.authenticationEventListenerId', [canary, 7]),
    ...each(`${context}.user.id`, [canary, 7]),
  ],
};

const others = eventKinds.filter((kind) => kind !== 'tokenIssuanceStart');

describe.each(others)('%s', (kind) => {
  const post = async (body: string) => {
    host.handler.give = () => answers[kind];
    const before = host.handler.seen.length;
    const answered = await host.post(kind, body);
    return { ...answered, seen: host.handler.seen.slice(before) as readonly Json[] };
  };

  it.each(accepted[kind])('is accepted: %s', async (_name, changes) => {
    const body = wireEvents[kind]();
    for (const [dotted, value] of changes) withValue(body, dotted, value);
    const { status, text, seen } = await post(JSON.stringify(body));
    expect(status, text).toBe(200);
    expect(seen).toMatchObject([{ kind, tenantId: ids.tenantId, correlationId: ids.correlationId }]);
  });

  it.each([
    ...refused[kind],
    ...each('type', [undefined, canary, 'microsoft.graph.authenticationEvent.tokenIssuanceStart']),
    ...each('source', [undefined, null, '', 7]),
    ...each('data.@odata.type', [undefined, canary, 'microsoft.graph.onTokenIssuanceStartCalloutData']),
    ...each('data.tenantId', [undefined, null, canary, [ids.tenantId]]),
    ...each(`${context}.correlationId`, [undefined, null, canary]),
    ...each(`${context}.client`, [canary, [canary]]),
    ...each(context, [undefined, canary]),
  ])('is refused: %s', async (_name, [dotted, value], path) => {
    const { status, text, seen } = await post(JSON.stringify(withValue(wireEvents[kind](), dotted, value)));
    expect(status, text).toBe(400);
    expect(JSON.parse(text)).toMatchObject({ code: 'request.body' });
    expect(((JSON.parse(text) as Json)['errors'] as readonly Json[]).map((issue) => issue['path'])).toEqual([path]);
    expect(text).not.toContain(canary);
    expect(seen).toEqual([]);
  });

  it('is refused at the address of every other event', async () => {
    const body = JSON.stringify(wireEvents[kind]());
    for (const other of eventKinds.filter((candidate) => candidate !== kind)) {
      const { status, text } = await host.post(other, body);
      expect([other, status]).toEqual([other, 400]);
      expect(((JSON.parse(text) as Json)['errors'] as readonly Json[]).map((issue) => issue['path'])).toContain('type');
    }
  });

  it('meets the same gate: 401, 415 and 403 before any handler', async () => {
    const body = JSON.stringify(wireEvents[kind]());
    const before = host.handler.seen.length;
    const foreign = body.replaceAll(ids.tenantId, ids.userId);
    expect((await host.post(kind, body, { authorization: '' })).status).toBe(401);
    expect((await host.post(kind, body, { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await host.post(kind, foreign)).status).toBe(403);
    expect((await fetch(host.url + routes[kind])).status).toBe(404);
    expect(host.handler.seen.length).toBe(before);
  });
});

describe('what a handler is given', () => {
  const given = async (kind: EventKind, body: string): Promise<Json> => {
    host.handler.give = () => answers[kind];
    const { status, text } = await host.post(kind, body);
    expect(status, text).toBe(200);
    return host.handler.seen.at(-1) as Json;
  };

  it.each(['attributeCollectionStart', 'attributeCollectionSubmit'] as const)(
    '%s: attributes by name, both spellings of their type',
    async (kind) => {
      const { userSignUpInfo } = await given(kind, JSON.stringify(wireEvents[kind]()));
      const extension = `extension_${ids.applicationId.replaceAll('-', '')}`;
      const found = userSignUpInfo.attributes as ReadonlyMap<string, Json>;
      expect([...found.keys()]).toEqual(['givenName', `${extension}_clubs`, `${extension}_year`, `${extension}_newsletter`]);
      expect([...found.values()].map((attribute) => attribute['value'] as unknown)).toEqual([
        'Mira',
        'Chess,Rowing',
        2012,
        false,
      ]);
      expect([...found.values()].map((attribute) => attribute['odataType'] as unknown)).toEqual([
        'microsoft.graph.stringDirectoryAttributeValue',
        'microsoft.graph.stringDirectoryAttributeValue',
        'microsoft.graph.int64DirectoryAttributeValue',
        'microsoft.graph.booleanDirectoryAttributeValue',
      ]);
      expect(userSignUpInfo.identities).toEqual([
        { signInType: 'email', issuer: 'fabrikam.example', issuerAssignedId: 'mira.lindt@mail.example' },
      ]);
    },
  );

  it('emailOtpSend: address and code', async () => {
    const event = await given('emailOtpSend', JSON.stringify(wireEvents.emailOtpSend()));
    expect(event).toMatchObject({
      requestType: 'signUp',
      otpContext: { identifier: 'mira.lindt@mail.example', oneTimeCode: '73914620' },
    });
  });

  it('passwordSubmit: the JWE as it came', async () => {
    const wire = wireEvents.passwordSubmit();
    const event = await given('passwordSubmit', JSON.stringify(wire));
    expect(event['encryptedPasswordContext']).toBe(wire['data'].encryptedPasswordContext);
  });

  it('verifiedIdClaimValidation: claims by name, and the address of the client under either name', async () => {
    const event = await given('verifiedIdClaimValidation', JSON.stringify(wireEvents.verifiedIdClaimValidation()));
    const { claims, additionalInfo, identities } = event['verifiedIdClaimsContext'] as Json;
    expect(Object.fromEntries(claims as Map<string, unknown>)).toEqual({
      firstName: 'Mira',
      lastName: 'Lindt',
      dateOfBirth: '1990-02-03',
    });
    expect(Object.fromEntries(additionalInfo as Map<string, unknown>)).toEqual({ employeeId: '100482' });
    expect(identities).toEqual([{ issuer: 'fabrikam.example', issuerAssignedId: 'mira.lindt', signInType: 'userPrincipalName' }]);
    expect(event['client']).toMatchObject({ ip: '192.0.2.41' });
  });

  it('nothing that is null, nothing unknown, and no prototype of its own', async () => {
    const body = wireEvents.tokenIssuanceStart();
    withValue(body, `${context}.user`, { ...member, mail: null, favourite: canary });
    withValue(body, 'data.favourite', canary);
    const event = await given(
      'tokenIssuanceStart',
      JSON.stringify(body).replace('"user":{', '"user":{"__proto__":{"mail":"x"},'),
    );
    expect(event['user'].mail).toBeUndefined();
    expect(Object.keys(event['user'] as object).toSorted()).toEqual(
      Object.keys(member)
        .filter((name) => name !== 'mail')
        .toSorted(),
    );
    expect(JSON.stringify(event)).not.toContain(canary);
  });
});
