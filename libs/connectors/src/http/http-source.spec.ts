import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { selfSigned } from '#testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { composeSource } from '../wrappers/compose-source.js';
import { KnownSecrets, ask, composed, http, patient, proxy, server, values } from './http-source.harness.js';

const gold = { body: { v: 'gold' } };
const tenFailures = {
  limits: { operation: 10_000, connect: 300, concurrency: 5, queue: 5 },
  breaker: { failures: 10, retryAfter: 60_000 },
  cache: { entries: 1, bytes: 1_024 },
  lookups: {},
};
const silent = { fetched: () => undefined, answered: () => undefined, circuit: () => undefined };

describe('what is asked', () => {
  it('is what the lookup says, with the value encoded', async () => {
    const api = await server(() => gold);
    const source = http(`${api.url}/api/v2/`, {
      lookup: {
        request: {
          method: 'POST',
          path: '/people/{key}/tier',
          query: { fields: 'v' },
          headers: { 'X-Version': '2' },
          body: { upn: '{key}', list: [1] },
        },
      },
    });
    expect(await values(source, 'zoë "&?#')).toEqual(['gold']);
    expect(api.requests).toMatchObject([
      {
        method: 'POST',
        target: '/api/v2/people/zo%C3%AB%20%22%26%3F%23/tier?fields=v',
        body: '{"upn":"zoë \\"&?#","list":[1]}',
        headers: {
          'x-version': '2',
          'content-type': 'application/json',
          accept: 'application/json',
          'accept-encoding': 'identity',
        },
      },
    ]);
  });

  it('is nothing where no entry can match', async () => {
    const api = await server(() => gold);
    const source = http(api.url, { lookup: { request: { path: '/people/{key}' } } });
    for (const value of ['..', '../admin', 'a/b', '\0', '\ud800', '%2e%2e'])
      expect(await ask(source, value)).toEqual({ kind: 'notFound', reason: 'noEntry' });
    expect(api.requests).toEqual([]);
  });

  it('of an attribute that the lookup does not have is told to the operator once', async () => {
    const api = await server(() => gold);
    const source = http(api.url);
    for (let round = 0; round < 2; round++) await ask(source, 'adele', patient, ['v', 'tier']);
    expect(source.logged).toEqual([{ source: 'hr-api', lookup: 'it', attribute: 'tier' }]);
  });
});

