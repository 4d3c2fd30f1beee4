import { FakeSource } from '#testing';
import { describe, expect, it } from 'vitest';
import { identifyDocument, mappingJsonSchema } from '../mapping/mapping-document.js';
import type { CompileContext } from './compile-context.js';
import { compileDocument, compileMapping } from './compile-mapping.js';

const application = '00000000-0000-0000-0000-000000000001';
const key = { tenants: new Set(['t']), value: () => new Uint8Array(32) };
const context: CompileContext = {
  tenants: new Set(['t']),
  sources: new Map([['s', { source: new FakeSource('s', { l: {}, m: {} }), tenants: new Set(['t']) }]]),
  secrets: new Map([
    ['ours', key],
    ['theirs', { ...key, tenants: new Set(['u']) }],
  ]),
};
const lookups = { a: { use: 's.l' }, b: { use: 's.m' } };

function compile(claims: object, more: object = {}) {
  const used = (alias: string): boolean => JSON.stringify(claims).includes(`${alias}.`);
  return compileMapping(
    {
      name: 'm',
      tenant: 't',
      applications: [application],
      lookups: Object.fromEntries(Object.entries(lookups).filter(([alias]) => used(alias))),
      claims,
      ...more,
    },
    'r',
    context,
  );
}
const refusals = (claims: object, more?: object): string => {
  const result = compile(claims, more);
  return result.kind === 'refused'
    ? result.issues.map(({ path, reason }) => `${path.join('.')}: ${reason}`).join('; ')
    : 'compiled';
};
const warnings = (claims: object): string => {
  const result = compile(claims);
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.issues));
  return result.warnings.map(({ path, reason }) => `${path.join('.')}: ${reason}`).join('; ');
};

