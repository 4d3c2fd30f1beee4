import { describe, expect, expectTypeOf, it } from 'vitest';
import { changed, guid, wireEvents } from '../test/wire-events.js';
import { authEventKinds, parseAuthEvent, type AuthEvent, type AuthEventKind } from './auth-events.js';

const parse = <Kind extends AuthEventKind>(kind: Kind, body: unknown) =>
  parseAuthEvent(kind, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), { recheck: 1 });

function eventOf<Kind extends AuthEventKind>(kind: Kind, body: unknown): AuthEvent<Kind> {
  const parsed = parse(kind, body);
  if (parsed.kind === 'refused') expect.unreachable(JSON.stringify(parsed.issues));
  return (parsed as { event: AuthEvent<Kind> }).event;
}

const pathsOf = (kind: AuthEventKind, body: unknown): readonly string[] => {
  const parsed = parse(kind, body);
  return parsed.kind === 'refused' ? parsed.issues.map(({ path }) => path) : [];
};

const application = {
  id: guid(6).toLowerCase(),
  appId: guid(2).toLowerCase(),
  appDisplayName: 'Billing',
  displayName: 'Billing',
};

const envelope = {
  source: `/tenants/${guid(1)}/applications/${guid(2)}`,
  tenantId: guid(1).toLowerCase(),
  listenerId: guid(3).toLowerCase(),
  extensionId: guid(4).toLowerCase(),
  correlationId: guid(5).toLowerCase(),
  client: { ip: '192.0.2.1', locale: 'en-us', market: 'en-us' },
  protocol: 'OAUTH2.0',
  requestType: 'SignIn',
  clientServicePrincipal: application,
  resourceServicePrincipal: application,
};

const user = { ...wireEvents.tokenIssuanceStart().data.authenticationContext.user, id: guid(7).toLowerCase() };
const identities = [{ signInType: 'emailAddress', issuer: 'contoso.example', issuerAssignedId: 'ada@mail.example' }];

const userSignUpInfo = {
  attributes: new Map(
    Object.entries({
      city: { odataType: 'microsoft.graph.stringDirectoryAttributeValue', value: 'Zürich', attributeType: 'builtIn' },
      extension_0a_graduationYear: {
        odataType: 'microsoft.graph.int64DirectoryAttributeValue',
        value: 2010,
        attributeType: 'directorySchemaExtension',
      },
      extension_0a_onMailingList: {
        odataType: 'microsoft.graph.booleanDirectoryAttributeValue',
        value: false,
        attributeType: 'directorySchemaExtension',
      },
    }),
  ),
  identities,
};

const events: { readonly [Kind in AuthEventKind]: AuthEvent<Kind> } = {
  tokenIssuanceStart: { kind: 'tokenIssuanceStart', ...envelope, user },
  attributeCollectionStart: { kind: 'attributeCollectionStart', ...envelope, userSignUpInfo },
  attributeCollectionSubmit: { kind: 'attributeCollectionSubmit', ...envelope, userSignUpInfo },
  emailOtpSend: {
    kind: 'emailOtpSend',
    ...envelope,
    otpContext: { identifier: 'ada@mail.example', oneTimeCode: '12345678' },
  },
  passwordSubmit: {
    kind: 'passwordSubmit',
    ...envelope,
    user,
    encryptedPasswordContext: 'eyJhbGciOi.k.iv.text.tag',
  },
  verifiedIdClaimValidation: {
    kind: 'verifiedIdClaimValidation',
    ...envelope,
    user,
    verifiedIdClaimsContext: {
      identities,
      additionalInfo: new Map([['employeeId', 'E001']]),
      claims: new Map<string, string | number | boolean>([
        ['dateOfBirth', '1990-01-15'],
        ['verified', true],
        ['level', 2],
      ]),
    },
  },
};

