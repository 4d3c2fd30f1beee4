import { FakeSource } from '#testing';
import { describe, expect, it } from 'vitest';
import { compileMapping } from '../plan/compile-mapping.js';
import { estimateSize } from './estimate-size.js';

const sources = new Map([['s', { source: new FakeSource('s', { l: {} }), tenants: new Set(['t']) }]]);

function compile(claims: object, more: object = {}) {
  const uses = JSON.stringify(claims).includes('"l.');
  const result = compileMapping(
    {
      name: 'm',
      tenant: 't',
      applications: ['00000000-0000-0000-0000-000000000001'],
      lookups: uses ? { l: { use: 's.l' } } : {},
      claims,
      ...more,
    },
    'r',
    { tenants: new Set(['t']), sources },
  );
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.issues));
  return result;
}
const sizeOf = (claim: object) => estimateSize(compile({ a: claim }).plan).claims[0];

describe('estimateSize', () => {
  it.each<[object, object]>([
    [{ value: 'four' }, { least: 5, most: 5 }],
    [{ value: ['é', 'x'] }, { least: 4, most: 4 }],
    [
      { value: 'four', when: 'has(subject.mail)' },
      { least: 5, most: 5 },
    ],
    [{ from: 'subject.id' }, { least: 0, most: 37 }],
    [{ from: 'subject.mail' }, { least: 0, unbounded: 'length' }],
    [
      { from: 'subject.mail', whenMissing: 'fail' },
      { least: 2, unbounded: 'length' },
    ],
    [
      { from: 'subject.mail', whenMissing: { default: 'none' }, whenUnavailable: { default: 'x' } },
      { least: 2, unbounded: 'length' },
    ],
    [
      { from: 'subject.mail', transform: [{ Substring: { start: 0, length: 4 } }] },
      { least: 0, most: 17 },
    ],
    [
      { from: 'l.x', transform: [{ Map: { a: 'four' } }] },
      { least: 0, most: 5 },
    ],
    [
      { from: 'l.x', list: true },
      { least: 0, unbounded: 'values' },
    ],
    [
      { from: 'l.x', list: true, transform: [{ Map: { a: 'four' } }] },
      { least: 0, unbounded: 'values' },
    ],
    [
      { from: 'l.x', transform: [{ Format: 'guid' }] },
      { least: 0, most: 37 },
    ],
  ])('%j', (claim, expected) => {
    const least = 'when' in claim ? { ...expected, least: 0 } : expected;
    expect(sizeOf(claim)).toEqual({ claim: 'a', ...least });
  });

  it('adds up, and has no most where a claim has none', () => {
    expect(estimateSize(compile({ a: { value: 'x' }, b: { value: 'yy' } }).plan)).toMatchObject({
      limit: 3_000,
      least: 5,
      most: 5,
    });
    expect(estimateSize(compile({ a: { value: 'x' }, b: { from: 'subject.mail' } }).plan)).not.toHaveProperty('most');
  });

  it.each<[string, object, object, string | undefined]>([
    ['what never fits', { a: { value: 'x'.repeat(3_000) } }, {}, 'never has less than 3001 bytes'],
    ['a list without an end', { a: { from: 'l.x', list: true } }, {}, 'can have any number of values'],
    ['a list that may be dropped', { a: { from: 'l.x', list: true } }, { overflow: { drop: ['a'] } }, undefined],
    [
      'what may exceed it',
      { a: { from: 'subject.id', whenMissing: { default: 'x'.repeat(4_000) } } },
      {},
      'can have up to 4001 bytes',
    ],
    ['what fits', { a: { from: 'subject.id' } }, {}, undefined],
  ])('warns of %s', (_name, claims, more, reason) => {
    const { warnings } = compile(claims, more);
    expect(warnings.map((warning) => warning.reason).join()).toContain(reason ?? '');
    expect(warnings.length).toBe(reason === undefined ? 0 : 1);
    for (const warning of warnings) expect(warning.remedy).toBeDefined();
  });
});
