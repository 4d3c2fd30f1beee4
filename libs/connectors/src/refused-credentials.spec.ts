import { describe, expect, it } from 'vitest';
import { RefusedCredentials, growingHold } from './refused-credentials.js';

describe('RefusedCredentials', () => {
  it('holds a secret back until it changes or the time has passed', () => {
    let now = 0;
    const refused = new RefusedCredentials(300_000, () => now);
    expect(refused.has('old')).toBe(false);
    refused.add('old');
    expect([refused.has('old'), refused.has('new')]).toEqual([true, false]);
    now = 299_999;
    expect(refused.has('old')).toBe(true);
    now = 300_000;
    expect(refused.has('old')).toBe(false);
  });

  it('holds the same secret for longer each time, and another one from the beginning', () => {
    let now = 0;
    const refused = new RefusedCredentials(
      growingHold(300_000, 900_000, () => 0),
      () => now,
    );
    const held = (secret: string): number => (refused.add(secret), refused.remaining(secret));
    expect([held('old'), held('old'), held('old'), held('new')]).toEqual([300_000, 600_000, 900_000, 300_000]);
    now = 100_000;
    expect([refused.remaining('new'), refused.remaining('old')]).toEqual([200_000, 0]);
    refused.clear();
    expect(held('new')).toBe(300_000);
  });

  it('spreads replicas, and never holds a secret for less', () => {
    expect(growingHold(300_000, 900_000, () => 0.999)(1)).toBeCloseTo(449_850);
    expect(growingHold(300_000, 900_000, () => 0.5)(9)).toBe(1_125_000);
  });
});
