import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claimBytes, limitClaims, maximumClaimBytes } from './limit.js';

describe('limitClaims', () => {
  it('counts names and values as UTF-8 bytes', () => {
    expect(claimBytes('é', ['ü', 'a'])).toBe(5);
    expect(limitClaims(new Map([['a', 'x'.repeat(2_999)]]), []).kind).toBe('fits');
    expect(limitClaims(new Map([['a', 'x'.repeat(3_000)]]), [])).toEqual({ kind: 'tooLarge', bytes: 3_001 });
    expect(limitClaims(new Map([['a', 'é'.repeat(1_500)]]), []).kind).toBe('tooLarge');
  });

  it('drops what may be dropped, in the stated order and no further than needed', () => {
    const claims = new Map([
      ['keep', 'x'.repeat(1_000)],
      ['second', 'x'.repeat(1_500)],
      ['first', 'x'.repeat(1_500)],
    ]);
    const result = limitClaims(claims, ['absent', 'first', 'second']);
    expect(result).toMatchObject({ kind: 'fits', dropped: ['first'] });
    expect(result.kind === 'fits' && [...result.claims.keys()]).toEqual(['keep', 'second']);
  });

  it('never answers more than the limit and never drops a claim that is not named', () => {
    const claim = fc.tuple(
      fc.stringMatching(/^[a-z]{1,8}$/),
      fc.array(fc.string({ maxLength: 400, unit: 'binary' }), { maxLength: 8 }),
    );
    fc.assert(
      fc.property(fc.array(claim), fc.array(fc.stringMatching(/^[a-z]{1,2}$/)), (entries, droppable) => {
        const claims = new Map(entries);
        const result = limitClaims(claims, droppable);
        if (result.kind === 'tooLarge') return;
        let bytes = 0;
        for (const [name, value] of result.claims) bytes += claimBytes(name, value);
        expect(bytes).toBeLessThanOrEqual(maximumClaimBytes);
        for (const name of claims.keys()) expect(result.claims.has(name) || droppable.includes(name)).toBe(true);
      }),
    );
  });
});
