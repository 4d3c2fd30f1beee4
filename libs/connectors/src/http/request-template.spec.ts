import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestTemplate, type EncodedRequest, type Json, type RequestDocument } from './request-template.js';

const parse = (document: Partial<RequestDocument>) => RequestTemplate.parse({ path: '', query: {}, ...document });
const encode = (document: Partial<RequestDocument>, value: string): EncodedRequest | 'impossible' => {
  const parsed = parse(document);
  if (parsed.kind === 'refused') throw new Error(parsed.reason);
  return parsed.template.encode(new Map([['v', value]]));
};
const encoded = (document: Partial<RequestDocument>, value: string): EncodedRequest => {
  const request = encode(document, value);
  if (request === 'impossible') throw new Error('impossible');
  return request;
};

/** What a query can say: any Unicode without NUL. */
const anyText = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !text.includes('\0'));
// oxlint-disable-next-line no-control-regex -- a path cannot have them
const pathText = anyText.filter((text) => !/[\u0000-\u001f\u007f/\\%]/.test(text) && text !== '.' && text !== '..');

describe('a value', () => {
  it('is one segment of the path, and no other segment changes', () => {
    fc.assert(
      fc.property(pathText, (value) => {
        const { target } = encoded({ path: '/a/{v}/b' }, value);
        expect(new URL(target, 'https://hr.example').pathname).toBe(target);
        expect(target.split('/').map(decodeURIComponent)).toEqual(['', 'a', value, 'b']);
      }),
    );
  });

  it('is one value of the query, and no other value changes', () => {
    fc.assert(
      fc.property(anyText, (value) => {
        const { searchParams, hash } = new URL(
          encoded({ query: { a: '1', q: '{v}', z: '2' } }, value).target,
          'https://hr.example',
        );
        expect([...searchParams]).toEqual([
          ['a', '1'],
          ['q', value],
          ['z', '2'],
        ]);
        expect(hash).toBe('');
      }),
    );
  });

  it('is one string of the body, and nothing else changes', () => {
    const body: Json = { query: 'query($upn: String!) { user }', list: ['{v}', 1, null, true], variables: { upn: '{v}' } };
    fc.assert(
      fc.property(anyText, (value) => {
        expect(JSON.parse(encoded({ body }, value).body!)).toEqual({
          query: 'query($upn: String!) { user }',
          list: [value, 1, null, true],
          variables: { upn: value },
        });
      }),
    );
  });

  it('is one literal of OData, and one of SCIM', () => {
    fc.assert(
      fc.property(anyText, (value) => {
        const query = { $filter: 'upn eq {v:odata} and active', scim: 'userName eq {v:json} and active eq true' };
        const { searchParams } = new URL(encoded({ query }, value).target, 'https://hr.example');
        const [, literal] = /^upn eq '((?:[^']|'')*)' and active$/su.exec(searchParams.get('$filter')!)!;
        expect(literal!.replaceAll("''", "'")).toBe(value);
        const scim = searchParams.get('scim')!;
        expect(JSON.parse(scim.slice('userName eq '.length, -' and active eq true'.length))).toBe(value);
      }),
    );
    expect(encoded({ path: '/Users({v:odata})/x' }, "O'Hara").target).toBe('/Users(%27O%27%27Hara%27)/x');
  });

  it.each(['.', '..', '../admin', 'a/b', '/', '\\', '..\\admin', '%2e%2e', '%2F', 'a\nb', '\u007f'])(
    'cannot be %j in a path: no request is made of it',
    (value) => {
      expect(encode({ path: '/people/{v}' }, value)).toBe('impossible');
      expect(encode({ query: { q: '{v}' } }, value)).not.toBe('impossible');
    },
  );

  it.each(['\0', 'a\0b', '\ud800', 'a\udc00'])('cannot be %j anywhere', (value) => {
    expect(encode({ path: '/{v}' }, value)).toBe('impossible');
    expect(encode({ query: { q: '{v}' } }, value)).toBe('impossible');
    expect(encode({ body: '{v}' }, value)).toBe('impossible');
  });

  it('cannot be longer than what an address may be', () => {
    expect(encode({ query: { q: '{v}' } }, 'x'.repeat(8_000))).toBe('impossible');
    expect(encoded({ body: '{v}' }, 'x'.repeat(8_000)).body).toHaveLength(8_002);
  });

  it('is not filled in twice', () => {
    expect(encoded({ query: { q: '{v}' } }, '{v}').target).toBe('?q=%7Bv%7D');
  });

  it('that is missing is a defect of ours', () => {
    const parsed = parse({ query: { q: '{v}' } });
    expect(() => parsed.kind === 'parsed' && parsed.template.encode(new Map())).toThrow('v is missing');
  });
});

describe('a template', () => {
  it('keeps what is not a placeholder', () => {
    expect(encoded({ path: '/a%20b/c;d=1/' }, 'x').target).toBe('/a%20b/c;d=1/');
    expect(encoded({ query: { 'a b': '{ v } & {{' } }, 'x').target).toBe('?a%20b=%7B%20v%20%7D%20%26%20%7B%7B');
  });

  it('tells its parameters', () => {
    const parsed = parse({ path: '/{a}', query: { q: '{b}' }, body: [{ x: '{c:json}' }] });
    expect(parsed).toMatchObject({ template: { parameters: new Set(['a', 'b', 'c']) } });
  });

  it.each<[Partial<RequestDocument>, readonly (string | number)[], string]>([
    [{ path: 'people' }, ['path'], 'begin with /'],
    [{ path: '/a//b' }, ['path'], 'empty segment'],
    [{ path: '/a/../b' }, ['path'], 'segments . and ..'],
    [{ path: '/a/%2e%2E/b' }, ['path'], 'segments . and ..'],
    [{ path: '/a?b=c' }, ['path'], 'percent-encoded'],
    [{ path: '/a#b' }, ['path'], 'percent-encoded'],
    [{ path: '/a b' }, ['path'], 'percent-encoded'],
    [{ path: '/a%2' }, ['path'], 'percent-encoded'],
    [{ path: '/{ v }' }, ['path'], 'percent-encoded'],
    [{ path: '/p-{v}' }, ['path'], 'must stand alone'],
    [{ path: '/{v}{w}' }, ['path'], 'must stand alone'],
    [{ query: { filter: "upn eq '{v}'" } }, ['query', 'filter'], '{v:odata} or {v:json}'],
    [{ query: { filter: '{v:sql}' } }, ['query', 'filter'], 'no format sql'],
    [{ query: { filter: '{v:constructor}' } }, ['query', 'filter'], 'no format constructor'],
    [{ body: { a: [1, 'x {v}'] } }, ['body', 'a', 1], 'must stand alone'],
  ])('refuses %j', (document, at, reason) => {
    expect(parse(document)).toEqual({ kind: 'refused', at, reason: expect.stringContaining(reason) });
  });
});