describe('names of claims', () => {
  it.each(['roles', 'upn', 'xms_custom', 'extn.x', 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role'])(
    'that Entra restricts are a warning with the way out: %s',
    (name) => {
      const result = compile({ [name]: { value: 'x' } });
      expect(result).toMatchObject({
        kind: 'compiled',
        warnings: [{ path: ['claims', name], remedy: expect.stringContaining('my_') }],
      });
      expect(warnings({ [name]: { value: 'x' } })).toContain('restricted claim set');
    },
  );

  it.each(['nameid', 'NameID', 'saml_name_id', 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier'])(
    'that are meant for SAML’s NameID are refused: %s',
    (name) => {
      expect(refusals({ [name]: { value: 'x' } })).toContain('NameID');
    },
  );

  it('that differ in case only are refused, and others are fine', () => {
    expect(refusals({ tier: { value: 'x' }, Tier: { value: 'y' } })).toContain('claims.Tier: differs from tier in case only');
    expect(warnings({ my_roles: { value: 'x' }, customRoles: { value: 'x' }, nameIdea: { value: 'x' } })).toBe('');
    expect(warnings({ company_name_id: { value: 'x' }, 'urn:corp:display-nameid': { value: 'x' } })).toBe('');
  });
});

describe('the mapping language', () => {
  it.each<[string, object, string]>([
    ['an unknown lookup in a condition', { c: { value: 'x', when: 'has(z.mail)' } }, 'claims.c.when: there is no lookup z'],
    ['a condition that is none', { c: { value: 'x', when: 'a.x ==' } }, 'claims.c.when: is not an expression'],
    [
      'an unknown reference in a transform',
      { c: { from: 'a.x', transform: [{ IfEmpty: { from: 'z.x' } }] } },
      'transform.0.IfEmpty.from: there is no lookup z',
    ],
    [
      'bytes where there is text',
      { c: { from: 'subject.mail', transform: [{ Format: 'guid' }] } },
      'transform.0: Format takes bytes',
    ],
    [
      'bytes of what may be text by now',
      { c: { from: 'a.x', transform: [{ IfEmpty: { value: 'none' } }, 'First', { Format: 'guid' }] } },
      'transform.2: Format takes bytes, and what it gets may be text',
    ],
    [
      'bytes of what may be of the event by now',
      { c: { from: 'a.x', transform: [{ IfEmpty: { from: 'subject.id' } }, { Format: 'guid' }] } },
      'transform.1: Format takes bytes, and what it gets may be text',
    ],
    [
      'bytes of what is text by now',
      { c: { from: 'a.x', transform: ['Sort', { Format: 'sid' }] } },
      'transform.1: Format takes bytes',
    ],
    ['a transform that is none', { c: { from: 'a.x', transform: ['Lower'] } }, 'claims.c.transform.0: is not a transform'],
    [
      'a part of a transform',
      { c: { from: 'a.x', transform: [{ Substring: { start: -1 } }] } },
      'claims.c.transform.0.Substring.start',
    ],
    ['a key that a transform lacks', { c: { from: 'a.x', transform: [{ First: 1 }] } }, 'is not a transform'],
    ['a secret that is not there', { c: { from: 'a.x', transform: [{ Pairwise: 'none' }] } }, 'there is no secret none'],
    [
      'a secret of another tenant',
      { c: { from: 'a.x', transform: [{ Hash: 'sha256', secret: 'theirs' }] } },
      'does not serve the tenant t',
    ],
    ['a look-around', { c: { from: 'a.x', transform: [{ RegexReplace: '(?=x)', with: 'y' }] } }, 'uses look-around'],
    [
      'text that a list contradicts',
      { c: { from: 'a.x', list: true, transform: [{ Join: ',' }] } },
      'contradicts the transform Join',
    ],
  ])('refuses %s', (_name, claims, reason) => {
    expect(refusals(claims)).toContain(reason);
  });

  it('refuses a version that it does not read, a mapping without claims, and hidden keys', () => {
    expect(refusals({ c: { value: 'x' } }, { version: 2 })).toContain('version: must be 1');
    expect(refusals({})).toContain('must have claims or include');
    expect(refusals(JSON.parse('{"__proto__":{"value":"x"}}') as object)).toContain('__proto__: is not a known key');
  });

  it('counts what conditions and transforms read as used, and fetches it', () => {
    const result = compile({
      c: { value: 'x', when: 'has(a.one)' },
      d: { from: 'a.two', transform: [{ IfEmpty: { from: 'b.three' } }] },
    });
    expect(result.kind === 'compiled' && result.plan.lookups.map(({ alias, projection }) => [alias, projection])).toEqual([
      ['a', ['one', 'two']],
      ['b', ['three']],
    ]);
  });

  it('lets stale cover what a claim reads in its condition', () => {
    const more = { lookups: { a: { use: 's.l', keepLastKnown: '1h' } } };
    const stale = { stale: '1h', then: 'omit' };
    expect(refusals({ c: { from: 'subject.mail', when: 'has(a.x)', whenUnavailable: stale } }, more)).toBe('compiled');
    expect(
      refusals({ c: { from: 'subject.mail', when: 'has(a.x)', whenUnavailable: { ...stale, stale: '2h' } } }, more),
    ).toContain('is longer than keepLastKnown');
  });

  it('tells documents apart, and says what it can of those that it cannot read', () => {
    expect(identifyDocument({ claimSet: 'basics', tenant: 't' })).toEqual({
      kind: 'claimSet',
      name: 'basics',
      tenant: 't',
      include: [],
    });
    expect(identifyDocument({ name: 'm', applications: [application.toUpperCase()], include: ['basics'] })).toEqual({
      kind: 'mapping',
      name: 'm',
      applications: [application],
      include: ['basics'],
    });
    for (const nonsense of [undefined, null, 7, 'x', [], { applications: 'all', name: 7 }])
      expect(identifyDocument(nonsense)).toEqual({ kind: 'mapping', include: [] });
    expect(compileDocument({ claimSet: 'basics', tenant: 't', claims: { c: { value: 'x' } } }, 'r', context).kind).toBe(
      'compiled',
    );
  });

  it('publishes a schema with a name, a version and a word on every key', () => {
    const schema = mappingJsonSchema() as { $id: string; anyOf: { properties: Record<string, { description?: string }> }[] };
    expect(schema.$id).toBe('urn:claimbridge:schema:mapping:1');
    for (const { properties } of schema.anyOf)
      for (const [name, property] of Object.entries(properties)) expect(property.description, name).toBeTruthy();
  });
});
