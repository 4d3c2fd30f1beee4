import { describe, expect, it } from 'vitest';
import { RefusedCredentials } from './refused-credentials.js';

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
});
