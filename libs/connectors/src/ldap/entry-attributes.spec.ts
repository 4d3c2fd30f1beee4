import { describe, expect, it } from 'vitest';
import { binaryAttributes, readEntry } from './entry-attributes.js';

const bytes = (...texts: string[]): Buffer[] => texts.map((text) => Buffer.from(text));
const usual = binaryAttributes([]);

function read(projection: string[], ...entry: [type: string, ...values: string[]][]): unknown {
  const attributes = entry.map(([type, ...values]) => ({ type, values: bytes(...values) }));
  const result = readEntry(attributes, projection, usual);
  if (result.kind === 'partial') return result;
  return Object.fromEntries(result.attributes.names.map((name) => [name, result.attributes.get(name)]));
}

describe('readEntry', () => {
  it('leaves out what was not asked for: subordinate types and tagged values that a server adds', () => {
    expect(read(['name', 'description'], ['name', 'a'], ['cn', 'b'], ['description;lang-en', 'c'])).toEqual({ name: ['a'] });
    expect(read(['description;lang-en'], ['description;lang-en', 'c'])).toEqual({ 'description;lang-en': ['c'] });
  });

  it('takes the transfer option binary for the attribute itself', () => {
    expect(read(['userCertificate'], ['userCertificate;binary', 'x'])).toEqual({ usercertificate: bytes('x') });
    expect(read(['other'], ['other;binary', 'x'])).toEqual({ other: bytes('x') });
  });

  it('tells a part of the values from all of them', () => {
    expect(read(['member'], ['member'], ['member;range=0-1499', 'x'])).toEqual({ kind: 'partial', attribute: 'member' });
    expect(read(['member'], ['member;range=1500-*', 'x'])).toEqual({ kind: 'partial', attribute: 'member' });
    expect(read(['member'], ['member;range=0-*', 'x'])).toEqual({ member: ['x'] });
    expect(read(['cn'], ['member;range=0-1499', 'x'], ['cn', 'y'])).toEqual({ cn: ['y'] });
  });

  it('keeps a byte order mark, and bytes that are no text', () => {
    const entry = [{ type: 'cn', values: [Buffer.from('\ufeffx'), Buffer.of(0xc3)] }];
    const result = readEntry(entry, ['cn'], usual);
    expect(result.kind === 'attributes' && result.attributes.get('cn')).toEqual(['\ufeffx', Buffer.of(0xc3)]);
  });
});
