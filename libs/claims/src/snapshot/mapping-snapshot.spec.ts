import { describe, expect, it } from 'vitest';
import type { StoredMapping } from '../ports/mapping-store.js';
import { MappingSnapshot } from './mapping-snapshot.js';

const id = (digit: number): string => `00000000-0000-0000-0000-${String(digit).padStart(12, '0')}`;
const context = { tenants: new Set(['contoso', 'fabrikam']), sources: new Map() };

const stored = (origin: string, change: object, revision = origin): StoredMapping => ({
  origin,
  revision,
  content: {
    kind: 'document',
    document: { name: origin, tenant: 'contoso', applications: [id(1)], claims: { who: { value: revision } }, ...change },
  },
});
const unreadable = (origin: string): StoredMapping => ({
  origin,
  revision: 'x',
  content: { kind: 'unreadable', reason: 'is not valid YAML' },
});

const chosen = (
  snapshot: MappingSnapshot,
  application: string,
  more: { tenant?: string; client?: string; extension?: string } = {},
): string => {
  const selection = snapshot.select({ tenant: 'contoso', application, ...more });
  return selection.kind === 'mapping' ? selection.plan.revision : selection.kind;
};

describe('MappingSnapshot', () => {
  it('selects by tenant and application', () => {
    const snapshot = MappingSnapshot.compile([stored('a', {}), stored('b', { tenant: 'fabrikam' })], context);
    expect(snapshot.problems).toEqual([]);
    expect(chosen(snapshot, id(1))).toBe('a');
    expect(chosen(snapshot, id(1), { tenant: 'fabrikam' })).toBe('b');
    expect(chosen(snapshot, id(2))).toBe('none');
    expect(chosen(snapshot, id(1), { tenant: 'unknown' })).toBe('none');
  });

  it('prefers the most specific mapping', () => {
    const snapshot = MappingSnapshot.compile(
      [stored('all', {}), stored('client', { clients: [id(7)] }), stored('both', { clients: [id(7)], extensions: [id(8)] })],
      context,
    );
    expect(snapshot.problems).toEqual([]);
    expect(chosen(snapshot, id(1))).toBe('all');
    expect(chosen(snapshot, id(1), { client: id(7) })).toBe('client');
    expect(chosen(snapshot, id(1), { client: id(7), extension: id(8) })).toBe('both');
    expect(chosen(snapshot, id(1), { client: id(6), extension: id(8) })).toBe('all');
  });

  it.each([
    ['the same application', {}, {}],
    ['overlapping clients', { clients: [id(7), id(8)] }, { clients: [id(8)] }],
    ['a client and an extension', { clients: [id(7)] }, { extensions: [id(8)] }],
  ])('refuses two equally specific mappings: %s', (_name, first, second) => {
    const snapshot = MappingSnapshot.compile([stored('first', first), stored('second', second)], context);
    expect(snapshot.problems).toMatchObject([{ origin: 'second', retained: false }]);
    expect(chosen(snapshot, id(1), { client: id(8), extension: id(8) })).toBe('invalid');
  });

  it('refuses a second mapping of the same name', () => {
    const snapshot = MappingSnapshot.compile([stored('a', {}), stored('b', { name: 'a', applications: [id(2)] })], context);
    expect(snapshot.problems[0]?.issues[0]?.reason).toContain('name of a already');
    expect([chosen(snapshot, id(1)), chosen(snapshot, id(2))]).toEqual(['a', 'invalid']);
  });

  it('contains a bad mapping: its applications get no token, the others are served', () => {
    const snapshot = MappingSnapshot.compile(
      [stored('good', {}), stored('bad', { applications: [id(2).toUpperCase()], claims: { x: {} } })],
      context,
    );
    expect([chosen(snapshot, id(1)), chosen(snapshot, id(2)), chosen(snapshot, id(3))]).toEqual(['good', 'invalid', 'none']);
  });

  it('gives nothing to applications without a mapping while a mapping does not tell whose it is', () => {
    const snapshot = MappingSnapshot.compile([stored('good', {}), unreadable('torn')], context);
    expect([chosen(snapshot, id(1)), chosen(snapshot, id(3)), chosen(snapshot, id(3), { tenant: 'fabrikam' })]).toEqual([
      'good',
      'invalid',
      'invalid',
    ]);
    const ofContoso = MappingSnapshot.compile([stored('bad', { applications: 'all' })], context);
    expect([chosen(ofContoso, id(3)), chosen(ofContoso, id(3), { tenant: 'fabrikam' })]).toEqual(['invalid', 'none']);
  });

  it('keeps the last compiled revision of a mapping that no longer compiles', () => {
    const first = MappingSnapshot.compile([stored('a', {}, 'r1'), stored('b', { applications: [id(2)] }, 'r1')], context);
    const second = MappingSnapshot.compile(
      [stored('a', { claims: 1 }, 'r2'), stored('b', { applications: [id(2)] }, 'r2')],
      context,
      first,
    );
    expect(second.problems).toMatchObject([{ origin: 'a', retained: true }]);
    expect([chosen(second, id(1)), chosen(second, id(2))]).toEqual(['r1', 'r2']);
    expect(second.stored.map(({ origin, revision }) => `${origin} ${revision}`)).toEqual(['a r1', 'b r2']);
    const third = MappingSnapshot.compile([unreadable('a')], context, second);
    expect(chosen(third, id(1))).toBe('r1');
  });
});
