import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const elements = [
  'public door',
  'token verification',
  'key fetching',
  'event body',
  'tenant binding',
  'sources and queries',
  'mapping configuration',
  'mapping store',
  'management door',
  'secrets',
  'logs and metrics',
  'supply chain',
  'availability',
];

interface Row {
  readonly element: string;
  readonly letter: string;
  readonly threat: string;
  readonly remedy: string;
  readonly tests: string;
}

const page = await readFile(path.join(root, 'docs/threats.md'), 'utf8');
const [, , ...lines] = page.split('\n').filter((line) => line.startsWith('|'));
const rows = lines.map((line): Row => {
  const cells = line.split('|').slice(1, -1);
  if (cells.length !== 5) throw new Error(`a row of ${cells.length} cells: ${line}`);
  const [element, letter, threat, remedy, tests] = cells.map((cell) => cell.trim()) as [string, string, string, string, string];
  return { element, letter, threat, remedy, tests };
});

const suite = String.raw`\x60([\w./-]+\.(?:spec|conformance)\.ts)\x60: ((?:"[^"]+"(?:, (?="))?)+)`;
/** The cell is nothing but files, each with its titles. */
const wellFormed = new RegExp(`^${suite}(?:; ${suite})*$`);
const named = rows.flatMap(({ tests }) =>
  [...tests.matchAll(new RegExp(suite, 'g'))].flatMap(([, file, titles]) =>
    [...titles!.matchAll(/"([^"]+)"/g)].map(([, title]) => [file!, title!] as const),
  ),
);
const distinct = [...new Map(named.map((test) => [test.join(': '), test])).values()];

describe('docs/threats.md', () => {
  it('has rows for every element, and for every letter of STRIDE', () => {
    expect([...new Set(rows.map(({ element }) => element))]).toEqual(elements);
    expect([...new Set(rows.map(({ letter }) => letter))].toSorted()).toEqual(['D', 'E', 'I', 'R', 'S', 'T']);
  });

  it.each(rows)('names what stops it and a test: $element, $threat', ({ letter, threat, remedy, tests }) => {
    expect(letter).toMatch(/^[STRIDE]$/);
    expect([threat, remedy].every((text) => text.length > 10)).toBe(true);
    expect(tests).toMatch(wellFormed);
  });

  it.each(distinct)('names a test that there is: %s, "%s"', async (file, title) => {
    const text = await readFile(path.join(root, file), 'utf8');
    const quoted = title.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
    expect(text).toMatch(new RegExp(String.raw`(?:\b(?:it|describe)\(|\)\()\s*'${quoted}',`));
  });

  it('leaves out no suite of attacks', async () => {
    const folders = ['test/conformance/caller', 'test/faults/keys'];
    const specs = await Promise.all(
      folders.map(async (folder) =>
        (await readdir(path.join(root, folder))).filter((file) => file.endsWith('.spec.ts')).map((file) => `${folder}/${file}`),
      ),
    );
    const files = new Set(named.map(([file]) => file));
    expect(specs.flat().filter((file) => !files.has(file))).toEqual([]);
  });
});
