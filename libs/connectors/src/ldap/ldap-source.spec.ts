import { Secrets, type Outcome, type Source } from '#claims';
import { startDirectory, startTcpProxy, type DirectoryOptions, type RunningDirectory, type TcpProxy } from '#testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { LdapConnector } from './ldap-connector.js';

const guid = '00112233-4455-6677-8899-aabbccddeeff';
const sid = 'S-1-5-21-1004336348-1177238915-682003330-1101';

const ldif = `dn: dc=corp,dc=example
objectClass: domain
dc: corp

dn: cn=service,dc=corp,dc=example
objectClass: user
cn: service
userPassword: right

dn: cn=Adele,dc=corp,dc=example
objectClass: user
cn: Adele
userPrincipalName: adele@corp.example
department: Finance
objectGUID:: MyIRAFVEd2aImaq7zN3u/w==
objectSid:: AQUAAAAAAAUVAAAA3PTcO4M9K0aCi6YoTQQAAA==
employeeNumber: 0042
description:: /wD+

dn: cn=Ben,dc=corp,dc=example
objectClass: user
cn: Ben
userPrincipalName: ben@corp.example
department: Finance

dn: cn=Everybody,dc=corp,dc=example
objectClass: group
cn: Everybody
member: cn=Adele,dc=corp,dc=example
member: cn=Ben,dc=corp,dc=example
member: cn=service,dc=corp,dc=example
`;

const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const each of cleanUp.splice(0).toReversed()) await each();
});

async function directory(options: Partial<DirectoryOptions> = {}): Promise<RunningDirectory> {
  const running = await startDirectory({ ldif, ...options });
  cleanUp.push(() => running.stop());
  return running;
}

async function proxy(target: { readonly port: number }): Promise<TcpProxy> {
  const running = await startTcpProxy({ host: '127.0.0.1', port: target.port });
  cleanUp.push(() => running.stop());
  return running;
}

/** A secret that can be changed while the source is in use. */
class Password extends Secrets {
  constructor(public text: string) {
    super();
  }
  override read(): Promise<string> {
    return Promise.resolve(this.text);
  }
}

interface Logged {
  readonly fields: object;
  readonly message: string;
}

function ldap(
  ports: readonly number[],
  options: object = {},
  secrets: Secrets = new Password('right'),
): Source & { logged: Logged[] } {
  const connector = new LdapConnector();
  const base = 'dc=corp,dc=example';
  const config = connector.config.parse({
    type: 'ldap',
    tenants: ['contoso'],
    urls: ports.map((port) => `ldap://127.0.0.1:${port}`),
    allowClearText: true,
    bind: { dn: 'cn=service,dc=corp,dc=example', password: 'env:PASSWORD' },
    limits: { connect: '300ms', operation: '100ms' },
    lookups: {
      user: { base, parameters: ['upn'], filter: '(userPrincipalName={upn})', binaryAttributes: ['EMPLOYEENUMBER'] },
      member: { base, parameters: ['name'], filter: '(cn={name})' },
      'by-sid': {
        base,
        locate: [{ key: 'onPremisesSecurityIdentifier', filter: '(&(objectClass=user)(objectSid={value:sid}))' }],
      },
      'by-guid': { base, parameters: ['guid'], filter: '(objectGUID={guid:guid})' },
      elsewhere: { base: 'dc=other,dc=example', parameters: ['upn'], filter: '(userPrincipalName={upn})' },
    },
    ...options,
  });
  const logged: Logged[] = [];
  const note = (fields: object, message: string): void => void logged.push({ fields, message });
  const source = connector.create('corp-ad', config, { secrets, log: { warn: note, error: note } });
  cleanUp.push(() => source.close());
  return Object.assign(source, { logged });
}

const patient = new AbortController().signal;

function find(
  source: Source,
  lookup: string,
  parameters: Record<string, string>,
  projection: string[] = [],
  signal = patient,
): Promise<Outcome> {
  return source.fetch({ lookup, parameters: new Map(Object.entries(parameters)), projection }, signal);
}

const adele = { upn: 'adele@corp.example' };

/** Moves the clock that hold times are measured with. */
function later(milliseconds: number): void {
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + milliseconds);
}

