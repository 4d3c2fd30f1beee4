import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTokenIssuanceStart } from './auth-events.js';

const guid = (digit: number): string => `ABCDEF00-0000-0000-0000-${String(digit).padStart(12, '0')}`;

const envelope = () => ({
  type: 'microsoft.graph.authenticationEvent.tokenIssuanceStart',
  source: `/tenants/${guid(1)}/applications/${guid(2)}`,
  data: {
    '@odata.type': 'microsoft.graph.onTokenIssuanceStartCalloutData',
    tenantId: guid(1),
    authenticationEventListenerId: guid(3),
    customAuthenticationExtensionId: guid(4),
    authenticationContext: {
      correlationId: guid(5),
      client: { ip: '192.0.2.1', locale: 'en-us', market: 'en-us' },
      protocol: 'OAUTH2.0',
      clientServicePrincipal: { id: guid(6), appId: guid(2), appDisplayName: 'App', displayName: 'App' },
      resourceServicePrincipal: { id: guid(6), appId: guid(2), appDisplayName: 'App', displayName: 'App' },
      user: {
        id: guid(7),
        userPrincipalName: 'ada@corp.example',
        userType: 'Member',
        displayName: 'Ada',
        mail: 'ada@corp.example',
      },
    },
  },
});

type Envelope = ReturnType<typeof envelope>;

/** An envelope with one change; undefined takes the property away. */
function changed(path: string, value: unknown): Envelope {
  const body = envelope();
  const steps = path.split(' ');
  const last = steps.pop()!;
  let at = body as unknown as Record<string, unknown>;
  for (const step of steps) at = at[step] as Record<string, unknown>;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return body;
}