describe('parseAuthEvent', () => {
  it.each(authEventKinds)('gives a typed %s', (kind) => {
    expect(eventOf(kind, wireEvents[kind]())).toStrictEqual(events[kind]);
  });

  it.each(authEventKinds)('refuses every other event where %s is due', (kind) => {
    const others = authEventKinds.filter((other) => other !== kind);
    const paths = others.map((other) => pathsOf(kind, wireEvents[other]()));
    expect(paths.every((failed) => failed.includes('type'))).toBe(true);
  });

  it.each(authEventKinds)('takes the type of a %s in other letters, and its callout type only as it is', (kind) => {
    const body = wireEvents[kind]();
    expect(parse(kind, { ...body, type: body.type.toLowerCase() }).kind).toBe('event');
    expect(pathsOf(kind, changed(body, 'data @odata.type', body.data['@odata.type'].toLowerCase()))).toEqual([
      'data.@odata.type',
    ]);
  });

  it("understands Microsoft's other spellings", () => {
    const ip = changed(wireEvents.tokenIssuanceStart(), 'data authenticationContext client', { clientIp: '::1' });
    expect(eventOf('tokenIssuanceStart', ip).client).toStrictEqual({ ip: '::1' });
    const code = changed(wireEvents.emailOtpSend(), 'data otpContext', { identifier: 'a@b.example', onetimecode: '1' });
    expect(eventOf('emailOtpSend', code).otpContext).toStrictEqual({ identifier: 'a@b.example', oneTimeCode: '1' });
  });

  it('takes sign-up information, and its parts, that are absent or null as empty', () => {
    const empty = { attributes: new Map(), identities: [] };
    for (const given of [undefined, null, {}, { attributes: null, identities: null }]) {
      const body = changed(wireEvents.attributeCollectionStart(), 'data userSignUpInfo', given);
      expect(eventOf('attributeCollectionStart', body).userSignUpInfo).toStrictEqual(empty);
    }
  });

  it('keeps attributes of any name', () => {
    const city = { value: 'x' };
    const body = changed(wireEvents.attributeCollectionSubmit(), 'data userSignUpInfo', {
      attributes: { toString: city, size: city, get: city, '1': city },
    });
    const { attributes } = eventOf('attributeCollectionSubmit', body).userSignUpInfo;
    expect([...attributes.keys()].toSorted()).toEqual(['1', 'get', 'size', 'toString']);
  });

  it('takes a Verified ID callout without listener, extension and user id', () => {
    const { data, ...rest } = wireEvents.verifiedIdClaimValidation();
    const event = eventOf('verifiedIdClaimValidation', {
      ...rest,
      data: {
        '@odata.type': data['@odata.type'],
        tenantId: data.tenantId,
        authenticationContext: { correlationId: guid(5), user: { userPrincipalName: 'ada@contoso.example' } },
        verifiedIdClaimsContext: { claims: { dateOfBirth: '1990-01-15' } },
      },
    });
    expect([event.listenerId, event.extensionId]).toEqual([undefined, undefined]);
    expect(event.user).toStrictEqual({ userPrincipalName: 'ada@contoso.example' });
  });

  it.each<[AuthEventKind, string, unknown, string]>([
    ['emailOtpSend', 'otpContext', undefined, 'data.otpContext'],
    ['emailOtpSend', 'otpContext oneTimeCode', undefined, 'data.otpContext.oneTimeCode'],
    ['emailOtpSend', 'otpContext oneTimeCode', 12_345_678, 'data.otpContext.oneTimeCode'],
    ['emailOtpSend', 'otpContext identifier', '', 'data.otpContext.identifier'],
    ['passwordSubmit', 'encryptedPasswordContext', null, 'data.encryptedPasswordContext'],
    ['passwordSubmit', 'encryptedPasswordContext', { jwe: 'x' }, 'data.encryptedPasswordContext'],
    ['attributeCollectionSubmit', 'userSignUpInfo', [], 'data.userSignUpInfo'],
    ['attributeCollectionSubmit', 'userSignUpInfo attributes', [], 'data.userSignUpInfo.attributes'],
    ['attributeCollectionSubmit', 'userSignUpInfo attributes city', 'x', 'data.userSignUpInfo.attributes'],
    ['attributeCollectionSubmit', 'userSignUpInfo attributes city value', ['x'], 'data.userSignUpInfo.attributes.*.value'],
    ['attributeCollectionSubmit', 'userSignUpInfo identities', {}, 'data.userSignUpInfo.identities'],
    ['attributeCollectionSubmit', 'userSignUpInfo identities 0', null, 'data.userSignUpInfo.identities'],
    ['attributeCollectionSubmit', 'userSignUpInfo identities 0 issuer', 1, 'data.userSignUpInfo.identities.0.issuer'],
    ['verifiedIdClaimValidation', 'verifiedIdClaimsContext', null, 'data.verifiedIdClaimsContext'],
    ['verifiedIdClaimValidation', 'verifiedIdClaimsContext claims dateOfBirth', {}, 'data.verifiedIdClaimsContext.claims'],
  ])('refuses %s with %s: %j', (kind, path, value, expected) => {
    expect(pathsOf(kind, changed(wireEvents[kind](), `data ${path}`, value))).toEqual([expected]);
  });

  it('refuses a number that is too large for one', () => {
    const body = JSON.stringify(wireEvents.attributeCollectionSubmit()).replace('2010', '1e400');
    expect(pathsOf('attributeCollectionSubmit', body)).toEqual(['data.userSignUpInfo.attributes.*.value']);
  });

  it('repeats neither the names nor the values of a record', () => {
    const body = changed(wireEvents.verifiedIdClaimValidation(), 'data verifiedIdClaimsContext claims', { secret: ['secret'] });
    expect(JSON.stringify(parse('verifiedIdClaimValidation', body))).not.toContain('secret');
  });

  it.each([
    ['data', 'data'],
    ['data tenantId', 'data.tenantId'],
    ['data authenticationContext user mail', 'data.authenticationContext.user.mail'],
    ['data authenticationContext user', 'data.authenticationContext.user'],
  ])('refuses %s where it is nested as deep as 64 KB allow, or looks like a class', (path, expected) => {
    for (const hostile of [
      '['.repeat(30_000) + ']'.repeat(30_000),
      '{"a":'.repeat(9_000) + '0' + '}'.repeat(9_000),
      '{"constructor":{"prototype":1}}',
      '[{"constructor":{}}]',
    ]) {
      const body = JSON.stringify(changed(wireEvents.tokenIssuanceStart(), path, 'HERE')).replace('"HERE"', hostile);
      expect(pathsOf('tokenIssuanceStart', body)[0]).toContain(expected);
    }
  });

  it('drops what it does not know, however deep, and keeps the prototype of all objects as it is', () => {
    const body = wireEvents.tokenIssuanceStart();
    const text = JSON.stringify(body).replace(
      '"source"',
      `"unknown":${'['.repeat(30_000)}${']'.repeat(30_000)},"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"source"`,
    );
    expect(eventOf('tokenIssuanceStart', text)).toStrictEqual(events.tokenIssuanceStart);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('takes the last of two members of one name', () => {
    const text = JSON.stringify(wireEvents.tokenIssuanceStart()).replace('"source"', '"source":"first","source"');
    expect(eventOf('tokenIssuanceStart', text).source).toBe(envelope.source);
  });

  it('takes UTF-8 with a byte order mark, and escaped halves of surrogate pairs; refuses UTF-16', () => {
    const text = JSON.stringify(
      changed(wireEvents.tokenIssuanceStart(), 'data authenticationContext user displayName', '\ud800'),
    );
    expect(eventOf('tokenIssuanceStart', `\ufeff${text}`).user?.displayName).toBe('\ud800');
    expect(parseAuthEvent('tokenIssuanceStart', Buffer.from(text, 'utf16le')).kind).toBe('refused');
    expect(parseAuthEvent('tokenIssuanceStart', Buffer.from(`\ufeff${text}`, 'utf16le')).kind).toBe('refused');
  });

  it('is typed: kind tells one event from another', () => {
    const event = events.emailOtpSend as AuthEvent;
    if (event.kind === 'emailOtpSend') expectTypeOf(event.otpContext.oneTimeCode).toEqualTypeOf<string>();
    // @ts-expect-error only emailOtpSend has a code
    expect(event.otpContext).toBeDefined();
    expectTypeOf<AuthEvent['kind']>().toEqualTypeOf<AuthEventKind>();
  });
});