describe('values', () => {
  it('are bytes where the attribute is binary or not text, ignoring the case of names', async () => {
    const source = ldap([(await directory()).port]);
    const outcome = await find(source, 'user', adele, ['OBJECTGUID', 'objectsid', 'employeenumber', 'description', 'cn']);
    if (outcome.kind !== 'found') throw new Error(outcome.kind);
    const bytes = (name: string): unknown =>
      outcome.attributes.get(name).map((value) => value instanceof Uint8Array && Buffer.from(value).toString('hex'));
    expect(bytes('objectGUID')).toEqual(['33221100554477668899aabbccddeeff']);
    expect(bytes('objectSid')).toEqual(['010500000000000515000000dcf4dc3b833d2b46828ba6284d040000']);
    expect(bytes('employeeNumber')).toEqual([Buffer.from('0042').toString('hex')]);
    expect(bytes('description')).toEqual(['ff00fe']);
    expect(outcome.attributes.get('cn')).toEqual(['Adele']);
  });

  it('of identifiers find their entry, and what is no identifier finds nobody without a question', async () => {
    const running = await directory();
    const source = ldap([running.port]);
    const locate = (value: string): Promise<Outcome> =>
      source.fetch({ lookup: 'by-sid', locateRule: 0, parameters: new Map([['value', value]]), projection: ['cn'] }, patient);
    expect(await locate(sid)).toMatchObject({ kind: 'found' });
    expect(await find(source, 'by-guid', { guid }, ['cn'])).toMatchObject({ kind: 'found' });
    const before = running.searches;
    expect(await locate('adele')).toEqual({ kind: 'notFound', reason: 'noEntry' });
    expect(running.searches).toBe(before);
  });

  it('that the directory sends in part only are not passed on as if they were all', async () => {
    const source = ldap([(await directory({ valueRange: 2 })).port]);
    expect(await find(source, 'member', { name: 'Everybody' }, ['member'])).toMatchObject({
      kind: 'unavailable',
      reason: 'limit',
    });
    expect(await find(source, 'member', { name: 'Everybody' }, ['cn'])).toMatchObject({ kind: 'found' });
  });

  it('are never taken from an answer that the directory cut short', async () => {
    const source = ldap([(await directory({ sizeLimit: 1 })).port], {
      lookups: { user: { base: 'dc=corp,dc=example', parameters: ['d'], filter: '(department={d})' } },
    });
    expect(await find(source, 'user', { d: 'Finance' }, ['cn'])).toEqual({ kind: 'ambiguous' });
  });
});

describe('a wrong configuration', () => {
  it('is told from a person who is not there', async () => {
    const source = ldap([(await directory()).port]);
    expect(await find(source, 'elsewhere', adele)).toEqual({
      kind: 'unavailable',
      reason: 'refused',
      detail: 'noSuchObject (32)',
    });
  });

  it('of the secret is found before anything is sent', async () => {
    const running = await directory();
    expect(await find(ldap([running.port], {}, new Password('')), 'user', adele)).toMatchObject({
      reason: 'credentials',
      detail: 'env:PASSWORD: is empty',
    });
    class Missing extends Secrets {
      override read(): Promise<string> {
        return Promise.reject(new Error('env:PASSWORD: the variable is not set'));
      }
    }
    expect(await find(ldap([running.port], {}, new Missing()), 'user', adele)).toMatchObject({
      reason: 'credentials',
      detail: 'env:PASSWORD: the variable is not set',
    });
    expect(running.accepted).toBe(0);
  });
});