describe('an answer', () => {
  it.each<[number, object]>([
    [404, { kind: 'notFound', reason: 'noEntry' }],
    [410, { kind: 'unavailable', reason: 'refused', detail: 'status 410' }],
    [400, { kind: 'unavailable', reason: 'refused', detail: 'status 400' }],
    [401, { kind: 'unavailable', reason: 'credentials', detail: 'status 401' }],
    [403, { kind: 'unavailable', reason: 'credentials', detail: 'status 403' }],
    [429, { kind: 'unavailable', reason: 'overloaded', detail: 'status 429' }],
    [503, { kind: 'unavailable', reason: 'overloaded', detail: 'status 503' }],
    [500, { kind: 'unavailable', reason: 'refused', detail: 'status 500' }],
    [502, { kind: 'unavailable', reason: 'connection', detail: 'status 502' }],
    [504, { kind: 'unavailable', reason: 'timeout', detail: 'status 504' }],
    [204, { kind: 'unavailable', reason: 'refused', detail: 'status 204' }],
    [206, { kind: 'unavailable', reason: 'refused', detail: 'status 206' }],
  ])('with status %i is told apart', async (status, outcome) => {
    const api = await server(() => ({ status, body: status === 204 ? '' : '{"v": "secret"}' }));
    expect(await ask(http(api.url))).toEqual(outcome);
  });

  it.each([
    [502, 'open', 'down', 20],
    [503, 'open', undefined, 10],
    [504, 'open', 'down', 10],
    [500, 'closed', undefined, 12],
  ])('with status %i, ten times in a row, leaves the circuit %s and the source %s', async (status, circuit, state, requests) => {
    const api = await server(() => ({ status, body: '' }));
    const { source, health } = composeSource(http(api.url), tenFailures, silent, 60_000);
    for (let round = 0; round < 12; round++) expect((await ask(source)).kind).toBe('unavailable');
    expect(health()).toMatchObject({ circuit, lastError: { code: expect.any(String) } });
    expect(health().state === 'down' ? 'down' : undefined).toBe(state);
    expect(api.requests).toHaveLength(requests);
    await source.close();
  });

  it.each(['{"v": {"a": 1}}', '{"v": "Zoë "Z""}', 'null', Buffer.from('{"v": "Zo\xeb"}', 'latin1')])(
    'that is wrong for one person, however often, leaves the others theirs: %s',
    async (odd) => {
      const api = await server(({ target }) => (target.endsWith('odd') ? { body: odd } : gold));
      const { source, health } = composeSource(http(api.url), tenFailures, silent, 60_000);
      for (let round = 0; round < 12; round++) expect(await ask(source, 'odd')).toMatchObject({ reason: 'refused' });
      expect(await values(source)).toEqual(['gold']);
      expect(health()).toMatchObject({ circuit: 'closed', state: 'up' });
      await source.close();
    },
  );

  it('with status 502 to a question that may not be sent again is timeout', async () => {
    const api = await server(() => ({ status: 502, body: '' }));
    const request = { method: 'POST', path: '/it', body: { key: '{key}' } };
    expect(await ask(composed(http(api.url, { lookup: { request } })))).toMatchObject({
      reason: 'timeout',
      detail: 'status 502',
    });
    expect(api.requests).toHaveLength(1);
    expect(await ask(composed(http(api.url, { lookup: { request: { ...request, idempotent: true } } })))).toMatchObject({
      reason: 'connection',
    });
    expect(api.requests).toHaveLength(3);
  });

  it('with a status that the operator lists is nobody', async () => {
    const api = await server(({ target }) => ({ status: target.endsWith('410') ? 410 : 404 }));
    const source = http(api.url, { lookup: { notFound: [410] } });
    expect(await ask(source, '410')).toEqual({ kind: 'notFound', reason: 'noEntry' });
    expect(await ask(source, '404')).toMatchObject({ kind: 'unavailable', reason: 'refused' });
  });

  it.each([301, 302, 303, 307, 308])('that leads elsewhere (%i) is refused, and not followed', async (status) => {
    const elsewhere = await server(() => gold);
    const api = await server(() => ({ status, headers: { location: `${elsewhere.url}/latest/meta-data/` } }));
    expect(await ask(http(api.url))).toEqual({ kind: 'unavailable', reason: 'refused', detail: `status ${status}` });
    expect(elsewhere.requests).toEqual([]);
  });

  it.each(['told', 'untold'])('that is too large is not read, its length %s', async (length) => {
    let sent = 0;
    const pieces = async function* (): AsyncGenerator<string> {
      for (; sent < 100_000_000; sent += 65_536) yield 'x'.repeat(65_536);
    };
    const headers: Record<string, string> = length === 'told' ? { 'content-length': '100007936' } : {};
    const api = await server(() => ({ headers, body: pieces() }));
    const source = http(api.url, { maximumBytes: 4_096 });
    expect(await ask(source)).toEqual({ kind: 'unavailable', reason: 'limit', detail: 'the answer is too large' });
    expect(sent).toBeLessThan(50_000_000);
    api.respond(() => ({ body: { v: 'x'.repeat(4_096 - '{"v":""}'.length) } }));
    expect(await values(source)).toEqual(['x'.repeat(4_088)]);
    api.respond(() => ({ body: { v: 'x'.repeat(4_097 - '{"v":""}'.length) } }));
    expect(await ask(source)).toMatchObject({ reason: 'limit' });
  });

  it('in another form is malformed, and refused where it says that it is JSON', async () => {
    const api = await server(() => ({ headers: { 'content-type': 'text/html' }, body: '<p>secret</p>' }));
    const source = http(api.url);
    expect(await ask(source)).toEqual({ kind: 'unavailable', reason: 'malformed', detail: 'not application/json' });
    api.respond(() => ({ headers: { 'content-encoding': 'gzip' }, body: Buffer.from('1f8b0800', 'hex') }));
    expect(await ask(source)).toMatchObject({ reason: 'refused' });
  });
});

