import { describe, expect, it } from 'vitest';
import { entraErrors } from './entra-errors.js';

describe('entraErrors', () => {
  it('has every code that Microsoft lists, in order', () => {
    const listed = Array.from({ length: 28 }, (_none, index) => 1_003_000 + index).filter((code) => code !== 1_003_013);
    expect(entraErrors.map(({ code }) => code)).toEqual(listed);
    expect(new Set(entraErrors.map(({ name }) => name)).size).toBe(listed.length);
  });
});
