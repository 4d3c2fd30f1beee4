import { expect, it } from 'vitest';
import { revisionOf } from './revision.js';

it('is the same for equal documents, and stays what it was: stores and audits hold it', () => {
  const document = { name: 'a', claims: { b: { value: 'größer' }, a: ['x', { 10: 1, 9: 2 }] } };
  const turned = { claims: { a: ['x', { 9: 2, 10: 1 }], b: { value: 'größer' } }, name: 'a' };
  expect(revisionOf(document)).toBe('6894afce8378714bc8a6a05e14ad3a29');
  expect(revisionOf(turned)).toBe(revisionOf(document));
  expect(revisionOf({ ...document, name: 'b' })).not.toBe(revisionOf(document));
});
