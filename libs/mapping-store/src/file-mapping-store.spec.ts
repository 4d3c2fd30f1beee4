import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { StoredMapping } from '#claims';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileMappingStore } from './file-mapping-store.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-mappings-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function write(name: string, text: string): Promise<void> {
  await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
  await writeFile(path.join(folder, name), text);
}

async function load(): Promise<readonly StoredMapping[]> {
  const loaded = await new FileMappingStore(folder).load();
  if (loaded.kind !== 'loaded') return expect.unreachable(loaded.detail);
  return loaded.mappings;
}

async function reasonFor(text: string): Promise<string | undefined> {
  await write('a.yaml', text);
  const [mapping] = await load();
  return mapping?.content.kind === 'unreadable' ? mapping.content.reason : undefined;
}

describe('FileMappingStore', () => {
  it('finds the YAML files of all folders in a stable order, and passes over hidden ones and others', async () => {
    for (const name of ['b.yaml', 'a.yml', 'team/c.YAML', '.git/d.yaml', 'team/.e.yaml', 'README.md', 'f.yaml.bak'])
      await write(name, `name: ${path.basename(name)}\n`);
    expect((await load()).map(({ origin }) => origin)).toEqual(['a.yml', 'b.yaml', 'team/c.YAML']);
  });

  it('gives documents as data, with a revision that changes with the content alone', async () => {
    await write('a.yaml', 'name: portal\nclaims: { tier: { value: gold } }\n');
    const [before] = await load();
    const [again] = await load();
    await write('a.yaml', 'name: portal\nclaims: { tier: { value: silver } }\n');
    const [after] = await load();
    expect(before?.content).toEqual({ kind: 'document', document: { name: 'portal', claims: { tier: { value: 'gold' } } } });
    expect(again?.revision).toBe(before?.revision);
    expect(after?.revision).not.toBe(before?.revision);
  });

  it('knows the line of a path, and of the nearest parent where the path is not there', async () => {
    await write('a.yaml', 'name: portal\n\nclaims:\n  tier:\n    value: gold\n');
    const [mapping] = await load();
    expect(mapping?.linesOf?.([['claims', 'tier', 'value'], ['claims', 'tier', 'from'], ['tenant'], []])).toEqual([5, 5, 1, 1]);
  });

  it.each([
    ['a syntax error', 'name: [', /^is not valid YAML: line \d+: /],
    ['a duplicate key', 'name: a\nname: b\n', /^is not valid YAML: line 2: /],
    ['several documents', 'name: a\n---\nname: b\n', /^is not valid YAML: /],
    ['more than 256 KB', `# ${'x'.repeat(256 * 1024)}\n`, /^is larger than /],
    [
      'a bomb of aliases',
      `a: &a [1,1,1,1,1,1,1,1,1]\n${Array.from({ length: 9 }, (_, index) => {
        const [name, below] = ['bcdefghij'[index], 'abcdefghi'[index]];
        return `${name}: &${name} [${Array(9).fill(`*${below}`).join(',')}]`;
      }).join('\n')}\n`,
      /^is not valid YAML: /,
    ],
  ])('does not read %s, and says why', async (_name, text, reason) => {
    expect(await reasonFor(text)).toMatch(reason);
  });

  it('contains an unreadable file: the others are loaded', async () => {
    await write('a.yaml', 'name: [');
    await write('b.yaml', 'name: b\n');
    await mkdir(path.join(folder, 'c.yaml'));
    expect((await load()).map(({ origin, content }) => [origin, content.kind])).toEqual([
      ['a.yaml', 'unreadable'],
      ['b.yaml', 'document'],
      ['c.yaml', 'unreadable'],
    ]);
  });

  it('is unavailable as a whole where the folder cannot be read', async () => {
    const loaded = await new FileMappingStore(path.join(folder, 'missing')).load();
    expect(loaded).toEqual({ kind: 'unavailable', detail: 'the folder of mappings cannot be read (ENOENT)' });
  });
});