const parse = (body: unknown) => parseTokenIssuanceStart(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
const context = 'data authenticationContext';

describe('parseTokenIssuanceStart', () => {
  it('gives a typed event with ids in lower case', () => {
    const parsed = parse(envelope());
    if (parsed.kind !== 'event') expect.unreachable();
    expect(parsed.event).toEqual({
      kind: 'tokenIssuanceStart',
      source: envelope().source,
      tenantId: guid(1).toLowerCase(),
      listenerId: guid(3).toLowerCase(),
      extensionId: guid(4).toLowerCase(),
      correlationId: guid(5).toLowerCase(),
      client: { ip: '192.0.2.1', locale: 'en-us', market: 'en-us' },
      protocol: 'OAUTH2.0',
      clientServicePrincipal: {
        id: guid(6).toLowerCase(),
        appId: guid(2).toLowerCase(),
        appDisplayName: 'App',
        displayName: 'App',
      },
      resourceServicePrincipal: {
        id: guid(6).toLowerCase(),
        appId: guid(2).toLowerCase(),
        appDisplayName: 'App',
        displayName: 'App',
      },
      user: {
        id: guid(7).toLowerCase(),
        userPrincipalName: 'ada@corp.example',
        userType: 'Member',
        displayName: 'Ada',
        mail: 'ada@corp.example',
      },
    });
  });

  it.each<[string, string, unknown]>([
    ['the type in other letters', 'type', 'MICROSOFT.GRAPH.authenticationevent.TokenIssuanceStart'],
    ['a service that signs in', `${context} user`, undefined],
    ['a user that is null', `${context} user`, null],
    ['a resource that is null', `${context} resourceServicePrincipal`, null],
    ['no client application', `${context} clientServicePrincipal`, undefined],
    ['an unknown protocol', `${context} protocol`, 'OAUTH2'],
    ['no protocol', `${context} protocol`, null],
    ['an address that is none', `${context} client ip`, '321.456.789.255'],
    ['no client at all', `${context} client`, undefined],
    ['a social account without a user principal name', `${context} user userPrincipalName`, undefined],
    ['null properties of a user', `${context} user mail`, null],
    ['unknown properties', `${context} sessionId`, { deep: [1, 2] }],
    ['unknown properties of a user', `${context} user shoeSize`, 44],
    ['a date without a zone', `${context} user createdDateTime`, '2022-07-15T00:00:00'],
  ])('accepts %s', (_name, path, value) => {
    expect(parse(changed(path, value)).kind).toBe('event');
  });

  it('treats null and absent alike, and drops what it does not know', () => {
    const parsed = parse(changed(`${context} user`, { id: guid(7), mail: null, shoeSize: 44 }));
    expect(parsed.kind === 'event' && parsed.event.user).toEqual({ id: guid(7).toLowerCase() });
  });

  it.each<[string, string, unknown, string]>([
    ['another event', 'type', 'microsoft.graph.authenticationEvent.emailOtpSend', 'type'],
    ['no type', 'type', undefined, 'type'],
    ['no source', 'source', undefined, 'source'],
    ['an empty source', 'source', '', 'source'],
    ['no data', 'data', undefined, 'data'],
    ['data that is a list', 'data', [], 'data'],
    ['data that is text', 'data', 'text', 'data'],
    ['no @odata.type', 'data @odata.type', undefined, 'data.@odata.type'],
    ['another @odata.type', 'data @odata.type', 'microsoft.graph.onOtpSendCalloutData', 'data.@odata.type'],
    ['no tenant', 'data tenantId', undefined, 'data.tenantId'],
    ['a tenant that is no GUID', 'data tenantId', 'contoso', 'data.tenantId'],
    ['a GUID with more behind it', 'data tenantId', `${guid(1)}\n`, 'data.tenantId'],
    ['no listener', 'data authenticationEventListenerId', undefined, 'data.authenticationEventListenerId'],
    ['no extension', 'data customAuthenticationExtensionId', null, 'data.customAuthenticationExtensionId'],
    ['no context', context, undefined, 'data.authenticationContext'],
    ['no correlation id', `${context} correlationId`, undefined, 'data.authenticationContext.correlationId'],
    ['a user without id', `${context} user id`, undefined, 'data.authenticationContext.user.id'],
    ['a user that is a list', `${context} user`, [], 'data.authenticationContext.user'],
    ['a user that is text', `${context} user`, 'ada', 'data.authenticationContext.user'],
    ['a mail that is a number', `${context} user mail`, 1, 'data.authenticationContext.user.mail'],
    ['a mail that is a list', `${context} user mail`, ['a'], 'data.authenticationContext.user.mail'],
    [
      'an application without appId',
      `${context} clientServicePrincipal appId`,
      undefined,
      'data.authenticationContext.clientServicePrincipal.appId',
    ],
    ['a client that is text', `${context} client`, 'x', 'data.authenticationContext.client'],
  ])('refuses %s, naming the path and no value', (_name, path, value, expected) => {
    const parsed = parse(changed(path, value));
    expect(parsed.kind === 'refused' && parsed.issues.map((issue) => issue.path)).toContain(expected);
    if (typeof value === 'string' && value.length > 3) expect(JSON.stringify(parsed)).not.toContain(value);
  });

  it.each([
    ['', 'empty'],
    ['{', 'not JSON'],
    ['<event/>', 'not JSON'],
    ['[]', 'an object'],
    ['null', 'an object'],
    ['"text"', 'an object'],
    ['1', 'an object'],
  ])('refuses the body %j', (body, reason) => {
    const parsed = parse(body);
    expect(parsed.kind === 'refused' && parsed.issues[0]?.reason).toContain(reason);
  });

  it('refuses bytes that are not UTF-8', () => {
    const [before, after] = JSON.stringify(envelope()).split('"Ada"');
    const named = (...name: readonly number[]): Uint8Array =>
      Buffer.concat([Buffer.from(`${before}"`), Buffer.from(name), Buffer.from(`"${after}`)]);
    expect(parseTokenIssuanceStart(named(0xc3, 0xa9)).kind).toBe('event');
    expect(parseTokenIssuanceStart(named(0xff))).toEqual({
      kind: 'refused',
      issues: [{ path: '', reason: 'the body is not JSON' }],
    });
  });

  it('survives every JSON value, and hostile keys change nothing', () => {
    fc.assert(fc.property(fc.json(), (text) => parse(text).kind === 'refused'));
    const body = JSON.stringify(envelope()).replace(
      '"source"',
      '"__proto__":{"kind":"x"},"constructor":{"prototype":{"a":1}},"source"',
    );
    expect(parse(body)).toEqual(parse(envelope()));
    expect(({} as { a?: unknown }).a).toBeUndefined();
    expect(parse('['.repeat(30_000) + ']'.repeat(30_000)).kind).toBe('refused');
    expect(parse(`{"data":${'{"data":'.repeat(7_000)}1${'}'.repeat(7_000)}}`).kind).toBe('refused');
  });
});
