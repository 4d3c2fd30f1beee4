import { describe, expect, it } from 'vitest';
import { Readiness } from './readiness.js';

describe('Readiness', () => {
  it.each([
    [true, true, true],
    [true, false, false],
    [false, true, false],
    [false, false, false],
  ])('mappings loaded %s, keys held %s: %s', (mappings, keys, expected) => {
    expect(new Readiness({ mappingsLoaded: () => mappings, keysHeld: () => keys }).isReady).toBe(expected);
  });

  it('follows its conditions, and never returns from draining', () => {
    let keys = true;
    const readiness = new Readiness({ mappingsLoaded: () => true, keysHeld: () => keys });
    keys = false;
    expect(readiness.isReady).toBe(false);
    keys = true;
    expect(readiness.isReady).toBe(true);
    readiness.drain();
    expect([readiness.isReady, readiness.isDraining]).toEqual([false, true]);
  });
});
