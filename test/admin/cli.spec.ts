import { readFile, readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { claimbridge, folderOf, type Called } from '../../apps/cli/src/cli.harness.js';
import { freePort } from '#testing';
import { adele, applications, eventFor, eventText } from '../e2e/event.js';
import type { Document } from '../e2e/stack.js';
import { roles, seededMappings, startAdminStack, type AdminStack } from './admin-stack.js';

const unusedPort = await freePort();
const unusedApplication = '3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9aff';

let stack: AdminStack;
let token: string;
let seeded: readonly Document[];

beforeAll(async () => {
  stack = await startAdminStack({
    configure: ({ sources }) => {
      sources.leavers = { type: 'static', tenants: ['contoso'], records: [{ upn: 'nina.roth@corp.example' }], lookups: {} };
    },
  });
  token = await stack.mint(roles, { name: 'Ada Admin' });
  seeded = await seededMappings();
});
afterAll(() => stack[Symbol.asyncDispose]());

beforeEach(async () => {
  for (const document of seeded) await stack.publish(document, 'as seeded');
  // The service reads what is in force a moment later.
  while ((await signIn())['department'] !== 'Finance') await new Promise((resolve) => setTimeout(resolve, 20));
});

const call = (words: readonly string[], granted = token): Promise<Called> =>
  claimbridge(words, { CLAIMBRIDGE_URL: stack.managementUrl, CLAIMBRIDGE_TOKEN: granted, CLAIMBRIDGE_TENANT: 'contoso' });

const named = (name: string): Document => structuredClone(seeded.find((document) => document['name'] === name)!);

/** The seeded mappings as files, with another department for the portal. */
async function changedFiles(): Promise<string> {
  const portal = named('billing-portal');
  portal['claims'].department = { value: 'Treasury' };
  return folderOf({ 'portal.yaml': portal, 'hr.yaml': named('legacy-hr'), 'api.yaml': named('billing-api') });
}

async function signIn(): Promise<Document> {
  const { json } = await stack.post(eventText(applications.billingPortal));
  return json.data.actions[0].claims as Document;
}

/** Saves a draft with this department, as somebody else does; answers the mapping's version. */
async function draft(department: string): Promise<number> {
  const route = '/admin/v1/mappings/contoso/billing-portal';
  const document = named('billing-portal');
  document['claims'].department = { value: department };
  const headers = { 'if-match': (await stack.ask('GET', route)).headers.get('etag')! };
  return (await stack.ask('PUT', `${route}/draft`, { body: document, headers })).json.version as number;
}

describe('plan', () => {
  it('asks for no right to change anything', async () => {
    const { code, out } = await call(['plan', await changedFiles()], await stack.mint(['Claims.Read']));
    expect([code, out]).toEqual([0, expect.stringContaining('~ contoso/billing-portal: changed')]);
  });

  it('says by meaning what apply would change, and changes nothing', async () => {
    const folder = await changedFiles();
    const { code, out } = await call(['plan', folder]);
    expect(code).toBe(0);
    expect(out).toContain('~ contoso/billing-portal: changed');
    expect(out).toContain('~ claim department');
    expect(out).toContain('= contoso/legacy-hr: unchanged');
    expect(await signIn()).toMatchObject({ department: 'Finance' });
  });

  it('--check ends with 1 where something would change, and with 0 where nothing would', async () => {
    expect((await call(['plan', await changedFiles(), '--check'])).code).toBe(1);
    const same = await folderOf(Object.fromEntries(seeded.map((document) => [`${document['name']}.yaml`, document])));
    expect((await call(['plan', same, '--check'])).code).toBe(0);
  });

  it('--prune names what is in no file', async () => {
    const { out } = await call(['plan', await folderOf({ 'hr.yaml': named('legacy-hr') }), '--prune']);
    expect(out).toContain('- contoso/billing-portal: deleted');
  });
});

describe('apply', () => {
  it('publishes what differs, leaves the rest, and the next sign-in has it', async () => {
    const folder = await changedFiles();
    const { code, out, err } = await call(['apply', folder, '--comment', 'treasury moves']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/✓ contoso\/billing-portal: published as revision \d+/);
    expect(out).toContain('✓ contoso/legacy-hr: unchanged');
    await expect.poll(signIn).toMatchObject({ department: 'Treasury' });
    expect((await stack.ask('GET', '/admin/v1/mappings/contoso/billing-portal')).json.published.comment).toBe('treasury moves');
    expect((await call(['plan', folder, '--check'])).code).toBe(0);
  });

  it('stops at a mapping that is refused, says why, and leaves it as it was', async () => {
    const portal = named('billing-portal');
    portal['claims'].department = { from: 'nobody.department' };
    const { code, err } = await call(['apply', await folderOf({ 'portal.yaml': portal })]);
    expect(code).toBe(1);
    expect(err).toContain('claims.department.from: there is no lookup nobody in this mapping');
    expect(await signIn()).toMatchObject({ department: 'Finance' });
    expect((await stack.ask('GET', '/admin/v1/mappings/contoso/billing-portal')).json.draft).toBeUndefined();
    expect((await call(['apply', await changedFiles()])).code).toBe(0);
  });

  it('changes only what it has looked at: what somebody publishes meanwhile stays', async () => {
    const folder = await changedFiles();
    const theirs = named('billing-portal');
    theirs['claims'].department = { value: 'theirs' };
    const meanwhile = await claimbridgeThrough(
      async (method) => {
        if (method === 'PUT') await stack.publish(theirs, 'meanwhile');
      },
      ['apply', folder],
    );
    expect([meanwhile.code, meanwhile.err]).toEqual([4, expect.stringContaining('412 mapping.changed')]);
    await expect.poll(signIn).toMatchObject({ department: 'theirs' });
  });

  it('with --json is one document, of what was done before it stopped and why it did', async () => {
    const refused = { ...named('legacy-hr'), claims: { broken: { from: 'nobody.mail' } }, tests: [] };
    const portal = named('billing-portal');
    portal['claims'].department = { value: 'Treasury' };
    const folder = await folderOf({ 'a-portal.yaml': portal, 'z-hr.yaml': refused });
    const { code, json } = await call(['apply', folder, '--json']);
    expect(code).toBe(1);
    expect(json).toEqual({
      applied: [{ tenant: 'contoso', name: 'billing-portal', result: 'published', number: expect.any(Number) }],
      error: {
        message: expect.stringContaining('there is no lookup nobody in this mapping'),
        remedy: expect.any(String),
        exitCode: 1,
      },
    });
  });

  it('does not overwrite a draft that somebody is working on', async () => {
    const route = '/admin/v1/mappings/contoso/billing-portal';
    await draft('theirs');
    const { code, out } = await call(['apply', await changedFiles()]);
    expect(code).toBe(4);
    expect(out).toContain('✗ contoso/billing-portal: conflict');
    expect((await stack.ask('GET', `${route}/draft`)).json.document.claims.department).toEqual({ value: 'theirs' });
    await discardDraft('billing-portal');
  });

  it('--draft-only saves drafts and publishes nothing; publish then does', async () => {
    expect((await call(['apply', await changedFiles(), '--draft-only'])).code).toBe(0);
    expect(await signIn()).toMatchObject({ department: 'Finance' });
    expect((await call(['diff', 'billing-portal'])).out).toContain('~ claim department');
    const { code, out } = await call(['publish', 'billing-portal', '--comment', 'now']);
    expect([code, out]).toEqual([0, expect.stringMatching(/^✓ contoso\/billing-portal: revision \d+ is in force/)]);
    await expect.poll(signIn).toMatchObject({ department: 'Treasury' });
  });

  it('publishes a claim set before the mapping that includes it', async () => {
    const set = { claimSet: 'everybody', tenant: 'contoso', claims: { company: { value: 'Contoso' } } };
    const portal = { ...named('billing-portal'), include: ['everybody'] };
    const folder = await folderOf({ 'a-portal.yaml': portal, 'z-set.yaml': set });
    const { code, out, err } = await call(['apply', folder]);
    expect([code, err]).toEqual([0, '']);
    expect(out.indexOf('contoso/everybody')).toBeLessThan(out.indexOf('contoso/billing-portal'));
    await expect.poll(signIn).toMatchObject({ company: 'Contoso' });
    expect((await call(['plan', folder, '--check'])).code).toBe(0);
  });

  it('--prune deletes what is in no file', async () => {
    const files = await folderOf({ 'portal.yaml': named('billing-portal'), 'hr.yaml': named('legacy-hr') });
    // The set sorts before the mapping that includes it, and goes after it.
    const set = { claimSet: 'a-set', tenant: 'contoso', claims: { company: { value: 'Contoso' } } };
    const including = {
      ...named('billing-api'),
      name: 'including',
      applications: [unusedApplication],
      include: ['a-set'],
      tests: [],
    };
    expect((await call(['apply', await folderOf({ 'set.yaml': set, 'including.yaml': including })])).code).toBe(0);
    const { code, out, err } = await call(['apply', files, '--prune']);
    expect([code, err]).toEqual([0, '']);
    for (const name of ['billing-api', 'a-set', 'including']) expect(out).toContain(`✓ contoso/${name}: deleted`);
    expect((await call(['plan', files, '--prune', '--check'])).code).toBe(0);
    await stack.ask('POST', '/admin/v1/mappings/contoso/billing-api/restore', {
      headers: { 'if-match': (await stack.ask('GET', '/admin/v1/mappings/contoso/billing-api')).headers.get('etag')! },
    });
  });
});

describe('--if-match', () => {
  const signer = ['--application', applications.billingPortal, '--user', 'onPremisesUserPrincipalName=adele.vance@corp.example'];
  const shown = (out: string): string => /with --if-match (\d+) /.exec(out)![1]!;

  it.each([
    ['diff', ['diff', 'billing-portal']],
    ['preview', ['preview', '--mapping', 'billing-portal', '--revision', 'draft', ...signer]],
  ])('publishes the draft that %s showed, and no later one', async (_name, words) => {
    const version = await draft('looked at');
    const { out } = await call(words);
    expect(shown(out)).toBe(String(version));
    expect((await call([...words, '--json'])).json.etag).toBe(`"${version}"`);
    await draft('slipped in');
    const late = await call(['publish', 'billing-portal', '--if-match', shown(out)]);
    expect([late.code, late.err]).toEqual([4, expect.stringContaining('412 mapping.changed')]);
    expect(await signIn()).toMatchObject({ department: 'Finance' });
    const { out: again } = await call(words);
    expect((await call(['publish', 'billing-portal', '--if-match', `"${shown(again)}"`])).code).toBe(0);
    await expect.poll(signIn).toMatchObject({ department: 'slipped in' });
  });

  it('rolls back only what was looked at', async () => {
    const { number } = (await stack.ask('GET', '/admin/v1/mappings/contoso/billing-portal')).json.published;
    const [, version] = /billing-portal +(\d+) +revision/.exec((await call(['list'])).out)!;
    await call(['apply', await changedFiles()]);
    const words = ['rollback', 'billing-portal', '--to', String(number), '--if-match'];
    expect((await call([...words, version!])).code).toBe(4);
    expect((await call([...words, shown((await call(['diff', 'billing-portal', '--to', 'published'])).out)])).code).toBe(0);
    await expect.poll(signIn).toMatchObject({ department: 'Finance' });
  });

  it('ends with 2 for what is no version', async () => {
    for (const version of ['latest', '0', '*', '"8', '8, 9'])
      expect((await call(['publish', 'billing-portal', '--if-match', version])).code, version).toBe(2);
  });
});

describe('rollback', () => {
  it('puts an earlier revision in force again', async () => {
    const before = (await stack.ask('GET', '/admin/v1/mappings/contoso/billing-portal')).json.published.number as number;
    await call(['apply', await changedFiles()]);
    const { code, out } = await call(['rollback', 'billing-portal', '--to', String(before), '--comment', 'it was wrong']);
    expect([code, out]).toEqual([0, expect.stringContaining('is in force')]);
    await expect.poll(signIn).toMatchObject({ department: 'Finance' });
  });

  it('ends with 1 for a revision that is not there, and with 2 for what is no number', async () => {
    expect((await call(['rollback', 'billing-portal', '--to', '9999'])).code).toBe(1);
    expect((await call(['rollback', 'billing-portal', '--to', 'yesterday'])).code).toBe(2);
  });
});

describe('preview', () => {
  const person = Object.entries(adele as Record<string, string>).flatMap(([property, value]) =>
    ['onPremisesSecurityIdentifier', 'onPremisesUserPrincipalName', 'userType'].includes(property)
      ? ['--user', `${property}=${value}`]
      : [],
  );

  it('shows the claims of a sign-in, how they came about, and what they take', async () => {
    const { code, out } = await call(['preview', '--application', applications.billingPortal, ...person]);
    expect(code).toBe(0);
    expect(out).toMatch(/a token with these claims, by billing-portal/);
    expect(out).toMatch(/department +text +Finance/);
    expect(out).toMatch(/person +corp-ad\.user +found/);
  });

  it('takes a file that is not saved, and an event as Entra sends it', async () => {
    const portal = named('billing-portal');
    portal['claims'].department = { value: 'Treasury' };
    const folder = await folderOf({ 'portal.yaml': portal, 'event.json': JSON.stringify(eventFor(applications.billingPortal)) });
    const words = ['--file', path.join(folder, 'portal.yaml'), '--event', path.join(folder, 'event.json'), '--json'];
    const { code, json } = await call(['preview', ...words]);
    expect(code).toBe(0);
    expect(json.claims).toContainEqual({ name: 'department', list: false, count: 1, value: 'Treasury' });
  });

  it('shows no value to who may not read them', async () => {
    const granted = await stack.mint(['Claims.Preview']);
    const { out } = await call(['preview', '--application', applications.billingPortal, ...person], granted);
    expect(out).toContain('Values are hidden: to see them takes the role Claims.ReadValues.');
    expect(out).not.toContain('Finance');
  });

  it('says who hides the values where it is --no-values', async () => {
    const { out } = await call(['preview', '--application', applications.billingPortal, ...person, '--no-values']);
    expect(out).toContain('Values are hidden, as --no-values says.');
    expect(out).not.toContain('Finance');
    expect((await call(['preview', '--application', applications.billingPortal, ...person])).out).not.toContain('hidden');
  });

  it('selects by the extension that calls, and tells conditions the protocol', async () => {
    const extension = 'c6f2b0f4-2a85-4f10-8d4f-6c8c2f3b7e01';
    const other = {
      name: 'by-extension',
      tenant: 'contoso',
      applications: [applications.billingPortal],
      extensions: [extension],
      claims: { saml: { value: 'yes', when: 'protocol == "SAML"' } },
    };
    await stack.publish(other);
    const words = ['preview', '--application', applications.billingPortal, ...person];
    const claims = async (more: readonly string[]): Promise<unknown> =>
      (await call([...words, ...more, '--json'])).json.claims.map(({ name }: Document) => name);
    expect(await claims([])).toContain('department');
    expect(await claims(['--extension', extension])).toEqual([]);
    expect(await claims(['--extension', extension, '--protocol', 'SAML'])).toEqual(['saml']);
    const address = '/admin/v1/mappings/contoso/by-extension';
    await stack.ask('DELETE', address, { headers: { 'if-match': (await stack.ask('GET', address)).headers.get('etag')! } });
  });

  const application = ['--application', applications.billingPortal];
  const user = ['--user', 'mail=adele@corp.example'];
  it.each<[string, readonly string[], string]>([
    ['nobody', application, 'nobody signs in'],
    ['a property without a value', [...application, '--user', 'mail'], 'property=value'],
    ['no application', user, 'for nobody'],
    ['a revision of no mapping', [...application, ...user, '--revision', 'draft'], 'of which mapping?'],
    ['a file and a mapping', [...application, ...user, '--file', 'x.yaml', '--mapping', 'billing-portal'], '--mapping'],
    ['a file and a revision', [...application, ...user, '--file', 'x.yaml', '--revision', 'draft'], '--revision'],
    ['a person and a service', [...application, ...user, '--service'], '--user'],
    ...[application, user, ['--service'], ['--client', 'x'], ['--extension', 'x'], ['--protocol', 'x']].map(
      (words): [string, readonly string[], string] => [`an event and ${words[0]}`, ['--event', 'x.json', ...words], words[0]!],
    ),
  ])('ends with 2 for %s, and asks nothing', async (_name, words, said) => {
    const { code, err } = await claimbridge(['preview', ...words], {
      CLAIMBRIDGE_URL: `http://127.0.0.1:${unusedPort}`,
      CLAIMBRIDGE_TOKEN: 'x',
      CLAIMBRIDGE_TENANT: 'contoso',
    });
    expect([code, err]).toEqual([2, expect.stringContaining(said)]);
  });

  it('ends with 2 for a folder of several documents, of which it would take one', async () => {
    const { code, err } = await call(['preview', ...application, ...user, '--file', await changedFiles()]);
    expect([code, err]).toEqual([2, expect.stringContaining('several documents')]);
  });
});

describe('export', () => {
  it('writes a file for each mapping in force, which apply finds unchanged', async () => {
    const folder = await folderOf({});
    expect((await call(['export', '--output', folder])).code).toBe(0);
    expect((await readdir(path.join(folder, 'contoso'))).toSorted()).toEqual([
      'billing-api.yaml',
      'billing-portal.yaml',
      'legacy-hr.yaml',
    ]);
    expect(parse(await readFile(path.join(folder, 'contoso', 'legacy-hr.yaml'), 'utf8'))).toEqual(named('legacy-hr'));
    expect((await call(['plan', folder, '--check'])).code).toBe(0);
  });
});

describe('list', () => {
  it('has a line for each mapping', async () => {
    const { code, out } = await call(['list']);
    expect(code).toBe(0);
    expect(out).toMatch(/^TENANT +NAME +VERSION +IN FORCE +SINCE +DRAFT\n/);
    expect(out).toMatch(/contoso +legacy-hr +\d+ +revision \d+ +.*Ada Admin/);
  });
});

describe('doctor', () => {
  it('finds nothing where all is well', async () => {
    await expect.poll(async () => (await call(['doctor'])).code, { timeout: 20_000 }).toBe(0);
    const { out } = await call(['doctor']);
    expect(out).toMatch(/✓ clock: \d+ s apart/);
    expect(out).toContain('✓ secret env:DIRECTORY_PASSWORD: can be read');
    expect(out).toContain('! source corp-ad: answers, in clear text');
    expect(out).toContain('! source billing-db: answers, in clear text');
    expect(out).toMatch(/✓ source leavers: can be read/);
    expect(out).not.toContain('TLS');
    expect(out).toContain('nothing failed');
  });

  it('says what it knows while the database of the mappings is down', async () => {
    stack.storeProxy.refuse();
    stack.storeProxy.cut();
    try {
      const { code, out } = await call(['doctor']);
      expect(code).toBe(0);
      expect(out).toContain('! source corp-ad: not tested: repository.unavailable; when last asked it was up');
    } finally {
      await stack.storeProxy.restore();
    }
    await expect.poll(async () => (await call(['doctor', '--json'])).out, { timeout: 20_000 }).not.toContain('not tested');
  });

  it('names a source that is down, and what to look at', async () => {
    stack.databaseProxy.refuse();
    stack.databaseProxy.cut();
    try {
      const { code, out } = await call(['doctor']);
      expect(code).toBe(1);
      expect(out).toMatch(/✗ source billing-db: down: connection\n {4}It cannot be reached/);
    } finally {
      await stack.databaseProxy.restore();
    }
  });
});

describe('entra plan', () => {
  const words = ['entra', 'plan', '--application', applications.billingPortal, '--endpoint', 'https://claims.contoso.com'];

  it('leads every claim that a sign-in gets through all three gates, spelled alike', async () => {
    const { code, json } = await call([...words, '--json']);
    expect(code).toBe(0);
    const answered = Object.keys(await signIn()).toSorted();
    const { registered, policy } = gatesOf(json);
    expect(registered.toSorted()).toEqual(answered);
    expect(policy.map((claim) => claim['ID']).toSorted()).toEqual(answered);
    expect(policy.map((claim) => claim['JwtClaimType']).toSorted()).toEqual(answered);
  });

  it('leads a restricted name through too, by a name in the token that no other claim has', async () => {
    const hr = named('legacy-hr');
    Object.assign(hr['claims'], { my_groups: { value: 'x' }, upn: { value: 'y' } });
    await stack.publish(hr);
    const answeredNow = async (): Promise<readonly string[]> =>
      Object.keys((await stack.post(eventText(applications.legacyHr))).json.data.actions[0].claims as Document).toSorted();
    await expect.poll(answeredNow).toContain('my_groups');
    const { code, json } = await call(['entra', 'plan', '--application', applications.legacyHr, ...words.slice(4), '--json']);
    expect(code).toBe(0);
    const { registered, policy } = gatesOf(json);
    expect(registered.toSorted()).toEqual(await answeredNow());
    expect(policy.map((claim) => claim['ID']).toSorted()).toEqual(await answeredNow());
    const emitted = policy.map((claim) => claim['JwtClaimType'] as string);
    expect(new Set(emitted).size).toBe(emitted.length);
    expect(json.restricted.toSorted()).toEqual(['groups', 'upn']);
    for (const name of json.restricted) expect(emitted).not.toContain(name);
    expect(policy).toContainEqual({ Source: 'CustomClaimsProvider', ID: 'groups', JwtClaimType: 'my_groups_2' });
  });

  it.each([
    ['https://claims.contoso.com', 'https://claims.contoso.com/api/onTokenIssuanceStart'],
    ['https://gw.contoso.com/claims?code=abc', 'https://gw.contoso.com/claims/api/onTokenIssuanceStart?code=abc'],
    ['https://gw.contoso.com/claims/', 'https://gw.contoso.com/claims/api/onTokenIssuanceStart'],
    ['https://gw.contoso.com/api/onTokenIssuanceStart?a=b', 'https://gw.contoso.com/api/onTokenIssuanceStart?a=b'],
  ])('keeps path and query of %s', async (endpoint, target) => {
    const { json } = await call([...words.slice(0, 5), endpoint, '--json']);
    const { body } = json.steps.find((step: Document) => step['path']?.endsWith('/customAuthenticationExtensions'));
    expect(body.endpointConfiguration.targetUrl).toBe(target);
  });

  it.each(['http://claims.contoso.com', 'https://a:b@claims.contoso.com', 'https://claims.contoso.com/#x', 'claims.contoso.com'])(
    'ends with 2 for the endpoint %s',
    async (endpoint) => {
      expect((await call([...words.slice(0, 5), endpoint])).code).toBe(2);
    },
  );

  function gatesOf(json: Document): { readonly registered: readonly string[]; readonly policy: readonly Document[] } {
    const body = (end: string): Document => json.steps.find((step: Document) => step['path']?.endsWith(end)).body;
    const extension = body('/customAuthenticationExtensions');
    return {
      registered: extension['claimsForTokenConfiguration'].map((claim: Document) => claim['claimIdInApiResponse'] as string),
      policy: JSON.parse(body('/claimsMappingPolicies')['definition'][0]).ClaimsMappingPolicy.ClaimsSchema as Document[],
    };
  }

  it('has the endpoint, the time and the audience of the running configuration', async () => {
    const { out } = await call(words);
    expect(out).toContain('"targetUrl": "https://claims.contoso.com/api/onTokenIssuanceStart"');
    expect(out).toContain('"timeoutInMilliseconds": 1000');
    expect(out).toContain('api://claims.contoso.com/b0a4d6a2-53f1-4b39-9a7c-1de0c4c5f201');
  });

  it('says that no mapping serves an application', async () => {
    const { code, err } = await call([
      'entra',
      'plan',
      '--application',
      '00000000-0000-4000-8000-000000000000',
      ...words.slice(4),
    ]);
    expect([code, err]).toEqual([1, expect.stringContaining('mapping.none')]);
  });
});

describe('the way to the service', () => {
  it.each([
    ['no credentials', {}, 2, 'there are no credentials'],
    [
      'plain http to another machine',
      { CLAIMBRIDGE_URL: 'http://claims.contoso.com:9090', CLAIMBRIDGE_TOKEN: 'x' },
      2,
      'must be https://',
    ],
    ['nobody there', { CLAIMBRIDGE_URL: `http://127.0.0.1:${unusedPort}`, CLAIMBRIDGE_TOKEN: 'x' }, 3, 'ECONNREFUSED'],
  ])('with %s ends with the code for it', async (_name, variables, code, said) => {
    const called = await claimbridge(['list'], variables);
    expect([called.code, called.out, called.err]).toEqual([code, '', expect.stringContaining(said)]);
  });

  it('prints one JSON document with --json, whatever becomes of the call', async () => {
    const { code, json } = await claimbridge(['list', '--json'], {
      CLAIMBRIDGE_URL: `http://127.0.0.1:${unusedPort}`,
      CLAIMBRIDGE_TOKEN: 'x',
    });
    expect([code, json]).toEqual([
      3,
      { error: { message: expect.stringContaining('ECONNREFUSED'), remedy: expect.any(String), exitCode: 3 } },
    ]);
  });

  it.each([
    [['list', '--nonsense', '--json'], "unknown option '--nonsense'"],
    [['lst', '--json'], "unknown command 'lst'"],
    [['validate', '--json'], "missing required argument 'paths'"],
    [['preview', '--tenant', 'contoso', '--event', 'x', '--service', '--json'], 'cannot be used with'],
    [['preview', '--tenant', 'contoso', '--json'], 'for nobody'],
    [['--json'], 'there is no command'],
  ])('%j prints one JSON document as well', async (words, said) => {
    const { code, json, err } = await claimbridge(words, { CLAIMBRIDGE_TOKEN: 'x' });
    expect([code, json]).toEqual([
      2,
      { error: { message: expect.stringContaining(said), remedy: expect.any(String), exitCode: 2 } },
    ]);
    expect(json.error.message).not.toContain('error:');
    expect(err).not.toBe('');
  });

  it('with a token that is refused ends with 3, and says nothing of the token', async () => {
    const called = await call(['list'], 'canary.canary.canary');
    expect(called.code).toBe(3);
    expect(called.err).not.toContain('canary');
  });

  it('without the role ends with 3 and names it', async () => {
    const called = await call(['publish', 'billing-portal'], await stack.mint(['Claims.Read']));
    expect([called.code, called.err]).toEqual([3, expect.stringContaining('403')]);
  });

  it('names a token endpoint that gives none', async () => {
    const folder = await folderOf({ secret: 'wrong' });
    const { code, err } = await claimbridge(['list'], {
      CLAIMBRIDGE_URL: stack.managementUrl,
      CLAIMBRIDGE_TOKEN_URL: `${stack.managementUrl}/no-token-endpoint`,
      CLAIMBRIDGE_CLIENT_ID: 'f7a9c3d1-0e2b-4c5d-8a6f-1b2c3d4e5f01',
      CLAIMBRIDGE_CLIENT_SECRET_FILE: path.join(folder, 'secret'),
      CLAIMBRIDGE_SCOPE: 'b0a4d6a2-53f1-4b39-9a7c-1de0c4c5f202/.default',
    });
    expect([code, err]).toEqual([3, expect.stringContaining('answered 404')]);
  });
});

/** The command line through a proxy that does something else before each request is passed on. */
async function claimbridgeThrough(before: (method: string) => Promise<void>, words: readonly string[]): Promise<Called> {
  const proxy = createServer((request, response) => {
    void (async () => {
      await before(request.method!);
      const chunks = await request.toArray();
      const { host: _host, connection: _connection, ...headers } = request.headers;
      const answer = await fetch(stack.managementUrl + request.url, {
        method: request.method!,
        headers: headers as Record<string, string>,
        ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
      });
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer()));
    })();
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = proxy.address() as AddressInfo;
    return await claimbridge(words, { CLAIMBRIDGE_URL: `http://127.0.0.1:${port}`, CLAIMBRIDGE_TOKEN: token });
  } finally {
    proxy.close();
    proxy.closeAllConnections();
  }
}

async function discardDraft(name: string): Promise<void> {
  const route = `/admin/v1/mappings/contoso/${name}`;
  const etag = (await stack.ask('GET', route)).headers.get('etag')!;
  await stack.ask('DELETE', `${route}/draft`, { headers: { 'if-match': etag } });
}
