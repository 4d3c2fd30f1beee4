import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { entraErrors } from '#auth-events';
import { describe, expect, it } from 'vitest';
import { errorNames } from '../../apps/entra-simulator/src/judge.js';

const root = path.resolve(import.meta.dirname, '../..');

/** The cells of the rows of a page that begin with one of Entra's codes. */
async function rows(page: string): Promise<readonly (readonly string[])[]> {
  const text = await readFile(path.join(root, page), 'utf8');
  return text
    .split('\n')
    .filter((line) => /^\| 10030\d\d/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe('Entra’s error codes', () => {
  it('are 1003000 to 1003027 without 1003013, each once, in order, with a name, a cause and a remedy', () => {
    const codes = Array.from({ length: 28 }, (_, index) => 1_003_000 + index).filter((code) => code !== 1_003_013);
    expect(entraErrors.map(({ code }) => code)).toEqual(codes);
    expect(new Set(entraErrors.map(({ name }) => name)).size).toBe(codes.length);
    for (const { name, cause, remedy, fixedBy } of entraErrors) {
      expect(name).toMatch(/^(CustomExtension|EventHandler)[A-Z][A-Za-z]+$/);
      for (const text of [cause, remedy]) expect(text.length, name).toBeGreaterThanOrEqual(10);
      expect(['api', 'registration', 'entra']).toContain(fixedBy);
    }
  });

  it('are those of docs/reference/entra-errors.md, word for word', async () => {
    expect(await rows('docs/reference/entra-errors.md')).toEqual(
      entraErrors.map(({ code, name, cause, remedy, fixedBy }) => [String(code), `\`${name}\``, cause, remedy, fixedBy]),
    );
  });

  it('have the same names in the simulator, which shares no code with the library', () => {
    const names = new Map<number, string>(entraErrors.map(({ code, name }) => [code, name]));
    const simulated = Object.entries(errorNames).map(([code, name]) => [Number(code), name] as const);
    expect(simulated.length).toBeGreaterThan(10);
    for (const [code, name] of simulated) expect([code, names.get(code)]).toEqual([code, name]);
  });

  it('are judged by the simulator wherever the answer itself is at fault, but for throttling and a schema of the preview', () => {
    const own = entraErrors.filter(({ fixedBy }) => fixedBy === 'api').map(({ code }) => code as number);
    const judged = new Set(Object.keys(errorNames).map(Number));
    expect(own.filter((code) => !judged.has(code))).toEqual([1_003_008]);
  });

  it('are known wherever the simulator’s guide names one', async () => {
    const guide = await readFile(path.join(root, 'docs/guides/entra-simulator.md'), 'utf8');
    const known = entraErrors.map(({ code }) => String(code));
    for (const [code] of guide.matchAll(/10030\d\d/g)) expect(known).toContain(code);
  });
});
