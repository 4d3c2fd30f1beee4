import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnderWay } from './under-way.js';

describe('UnderWay', () => {
  it('is a Map, however many come and go', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('set', 'delete'), fc.nat({ max: 50 })), { maxLength: 400 });
    fc.assert(
      fc.property(steps, (taken) => {
        const underWay = new UnderWay<number, number>();
        const map = new Map<number, number>();
        for (const [index, [step, key]] of taken.entries()) {
          if (step === 'set') {
            underWay.set(key, index);
            map.set(key, index);
          } else {
            underWay.delete(key);
            map.delete(key);
          }
          expect(underWay.get(key)).toBe(map.get(key));
          expect(underWay.size).toBe(map.size);
        }
        expect([...underWay.values()]).toEqual([...map.values()]);
      }),
    );
  });

  it('moves to a table of its own while those that are in it stay', () => {
    const underWay = new UnderWay<number, string>();
    const table = (): unknown => Reflect.get(underWay, 'entries');
    const tables = new Set([table()]);
    underWay.set(-1, 'slow');
    for (let key = 0; key < 320; key++) {
      underWay.set(key, 'quick');
      underWay.delete(key);
      tables.add(table());
    }
    expect(tables.size).toBe(11);
    expect([...underWay.values()]).toEqual(['slow']);
  });

  it('shows all that are there, although each of them ends on the way', () => {
    const underWay = new UnderWay<number, number>();
    for (let key = 0; key < 200; key++) underWay.set(key, key);
    const seen = new Set<number>();
    for (const key of underWay.values()) {
      seen.add(key);
      underWay.delete(key);
    }
    expect([seen.size, underWay.size]).toEqual([200, 0]);
  });
});