describe('refused credentials', () => {
  it('are offered once to the whole directory, until they change', async () => {
    const [first, second] = [await directory(), await directory()];
    const password = new Password('wrong');
    const source = ldap([first.port, second.port], {}, password);
    const outcomes = await Promise.all(Array.from({ length: 30 }, () => find(source, 'user', adele)));
    outcomes.push(await find(source, 'user', adele));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ kind: 'unavailable', reason: 'credentials' });
    expect(await source.probe(patient)).toMatchObject({ kind: 'down', reason: 'credentials' });
    later(290_000);
    await find(source, 'user', adele);
    expect([first.accepted, second.accepted]).toEqual([1, 0]);
    expect(source.logged).toHaveLength(1);
    expect(JSON.stringify(source.logged)).toMatch(/invalidCredentials \(49\), data 52e/);
    expect(JSON.stringify(source.logged)).not.toContain('wrong');

    password.text = 'right';
    await vi.waitFor(async () => expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' }));
  });

  it('are offered again after five minutes', async () => {
    const running = await directory();
    const source = ldap([running.port], {}, new Password('wrong'));
    await find(source, 'user', adele);
    later(300_000);
    expect(await find(source, 'user', adele)).toMatchObject({ reason: 'credentials' });
    expect(running.accepted).toBe(2);
  });
});

describe('connections', () => {
  it('are two, however many searches come at once', async () => {
    const running = await directory();
    const source = ldap([running.port]);
    for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: 50 }, () => find(source, 'user', adele)));
    expect(running.accepted).toBe(2);
  });

  it('that end while idle or at work cost no search', async () => {
    let drop = (): void => undefined;
    const running = await directory({ onSearch: () => drop() });
    const source = ldap([running.port]);
    await find(source, 'user', adele);
    await find(source, 'user', adele);
    running.dropConnections();
    for (const outcome of await Promise.all(Array.from({ length: 20 }, () => find(source, 'user', adele))))
      expect(outcome).toMatchObject({ kind: 'found' });
    drop = () => {
      drop = () => undefined;
      running.dropConnections();
    };
    for (const outcome of await Promise.all(Array.from({ length: 20 }, () => find(source, 'user', adele))))
      expect(outcome).toMatchObject({ kind: 'found' });
  });

  it('lose one slow search alone, which the directory is told to abandon', async () => {
    const slow = Promise.withResolvers<void>();
    let searches = 0;
    const running = await directory({ onSearch: () => (++searches === 1 ? slow.promise : undefined) });
    const source = ldap([running.port]);
    const abort = new AbortController();
    const hanging = find(source, 'user', adele, [], abort.signal);
    await vi.waitFor(() => expect(searches).toBe(1));
    const others = await Promise.all(Array.from({ length: 50 }, () => find(source, 'user', adele)));
    abort.abort();
    expect(await hanging).toEqual({ kind: 'unavailable', reason: 'timeout' });
    for (const outcome of others) expect(outcome).toMatchObject({ kind: 'found' });
    expect((await find(source, 'user', adele)).kind).toBe('found');
    await vi.waitFor(() => expect(running.abandons).toBe(1));
    expect(running.accepted).toBe(2);
    slow.resolve();
  });

  it('on which nothing comes any more are given up, and another server is used', async () => {
    const [preferred, other] = [await directory(), await directory()];
    const faulty = await proxy(preferred);
    const source = ldap([faulty.port, other.port]);
    await find(source, 'user', adele);
    expect(other.accepted).toBe(0);
    faulty.blackHole();
    await vi.waitFor(
      async () => expect(await find(source, 'user', adele, [], AbortSignal.timeout(30))).toMatchObject({ kind: 'found' }),
      { timeout: 10_000 },
    );
    expect(other.searches).toBeGreaterThan(0);
  });

  it('go to the next server where one is down, and back to the preferred one', async () => {
    const [preferred, other] = [await directory(), await directory()];
    const faulty = await proxy(preferred);
    const source = ldap([faulty.port, other.port]);
    await faulty.refuse();
    for (let round = 0; round < 3; round++) expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' });
    await vi.waitFor(() => expect(other.connections).toBe(2));
    expect(preferred.accepted).toBe(0);

    await faulty.restore();
    later(6_000);
    await vi.waitFor(async () => {
      expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' });
      expect([preferred.connections, other.connections]).toEqual([2, 0]);
    });
    const before = other.searches;
    await find(source, 'user', adele);
    expect(other.searches).toBe(before);
  });

  it('are opened within the connect limit, though a server accepts and says nothing', async () => {
    const silent = await directory();
    silent.pause();
    const source = ldap([silent.port, (await directory()).port], { limits: { connect: '50ms' } });
    expect(await find(source, 'user', adele)).toMatchObject({ kind: 'found' });
  });
});
