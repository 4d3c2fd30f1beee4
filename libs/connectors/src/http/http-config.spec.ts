import { configurationIssues } from '#claims';
import { describe, expect, it } from 'vitest';
import { httpConfig } from './http-config.js';

const request = { path: '/employees/{id}' };
const lookup = { parameters: ['id'], request, attributes: { costCenter: '/organisation/costCentre' } };
const document = {
  type: 'http',
  tenants: ['contoso'],
  url: 'https://hr.corp.example/api/v2/',
  lookups: { employee: lookup },
};

/** `path: reason` of everything that is refused. */
function refusals(changes: object): readonly string[] {
  const parsed = httpConfig.safeParse({ ...document, ...changes });
  return parsed.success ? [] : configurationIssues(parsed.error).map(({ path, reason }) => `${path.join('.')}: ${reason}`);
}

const withLookup = (changes: object): object => ({ lookups: { employee: { ...lookup, ...changes } } });
const withRequest = (changes: object): object => withLookup({ request: { ...request, ...changes } });
const locate = (rule: object): object => withLookup({ parameters: undefined, request: undefined, locate: [rule] });
const clientCredentials = {
  type: 'clientCredentials',
  tokenUrl: 'https://login.example/token',
  clientId: 'claimbridge',
  clientSecret: 'env:HR_SECRET',
};

describe('httpConfig', () => {
  it('fills in what is not said: the narrower choice', () => {
    const config = httpConfig.parse(document);
    expect(config).toMatchObject({
      url: 'https://hr.corp.example/api/v2',
      auth: { type: 'none' },
      privateAddresses: false,
      allowAddresses: [],
      allowClearText: false,
      maximumBytes: 262_144,
    });
    expect(config.lookups['employee']).toMatchObject({ parameters: ['id'], locate: [], notFound: new Set([404]) });
    expect(config.lookups['employee']!.requests).toMatchObject([{ method: 'GET', idempotent: true }]);
  });

  it('takes a request for each locate rule', () => {
    const config = httpConfig.parse({
      ...document,
      ...locate({ key: 'onPremisesUserPrincipalName', request: { query: { upn: '{value}' } } }),
    });
    expect(config.lookups['employee']).toMatchObject({
      parameters: [],
      locate: [{ key: 'onPremisesUserPrincipalName', when: {}, fallThrough: false }],
      requests: [{ method: 'GET' }],
    });
  });

  it('sends a POST again only where it may', () => {
    const idempotent = (changes: object): boolean =>
      httpConfig.parse({ ...document, ...withRequest({ path: '/search', method: 'POST', body: { id: '{id}' }, ...changes }) })
        .lookups['employee']!.requests[0]!.idempotent;
    expect([idempotent({}), idempotent({ idempotent: true })]).toEqual([false, true]);
  });

  it.each<[object, string]>([
    [{ extra: 1 }, 'extra: is not a known key'],
    [{ url: 'http://hr.corp.example' }, 'url: is not encrypted'],
    [{ url: 'hr.corp.example' }, 'url: must be https://'],
    [{ auth: { ...clientCredentials, tokenUrl: 'token' } }, 'auth.tokenUrl: must be https://'],
    [{ url: 'ftp://hr.corp.example' }, 'url: must be https://'],
    [{ url: 'https://user:hunter2@hr.corp.example' }, 'url: must be https://'],
    [{ url: 'https://hr.corp.example?key=hunter2' }, 'url: must be https://'],
    ...[' http://hr', 'h\tttp://hr', 'https://hr/api ', 'https://hr/\n', 'https://hr?', 'https://hr#'].map(
      (url): [object, string] => [{ url, allowClearText: true }, 'url: must be https://'],
    ),
    [{ auth: { ...clientCredentials, tokenUrl: '\thttp://login.example/token' } }, 'auth.tokenUrl: must be https://'],
    [{ allowAddresses: ['127.0.0.1'] }, 'allowAddresses.0: must be a network'],
    [{ tls: { certificate: 'file:a.pem' } }, 'tls.key: needs both'],
    [{ tls: { ca: '/etc/ca.pem' } }, 'tls.ca: must be file:PATH'],
    [{ auth: { type: 'digest' } }, 'auth.type:'],
    [{ auth: { type: 'bearer', token: 'hunter2' } }, 'auth.token: must be env:NAME or file:PATH'],
    [{ auth: { type: 'apiKey', key: 'env:KEY', header: 'Host' } }, 'auth.header: is a header that the connector sets'],
    [{ auth: { type: 'apiKey', key: 'env:KEY', header: 'a b' } }, 'auth.header: must be the name of a header'],
    [{ auth: { type: 'basic', user: 'a:b', password: 'env:PASSWORD' } }, 'auth.user: must not have a colon'],
    [{ auth: { ...clientCredentials, tokenUrl: 'http://login.example/token' } }, 'auth.tokenUrl: is not encrypted'],
    [{ auth: { ...clientCredentials, tokenParameters: { client_secret: 'x' } } }, 'auth.tokenParameters: must not have'],
    [{ probe: { path: '/{id}' } }, 'probe.path: must not have placeholders'],
    [{ probe: { path: '/a/../b' } }, 'probe.path: must not have the segments'],
    [withRequest({ path: '/employees/{nmae}' }), 'lookups.employee.request: must use exactly the parameters {id}'],
    [withRequest({ path: '/employees' }), 'lookups.employee.request: must use exactly the parameters {id}'],
    [withRequest({ path: '/employees/e{id}' }), 'lookups.employee.request.path: has {id} within other text'],
    [withRequest({ query: { a: 'x{id}' } }), 'lookups.employee.request.query.a: has {id} within other text'],
    [withRequest({ headers: { Authorization: 'x' } }), 'is a header that the connector sets itself'],
    [withRequest({ headers: { 'X-A': 'a\r\nb' } }), 'lookups.employee.request.headers.X-A: must be printable ASCII'],
    [withRequest({ body: {} }), 'lookups.employee.request.body: needs method: POST'],
    [withRequest({ method: 'POST' }), 'lookups.employee.request.body: is missing'],
    [withRequest({ method: 'DELETE' }), 'lookups.employee.request.method:'],
    [withLookup({ parameters: ['id', 'id'] }), 'lookups.employee.parameters: names a parameter twice'],
    [withLookup({ parameters: undefined }), 'lookups.employee.locate: is missing'],
    [withLookup({ locate: [{ key: 'id', request }] }), 'lookups.employee.locate.0.request: must have the placeholder {value}'],
    [withLookup({ attributes: { a: 'organisation' } }), 'lookups.employee.attributes.a: must be a JSON Pointer'],
    [withLookup({ attributes: { a: '/a', A: '/b' } }), 'lookups.employee.attributes: names an attribute twice'],
    [withLookup({ notFound: [401] }), 'lookups.employee.notFound.0: must be 204 or a status'],
    [withLookup({ notFound: [302] }), 'lookups.employee.notFound.0: must be 204 or a status'],
    [locate({ key: 'mail', request: { query: { q: '{value}' } } }), 'lookups.employee.locate.0.key: mail can be set'],
  ])('refuses %j', (changes, reason) => {
    expect(refusals(changes)).toContainEqual(expect.stringContaining(reason));
  });
});
