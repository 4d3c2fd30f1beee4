import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { claimbridge, folderOf, mapping } from '../cli.harness.js';

const service = {
  tenants: { contoso: { tenantId: '7d1c5a0e-4c61-4b6f-9d55-2f8a4c1b9e10', audience: 'b0a4d6a2-53f1-4b39-9a7c-1de0c4c5f201' } },
  mappings: { folder: 'mappings' },
  sources: {
    'corp-ad': {
      type: 'ldap',
      tenants: ['contoso'],
      urls: ['ldaps://dc1.corp.example'],
      bind: { dn: 'cn=claimbridge', password: 'env:DIRECTORY_PASSWORD' },
      lookups: {
        user: {
          base: 'dc=corp,dc=example',
          locate: [{ key: 'onPremisesUserPrincipalName', filter: '(userPrincipalName={value})' }],
        },
      },
    },
    people: {
      type: 'static',
      tenants: ['contoso'],
      records: [{ upn: 'adele@corp.example' }],
      lookups: { person: { locate: [{ key: 'onPremisesUserPrincipalName', column: 'upn' }] } },
    },
  },
};

describe('validate', () => {
  it('takes a mapping that is right in itself, without any configuration', async () => {
    const folder = await folderOf({ 'portal.yaml': mapping() });
    const { code, out } = await claimbridge(['validate', folder]);
    expect([code, out]).toEqual([0, `✓ ${path.join(folder, 'portal.yaml')}\n1 valid\n`]);
  });

  it('says where each mistake is, with its line, and that what does not exist does not', async () => {
    const folder = await folderOf({
      'portal.yaml': mapping({ claims: { department: { from: 'persn.department', whenMising: 'omit' } } }),
    });
    const { code, out } = await claimbridge(['validate', folder]);
    expect(code).toBe(1);
    expect(out).toMatch(/portal\.yaml:\d+: claims\.department\.whenMising: is not a known key/);
    expect(out).toContain('1 of 1 refused');
  });

  it('refuses a mapping whose test is red', async () => {
    const folder = await folderOf({
      'portal.yaml': mapping({ claims: { department: { from: 'person.department', transform: ['ToUppercase'] } } }),
    });
    const { code, out } = await claimbridge(['validate', folder]);
    expect(code).toBe(1);
    expect(out).toContain('the test “finance” is red');
  });

  it.each([
    ['id', '90847c2a-e29d-4d2f-9f54-c5b4d3f20001'],
    ['onPremisesSecurityIdentifier', 'S-1-5-21-1004336348-1177238915-682003330-1104'],
    ['onPremisesSamAccountName', 'adele'],
    ['userPrincipalName', 'adele@contoso.example'],
    ['mail', 'adele@corp.example'],
  ])('finds the member of a test by %s, where nothing says by what a lookup finds people', async (property, value) => {
    const [finance] = (mapping() as { tests: object[] }).tests;
    const tests = [{ ...finance, subject: { [property]: value, userType: 'Member' } }];
    expect((await claimbridge(['validate', await folderOf({ 'portal.yaml': mapping({ tests }) })])).code).toBe(0);
  });

  it('finds nobody by what a guest can choose, nor by what names no person', async () => {
    const [finance] = (mapping() as { tests: object[] }).tests;
    const subject = { mail: 'adele@corp.example', userPrincipalName: 'adele', displayName: 'Adele', userType: 'Guest' };
    const tests = [{ ...finance, subject }];
    const { code, out } = await claimbridge(['validate', await folderOf({ 'portal.yaml': mapping({ tests }) })]);
    expect([code, out]).toEqual([1, expect.stringContaining('notFound(noKey)')]);
  });

  it('judges documents beside each other', async () => {
    const folder = await folderOf({ 'a.yaml': mapping(), 'b.yaml': mapping({ name: 'other' }) });
    const { code, json } = await claimbridge(['validate', folder, '--json']);
    expect(code).toBe(1);
    expect(json.documents.map(({ valid }: { valid: boolean }) => valid)).toEqual([true, false]);
  });

  it('checks by the sources of a configuration file, and makes none of them', async () => {
    const folder = await folderOf({
      'claimbridge.yaml': service,
      'mappings/portal.yaml': mapping(),
      'mappings/hr.yaml': mapping({
        name: 'hr',
        applications: ['3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9a02'],
        lookups: { person: { use: 'corp-ad.employee' } },
      }),
    });
    const { code, out } = await claimbridge([
      'validate',
      path.join(folder, 'mappings'),
      '--against',
      path.join(folder, 'claimbridge.yaml'),
    ]);
    expect(code).toBe(1);
    expect(out).toContain('the source corp-ad has no lookup employee');
    expect(out).toContain('1 of 2 refused');
  });

  it('refuses a configuration file that this version would refuse, source by source', async () => {
    const broken = { ...service, sources: { ...service.sources, more: { type: 'ladp', tenants: ['contoso'], lookups: {} } } };
    const folder = await folderOf({ 'claimbridge.yaml': broken, 'portal.yaml': mapping() });
    const { code, out } = await claimbridge([
      'validate',
      path.join(folder, 'portal.yaml'),
      '--against',
      path.join(folder, 'claimbridge.yaml'),
    ]);
    expect(code).toBe(1);
    expect(out).toContain('sources.more.type: there is no connector ladp');
  });

  it('checks a pseudonym without its key, and by the configuration that there is one', async () => {
    const claims = { id: { from: 'person.objectGUID', transform: [{ Format: 'guid' }, { Pairwise: 'pseudonyms' }] } };
    const secrets = { pseudonyms: { value: 'env:PSEUDONYMS', tenants: ['contoso'] } };
    const folder = await folderOf({
      'portal.yaml': mapping({ claims, tests: [] }),
      'with.yaml': { ...service, secrets },
      'without.yaml': service,
    });
    const at = (name: string): string => path.join(folder, name);
    expect((await claimbridge(['validate', at('portal.yaml')])).code).toBe(0);
    expect((await claimbridge(['validate', at('portal.yaml'), '--against', at('with.yaml')])).code).toBe(0);
    const { code, out } = await claimbridge(['validate', at('portal.yaml'), '--against', at('without.yaml')]);
    expect([code, out]).toEqual([1, expect.stringContaining('there is no secret pseudonyms for mappings')]);
  });

  it('warns of a name that Entra keeps for itself, and takes the mapping all the same', async () => {
    const folder = await folderOf({ 'portal.yaml': mapping({ claims: { groups: { from: 'person.department' } }, tests: [] }) });
    const { code, out } = await claimbridge(['validate', folder]);
    expect([code, out]).toEqual([0, expect.stringMatching(/! .*portal\.yaml: claims\.groups: .*restricted/)]);
  });

  it.each([
    ['a path that is not there', ['validate', '/nowhere.yaml'], 'ENOENT'],
    ['no path', ['validate'], "missing required argument 'paths'"],
    ['an unknown option', ['validate', 'x.yaml', '--agianst', 'y'], '--against'],
    ['an unknown command', ['valdate'], 'validate'],
  ])('ends with 2 for %s', async (_name, words, said) => {
    const { code, err, out } = await claimbridge(words);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(said);
  });

  it('does not take an empty folder for one that is right', async () => {
    const { code, err } = await claimbridge(['validate', await folderOf({ 'readme.md': 'nothing' })]);
    expect(code).toBe(2);
    expect(err).toContain('there is no mapping in it');
  });

  it('prints no control character of a document', async () => {
    const folder = await folderOf({ 'portal.yaml': mapping({ 'x\u001b[2Ky': 1 }) });
    expect((await claimbridge(['validate', folder])).out).not.toContain('\u001b');
  });
});

