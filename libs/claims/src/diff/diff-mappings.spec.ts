import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffMappings, type Difference } from './diff-mappings.js';

const id = (digit: number): string => `00000000-0000-0000-0000-00000000000${digit}`;
const before = {
  name: 'm',
  tenant: 't',
  applications: [id(1), id(2)],
  lookups: { person: { use: 'ad.user', keepLastKnown: '1h' } },
  claims: {
    mail: { from: 'person.mail', transform: ['ToLowercase', 'First'] },
    groups: { from: 'person.memberOf', list: true },
  },
  tests: [{ name: 'one', given: { person: { lastKnown: { a: 'b' }, age: '90m' } }, expect: { mail: null } }],
};

function differences(after: unknown, from: unknown = before): readonly Difference[] {
  const diff = diffMappings(from, after);
  if (diff.kind === 'unreadable') throw new Error(JSON.stringify(diff.issues));
  return diff.differences;
}

describe('diffMappings', () => {
  it('finds no difference where only the writing differs', () => {
    expect(
      differences({
        version: 1,
        claims: {
          groups: {
            list: true,
            from: 'person.memberOf',
            transform: [],
            whenMissing: 'omit',
            whenUnavailable: 'fail',
            acceptDegraded: false,
          },
          mail: { transform: ['ToLowercase', 'First'], from: 'person.mail' },
        },
        lookups: { person: { keepLastKnown: '60m', use: 'ad.user', acceptDegraded: false } },
        applications: [id(2).toUpperCase(), id(1)],
        include: [],
        overflow: 'fail',
        tests: [{ expect: { mail: null }, name: 'one', subject: {}, given: { person: { age: '5400s', lastKnown: { a: 'b' } } } }],
        tenant: 't',
        name: 'm',
      }),
    ).toEqual([]);
  });

  it('says what was added, removed and changed, part by part', () => {
    expect(
      differences({
        ...before,
        applications: [id(1), id(3)],
        lookups: { person: { use: 'ad.user' } },
        claims: {
          mail: { from: 'person.mail', transform: ['First', 'ToLowercase'], when: 'has(person.mail)' },
          tier: { value: 'x' },
        },
        overflow: { drop: ['mail'] },
        tests: [],
      }),
    ).toMatchObject([
      { kind: 'mapping', name: 'm', change: 'changed', parts: [{ part: 'overflow', before: 'fail', after: { drop: ['mail'] } }] },
      { kind: 'application', name: id(2), change: 'removed' },
      { kind: 'application', name: id(3), change: 'added' },
      { kind: 'lookup', name: 'person', change: 'changed', parts: [{ part: 'keepLastKnown', before: '1h' }] },
      {
        kind: 'claim',
        name: 'mail',
        change: 'changed',
        parts: [
          { part: 'transform', before: ['ToLowercase', 'First'], after: ['First', 'ToLowercase'] },
          { part: 'when', after: 'has(person.mail)' },
        ],
      },
      { kind: 'claim', name: 'groups', change: 'removed' },
      { kind: 'claim', name: 'tier', change: 'added' },
      {
        kind: 'test',
        name: 'one',
        change: 'removed',
        parts: [
          { part: 'subject' },
          { part: 'expect' },
          { part: 'given', before: { person: { lastKnown: { a: 'b' }, age: '90m' } } },
        ],
      },
    ]);
  });

  it('compares with nothing, and claim sets with claim sets', () => {
    expect(differences(before, undefined).every(({ change }) => change === 'added')).toBe(true);
    expect(differences(undefined).every(({ change }) => change === 'removed')).toBe(true);
    const set = { claimSet: 'basics', tenant: 't', claims: { a: { value: 'x' } } };
    expect(differences({ ...set, claims: { a: { value: 'y' } } }, set)).toEqual([
      { kind: 'claim', name: 'a', change: 'changed', parts: [{ part: 'value', before: 'x', after: 'y' }] },
    ]);
  });

  it('says which side cannot be read', () => {
    expect(diffMappings(before, { ...before, claims: 1 })).toMatchObject({ kind: 'unreadable', side: 'after' });
    expect(diffMappings(null, before)).toMatchObject({ kind: 'unreadable', side: 'before' });
  });

  it('does not depend on the order of keys, and sees every change of a value', () => {
    const claims = fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), fc.record({ value: fc.stringMatching(/^[a-z]{1,4}$/) }), {
      minKeys: 1,
      noNullPrototype: true,
    });
    const shuffled = (table: object): object => Object.fromEntries(Object.entries(table).toReversed());
    fc.assert(
      fc.property(claims, claims, (left, right) => {
        const [old, present] = [
          { ...before, claims: left, tests: [] },
          { ...before, claims: right, tests: [] },
        ];
        const found = differences(present, old);
        expect(differences(shuffled({ ...present, claims: shuffled(right) }), shuffled(old)).toSorted(byName)).toEqual(
          found.toSorted(byName),
        );
        const names = new Set([...Object.keys(left), ...Object.keys(right)]);
        expect(found.map(({ name }) => name).toSorted()).toEqual(
          [...names].filter((name) => left[name]?.value !== right[name]?.value).toSorted(),
        );
      }),
    );
  });
});

const byName = (left: Difference, right: Difference): number => (left.name < right.name ? -1 : 1);