describe('an answer that nobody wants', () => {
  it('and that never ends does not keep its connection', async () => {
    const endless = async function* (): AsyncGenerator<string> {
      yield '{';
      await new Promise((resolve) => setTimeout(resolve, 60_000).unref());
    };
    const api = await server(() => ({ status: 500, body: endless() }));
    const source = http(api.url, { limits: { connect: '300ms', concurrency: 2 } });
    const impatient = (): AbortSignal => AbortSignal.timeout(5_000);
    for (let round = 0; round < 2; round++)
      expect(await ask(source, 'adele', impatient())).toMatchObject({ detail: 'status 500' });
    api.respond(() => gold);
    expect(await ask(source, 'adele', impatient())).toMatchObject({ kind: 'found' });
  });
});

describe('a lost connection', () => {
  it.each<[string, object, number]>([
    ['a GET is sent once more', { query: { key: '{key}' } }, 2],
    ['a POST is not', { method: 'POST', body: '{key}' }, 1],
    ['a POST that may be repeated is', { method: 'POST', body: '{key}', idempotent: true }, 2],
  ])('is made good by the wrappers: %s', async (_, request, most) => {
    let cuts = 1;
    const api = await server(() => (cuts-- > 0 ? 'cut' : gold));
    const source = composed(http(api.url, { lookup: { request } }));
    const gone = { kind: 'unavailable', reason: most === 1 ? 'timeout' : 'connection' };
    const lookedUp = await ask(source);
    expect([lookedUp.kind, api.requests.length]).toEqual([most === 1 ? 'unavailable' : 'found', most]);
    cuts = 9;
    expect(await ask(source)).toMatchObject(gone);
    expect(api.requests).toHaveLength(2 * most);
  });

  it('does not make a probe fail', async () => {
    let cuts = 1;
    const api = await server(() => (cuts-- > 0 ? 'cut' : gold));
    expect(await http(api.url).probe(patient)).toEqual({ kind: 'up' });
  });
});