describe('test', () => {
  it('names each test, and what differs', async () => {
    const red = {
      name: 'red',
      subject: { id: '90847c2a-e29d-4d2f-9f54-c5b4d3f20001' },
      given: { person: { department: 'Sales' } },
      expect: { department: 'Finance' },
    };
    const { tests } = mapping() as { tests: object[] };
    const folder = await folderOf({ 'portal.yaml': mapping({ tests: [...tests, red] }) });
    const { code, out } = await claimbridge(['test', folder]);
    expect(code).toBe(1);
    expect(out).toMatch(/✓ .*portal\.yaml: finance\n✗ .*portal\.yaml: red\n {4}.*department.*\n1 passed, 1 failed\n$/s);
  });

  it('finds that there are none', async () => {
    const folder = await folderOf({ 'portal.yaml': mapping({ tests: [] }) });
    const { code, out } = await claimbridge(['test', folder]);
    expect([code, out]).toEqual([1, 'there are no tests\n']);
  });

  it('runs those of claim sets too, and a red one refuses the claim set', async () => {
    const { name: _name, applications: _applications, ...content } = mapping() as Record<string, unknown>;
    const green = { claimSet: 'basics', ...content };
    const red = { ...green, claims: { department: { from: 'person.department', transform: ['ToUppercase'] } } };
    const right = await claimbridge(['test', await folderOf({ 'basics.yaml': green })]);
    expect([right.code, right.out]).toEqual([0, expect.stringContaining('1 passed, 0 failed')]);
    const folder = await folderOf({ 'basics.yaml': red, 'portal.yaml': mapping() });
    const tested = await claimbridge(['test', folder]);
    expect([tested.code, tested.out]).toEqual([1, expect.stringMatching(/✗ .*basics\.yaml: finance/)]);
    const validated = await claimbridge(['validate', folder]);
    expect([validated.code, validated.out]).toEqual([1, expect.stringContaining('1 of 2 refused')]);
  });

  it('prints one JSON document with --json', async () => {
    const { code, json } = await claimbridge(['test', await folderOf({ 'portal.yaml': mapping() }), '--json']);
    expect([code, json.passed, json.failed]).toEqual([0, 1, 0]);
  });
});

it('--help lists the commands and ends with 0', async () => {
  const { code, out } = await claimbridge(['--help']);
  expect(code).toBe(0);
  for (const command of [
    'validate',
    'test',
    'plan',
    'apply',
    'preview',
    'diff',
    'publish',
    'rollback',
    'export',
    'doctor',
    'entra',
  ])
    expect(out).toContain(`  ${command} `);
});
