import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applications } from '../e2e/event.js';
import { startAdminStack, type AdminStack } from './admin-stack.js';

let stack: AdminStack;
beforeAll(async () => {
  stack = await startAdminStack();
});
afterAll(() => stack[Symbol.asyncDispose]());

const mappings = '/admin/v1/mappings';
const document = { tenant: 'contoso', name: 'input', applications: [applications.cafeteria], claims: { a: { value: 'b' } } };

describe('what is not as it must be', () => {
  it.each<[string, string, string, unknown, (string | number)[]]>([
    ['an unknown query parameter', 'GET', `${mappings}?stat=draft`, undefined, ['stat']],
    ['one where there is none', 'GET', '/admin/v1/caches?x=1', undefined, ['x']],
    ['a query key of JavaScript’s own', 'GET', `${mappings}?__proto__=1`, undefined, ['__proto__']],
    ['a page that is too long', 'GET', `${mappings}?limit=100000`, undefined, ['limit']],
    ['a parameter twice', 'GET', `${mappings}?name=a&name=b`, undefined, ['name']],
    ['a time that is none', 'GET', '/admin/v1/audit?from=yesterday', undefined, ['from']],
    ['a name with a path', 'GET', `${mappings}/contoso/..%2f..%2fetc%2fpasswd`, undefined, ['name']],
    ['a name with NUL', 'GET', `${mappings}/contoso/a%00b`, undefined, ['name']],
    ['a tenant with a path', 'GET', `${mappings}/contoso%2f..%2f/x`, undefined, ['tenant']],
    ['a revision that is no number', 'GET', `${mappings}/contoso/x/revisions/1e9x`, undefined, ['number']],
    ['a source with a host', 'POST', '/admin/v1/sources/ldap:%2f%2fevil/test', undefined, ['source']],
    [
      'a member that is not known',
      'POST',
      '/admin/v1/caches/erase',
      { tenant: 'contoso', identifiers: ['x'], all: true },
      ['all'],
    ],
    [
      'identifiers that are empty',
      'POST',
      '/admin/v1/caches/erase',
      { tenant: 'contoso', identifiers: [''] },
      ['identifiers', 0],
    ],
    [
      'a key of JavaScript’s own',
      'POST',
      mappings,
      '{"tenant":"contoso","name":"x","claims":{"__proto__":{"value":"x"}}}',
      ['claims', '__proto__'],
    ],
    ['no document', 'POST', mappings, '[]', []],
    ['a document without a name', 'POST', mappings, { tenant: 'contoso' }, ['name']],
    ['JSON that is none', 'POST', mappings, '{"tenant":', []],
    [
      'a host to preview with',
      'POST',
      '/admin/v1/preview',
      { tenant: 'contoso', application: applications.cafeteria, person: { id: 'x' }, url: 'ldap://evil' },
      ['url'],
    ],
    ['a preview of nobody', 'POST', '/admin/v1/preview', { tenant: 'contoso', application: applications.cafeteria }, ['person']],
    [
      'a preview for a tenant that there is not',
      'POST',
      '/admin/v1/preview',
      { tenant: 'constructor', application: applications.cafeteria, person: { id: 'x' } },
      ['tenant'],
    ],
    [
      'a preview of another tenant’s document',
      'POST',
      '/admin/v1/preview',
      {
        tenant: 'contoso',
        application: applications.cafeteria,
        person: { id: 'x' },
        mapping: { document: { ...document, tenant: 'fabrikam' } },
      },
      ['mapping', 'document', 'tenant'],
    ],
  ])('%s is refused, by its path', async (_name, method, route, body, expected) => {
    const { status, json, headers } = await stack.ask(method, route, body === undefined ? {} : { body });
    expect(status).toBe(400);
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect(json).toMatchObject({
      code: expect.stringMatching(/^request\./),
      remedy: expect.any(String),
      correlationId: expect.any(String),
    });
    expect(json.errors).toContainEqual(expect.objectContaining({ path: expected, reason: expect.any(String) }));
  });

  it('the address decides on tenant and name of a draft, not the body', async () => {
    const { headers } = await stack.ask('POST', mappings, { body: document });
    const moved = await stack.ask('PUT', `${mappings}/contoso/input/draft`, {
      body: { ...document, tenant: 'fabrikam', name: 'billing-portal' },
      headers: { 'if-match': headers.get('etag')! },
    });
    expect(moved.json).toMatchObject({ status: 400, errors: [{ path: ['tenant'] }, { path: ['name'] }] });
    const wrapped = await stack.ask('PUT', `${mappings}/contoso/input/draft`, {
      body: { ...document, version: 99, published: { number: 1 }, author: 'me' },
      headers: { 'if-match': headers.get('etag')! },
    });
    expect(wrapped.json).toMatchObject({ version: 2, draft: { author: { name: 'Ada Admin' } } });
    expect(wrapped.json.published).toBeUndefined();
  });

  it('other content types, too much, and too much without saying so, are refused', async () => {
    const xml = await stack.ask('POST', mappings, { body: '<mapping/>', headers: { 'content-type': 'application/xml' } });
    expect(xml.json).toMatchObject({ status: 415, code: 'request.contentType', remedy: expect.any(String) });
    const latin = await stack.ask('POST', mappings, {
      body: '{}',
      headers: { 'content-type': 'application/json; charset=latin1' },
    });
    expect(latin.status).toBe(415);
    const long = await stack.ask('POST', mappings, { body: JSON.stringify({ ...document, x: 'x'.repeat(300_000) }) });
    expect(long.json).toMatchObject({ status: 413, code: 'request.tooLarge' });
    const bomb = `a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b]\n`;
    const aliases = await stack.ask('POST', mappings, { body: bomb, headers: { 'content-type': 'application/yaml' } });
    expect(aliases.json).toMatchObject({ status: 400, code: 'request.body' });
    const deep = await stack.ask('POST', mappings, { body: `${'{"a":'.repeat(200)}1${'}'.repeat(200)}` });
    expect(deep.json).toMatchObject({ status: 400, errors: [{ reason: 'is nested too deeply' }] });
  });

  it('YAML is read aside, for a moment, and short; JSON to its depth', async () => {
    const yaml = { 'content-type': 'application/yaml' };
    // The parser would be at it for minutes, and everybody else would wait.
    const hard = stack.ask('POST', `${mappings}/validate`, { body: '? '.repeat(3_000), headers: yaml });
    const health = stack.ask('GET', '/admin/v1/caches');
    expect((await Promise.race([hard, health])).status).toBe(200);
    expect((await hard).json).toMatchObject({ status: 400, errors: [{ path: [], remedy: expect.stringContaining('JSON') }] });
    const long = await stack.ask('POST', `${mappings}/validate`, { body: `a: ${'x'.repeat(33_000)}`, headers: yaml });
    expect(long.json).toMatchObject({ status: 413, code: 'request.tooLarge', remedy: expect.stringContaining('JSON') });
    const wrong = await stack.ask('POST', `${mappings}/validate`, { body: 'a: b\nc: [', headers: yaml });
    expect(wrong.json).toMatchObject({ status: 400, errors: [{ path: [], reason: expect.stringContaining('line') }] });
    const many = await stack.ask('POST', `${mappings}/import`, { body: 'format: x', headers: yaml });
    expect(many.json).toMatchObject({ status: 415, code: 'request.contentType' });
    const bracketed = await stack.ask('POST', `${mappings}/validate`, { body: { ...document, x: `\\"${'['.repeat(100)}` } });
    expect(bracketed.status).toBe(200);
  });

  it('an import is 2 MB at most, of documents of 256 KB at most', async () => {
    const format = 'claimbridge-mappings/1';
    const long = { format, documents: [{ ...document, x: 'x'.repeat(2_100_000) }] };
    expect((await stack.ask('POST', `${mappings}/import`, { body: long })).json).toMatchObject({
      status: 413,
      code: 'request.tooLarge',
    });
    const one = { format, documents: [{ ...document, x: 'x'.repeat(300_000) }] };
    expect((await stack.ask('POST', `${mappings}/import?dryRun=true`, { body: one })).json).toMatchObject({
      items: [{ result: 'refused', issues: [{ path: [], reason: expect.stringContaining('larger') }] }],
    });
  });

  it('takes nothing in of a body whose sender is not known', async () => {
    const { hostname, port } = new URL(stack.managementUrl);
    const socket = connect(Number(port), hostname);
    const answered = new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())));
    socket.on('error', () => undefined);
    socket.write(
      `POST /admin/v1/mappings/import HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 16000000\r\n\r\n{`,
    );
    expect(await answered).toMatch(/^HTTP\/1\.1 401 /);
    socket.destroy();
  });
});

describe('every answer', () => {
  it('stays out of caches, frames and other origins', async () => {
    for (const origin of ['', 'https://evil.example']) {
      const answer = await stack.ask('GET', mappings, origin === '' ? {} : { headers: { origin } });
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    }
    const preflight = await stack.ask('OPTIONS', mappings, {
      token: '',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(404);
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('is refused without a bearer token, whatever cookie comes along', async () => {
    expect((await stack.ask('POST', mappings, { token: '', body: document, headers: { cookie: 'session=1' } })).status).toBe(401);
  });
});