describe('a request that nobody waits for', () => {
  it('is ended at the server, and its neighbours are not', async () => {
    let ended = 0;
    const open = async function* (): AsyncGenerator<string> {
      try {
        for (;;) {
          yield ' ';
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      } finally {
        ended += 1;
      }
    };
    const api = await server(({ target }) => (target.endsWith('slow') ? { body: open() } : gold));
    const source = http(api.url);
    const abort = new AbortController();
    const slow = ask(source, 'slow', abort.signal);
    await vi.waitFor(() => expect(api.requests).toHaveLength(1), { timeout: 15_000 });
    expect(await values(source)).toEqual(['gold']);
    abort.abort();
    expect(await slow).toEqual({ kind: 'unavailable', reason: 'timeout' });
    await vi.waitFor(() => expect(ended).toBe(1), { timeout: 15_000 });
    expect(await values(source)).toEqual(['gold']);
  });
});

describe('TLS', () => {
  it('trusts the authorities that are named only, and the name that is meant', async () => {
    const api = await server(() => gold, { tls: true });
    const secrets = new KnownSecrets({ 'file:ca.pem': api.certificate });
    expect(await ask(http(api.url))).toMatchObject({ reason: 'connection', detail: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    expect(await values(http(api.url, { secrets, tls: { ca: 'file:ca.pem' } }))).toEqual(['gold']);
    expect(await ask(http(api.url, { secrets, tls: { ca: 'file:ca.pem', servername: 'hr.corp.example' } }))).toMatchObject({
      reason: 'connection',
      detail: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    expect(await ask(http(api.url, { secrets, tls: { ca: 'file:none.pem' } }))).toMatchObject({
      reason: 'credentials',
      detail: 'a file of tls cannot be read',
    });
  });

  it('shows the service’s own certificate, and a new one without a restart', async () => {
    const [own, other] = [await selfSigned(), await selfSigned()];
    const api = await server(() => gold, { tls: true, clientAuthority: own.cert });
    const secrets = new KnownSecrets({ 'file:ca.pem': api.certificate, 'file:own.pem': other.cert, 'file:own.key': other.key });
    const source = http(api.url, {
      secrets,
      tls: { ca: 'file:ca.pem', certificate: 'file:own.pem', key: 'file:own.key' },
    });
    expect(await ask(source)).toMatchObject({ kind: 'unavailable', reason: 'connection' });
    expect(api.requests).toEqual([]);
    Object.assign(secrets.known, { 'file:own.pem': own.cert, 'file:own.key': own.key });
    expect(await values(source)).toEqual(['gold']);
    expect(api.requests).toMatchObject([{ clientAuthorized: true }]);
  });
});

describe('a connection that does not come about', () => {
  class Watched extends KnownSecrets {
    readonly limit = Promise.withResolvers<'too late'>();
    /** Read when a connection is opened, and then a longer time than its own begins. */
    override read(reference: string): Promise<string> {
      setTimeout(async () => {
        // The process may have been late for both: then they are due together.
        for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
        this.limit.resolve('too late');
      }, 400);
      return super.read(reference);
    }
  }

  it('is given up at limits.connect, and no later', async () => {
    const ended = Promise.withResolvers<void>();
    const hanging = createServer((socket) =>
      socket
        .on('error', () => undefined)
        .on('close', ended.resolve)
        .resume(),
    );
    hanging.listen(0, '127.0.0.1');
    onTestFinished(() => void hanging.close());
    await once(hanging, 'listening');
    const { port } = hanging.address() as AddressInfo;
    const secrets = new Watched({ 'file:ca.pem': (await selfSigned()).cert });
    const source = http(`https://127.0.0.1:${port}`, { secrets, tls: { ca: 'file:ca.pem' }, limits: { connect: '300ms' } });
    expect(await Promise.race([ask(source), secrets.limit.promise])).toEqual({
      kind: 'unavailable',
      reason: 'connection',
      detail: 'UND_ERR_CONNECT_TIMEOUT',
    });
    await ended.promise;
  });
});

describe('an address that is not meant', () => {
  it.each([
    'http://127.0.0.1:PORT',
    'http://localhost:PORT',
    'http://2130706433:PORT',
    'http://0x7f000001:PORT',
    'http://0177.0.0.1:PORT',
    'http://127.1:PORT',
    'http://0:PORT',
    'http://[::1]:PORT',
    'http://[::ffff:127.0.0.1]:PORT',
    'http://[::ffff:7f00:1]:PORT',
    'http://169.254.169.254/latest/meta-data',
    'http://[fd00:ec2::254]/latest/meta-data',
  ])('is not connected to: %s', async (url) => {
    const api = await server(() => gold);
    const source = http(url.replace('PORT', String(api.port)), { allowAddresses: [], privateAddresses: true });
    const refused = { reason: 'connection', detail: 'the address is refused by privateAddresses and allowAddresses' };
    expect(await ask(source)).toEqual({ kind: 'unavailable', ...refused });
    expect(await source.probe(patient)).toEqual({ kind: 'down', ...refused });
    expect(api.requests).toEqual([]);
  });

  it('is connected to where it is listed, by its name too', async () => {
    const api = await server(() => gold);
    expect(await values(http(`http://localhost:${api.port}`))).toEqual(['gold']);
  });
});

describe('probe', () => {
  it('by a path wants success, with the credentials', async () => {
    const api = await server(({ headers }) => ({ status: headers['x-api-key'] === 'key' ? 204 : 401, body: '' }));
    const secrets = new KnownSecrets({ 'env:KEY': 'key' });
    const source = http(api.url, { secrets, auth: { type: 'apiKey', key: 'env:KEY' }, probe: { path: '/health' } });
    expect(await source.probe(patient)).toEqual({ kind: 'up' });
    expect(api.requests).toMatchObject([{ method: 'GET', target: '/health' }]);
    api.respond(() => ({ status: 404 }));
    expect(await source.probe(patient)).toEqual({ kind: 'down', reason: 'refused', detail: 'status 404' });
    for (const [status, reason] of [
      [500, 'malformed'],
      [502, 'connection'],
      [504, 'timeout'],
    ] as const) {
      api.respond(() => ({ status }));
      expect(await source.probe(patient)).toEqual({ kind: 'down', reason, detail: `status ${status}` });
    }
  });

  it('without one wants any answer, and says nothing of the credentials, which it does not send', async () => {
    const api = await server(() => ({ status: 401 }));
    const secrets = new KnownSecrets({ 'env:KEY': 'key' });
    const source = http(api.url, { secrets, auth: { type: 'apiKey', key: 'env:KEY' } });
    expect(await source.probe(patient)).toEqual({ kind: 'up' });
    expect(api.requests[0]).toMatchObject({
      method: 'HEAD',
      target: '/',
      headers: expect.not.objectContaining({ 'x-api-key': 'key' }),
    });
    api.respond(() => ({ status: 503 }));
    expect(await source.probe(patient)).toEqual({ kind: 'down', reason: 'overloaded', detail: 'status 503' });
  });

  it('of a system that is not there says so', async () => {
    const api = await server(() => gold);
    const network = await proxy(api);
    network.refuse();
    expect(await http(`http://127.0.0.1:${network.port}`).probe(patient)).toMatchObject({ kind: 'down', reason: 'connection' });
  });
});

/** Each is the key of exactly one entry: itself. */
const hostile = [
  "' or '1'='1",
  '"; drop table people; --',
  '{"$ne": null}',
  '","admin":true,"x":"',
  '\\u0000',
  '*',
  '%',
  '%00',
  '%2e%2e%2f',
  '../admin',
  '..;/admin',
  '?admin=true',
  '&admin=true',
  '#admin',
  'a\r\nX-Admin: true',
  '{key}',
  '${jndi:ldap://x}',
  'admin\u200b',
  'аdmin',
  'ａｄｍｉｎ',
  '\u212Aelvin',
  'ADMIN',
  ' admin',
  'admin ',
  'e\u0301',
  '\u00e9',
  '\u202eadmin',
  '𝄞',
];

describe('hostile values', () => {
  const keys = new Set(hostile);

  it.each([
    ['in the query', { query: { key: '{key}' } }],
    ['in a literal of OData', { query: { $filter: 'key eq {key:odata}' } }],
    ['in a SCIM filter', { query: { filter: 'key eq {key:json}' } }],
    ['in the path', { path: '/people/{key}' }],
    ['in the body', { method: 'POST', body: { question: { key: '{key}' } } }],
  ])('find exactly their own entry or nothing: %s', async (_, request) => {
    const api = await server(({ target, body }) => {
      const url = new URL(target, 'http://hr.example');
      const odata = url.searchParams.get('$filter')?.replace(/^key eq '(.*)'$/s, '$1');
      const scim = url.searchParams.get('filter')?.slice('key eq '.length);
      const asked = url.pathname.startsWith('/people/')
        ? decodeURIComponent(url.pathname.slice('/people/'.length))
        : body
          ? (JSON.parse(body) as { question: { key: string } }).question.key
          : (odata?.replaceAll("''", "'") ?? (scim === undefined ? url.searchParams.get('key')! : (JSON.parse(scim) as string)));
      return keys.has(asked) && Object.keys(JSON.parse(body || '{}') as object).length <= 1
        ? { body: { v: asked } }
        : asked === 'admin'
          ? { body: { v: 'ADMIN' } }
          : { status: 404 };
    });
    const source = http(api.url, { lookup: { request } });
    for (const value of hostile) {
      const found = await values(source, value);
      const impossible = 'path' in request && /[/\\%\r\n]/.test(value);
      expect(found).toEqual(impossible ? { kind: 'notFound', reason: 'noEntry' } : [value]);
    }
    for (const { headers } of api.requests) expect(headers).not.toHaveProperty('x-admin');
  });
});
