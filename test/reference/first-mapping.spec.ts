import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { MappingSnapshot, runMappingTests, type CompileContext, type StoredMapping } from '#claims';
import { FakeSource, type FakeLookup } from '#testing';
import { claimbridge, folderOf } from '../../apps/cli/src/cli.harness.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string): Promise<string> => readFile(path.join(root, file), 'utf8');

/** The sources of the seeds' configuration, which nobody asks. */
const { sources } = parse(await read('docker/seeds/claimbridge.yaml')) as {
  sources: Record<string, { tenants: string[]; lookups: Record<string, FakeLookup & { locate?: { key: string }[] }> }>;
};
const context: CompileContext = {
  tenants: new Set(['contoso']),
  sources: new Map(
    Object.entries(sources).map(([name, { tenants, lookups }]) => {
      const fakes = Object.entries(lookups).map(([lookup, { parameters = [], locate = [] }]) => [
        lookup,
        { parameters, locate: locate.map((rule) => ({ ...rule, when: {}, fallThrough: false })) },
      ]);
      return [
        name,
        { source: new FakeSource(name, Object.fromEntries(fakes) as Record<string, FakeLookup>), tenants: new Set(tenants) },
      ];
    }),
  ),
};

const storedAs = (origin: string, yaml: string): StoredMapping => ({
  origin,
  revision: origin,
  content: { kind: 'document', document: parse(yaml) as unknown },
});

describe('your first mapping', async () => {
  const page = await read('docs/guides/first-mapping.md');
  const documents = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml]) => yaml!);

  it('has one application, one directory and three claims in about 30 lines', () => {
    const [first] = documents;
    const written = first!.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
    expect(written.length).toBeLessThanOrEqual(30);
    const document = parse(first!) as Record<'applications' | 'lookups' | 'claims', object>;
    expect([document.applications, document.lookups, document.claims].map((part) => Object.keys(part).length)).toEqual([1, 1, 3]);
  });

  it('compiles, every document of it, and its tests are green', async () => {
    const snapshot = await MappingSnapshot.load(
      documents.map((yaml, index) => storedAs(`document ${index}`, yaml)),
      context,
    );
    expect(snapshot.problems).toEqual([]);
    expect(snapshot.size).toBe(2);
  });

  it('names a command that does what it says, with nothing but the file', async () => {
    const [, words] = /^`npm run claimbridge -- (\w+ expenses\.yaml)`/m.exec(page)!;
    const folder = await folderOf({ 'expenses.yaml': documents[0] });
    const { code, out, err } = await claimbridge(
      words!.split(' ').map((word) => (word === 'expenses.yaml' ? path.join(folder, word) : word)),
    );
    expect([code, err, out]).toEqual([0, '', expect.stringMatching(/✓ .*: an approver\n1 passed, 0 failed\n$/)]);
  });

  it('is valid as it stands on the page, every document of it, for the command line too', async () => {
    const folder = await folderOf(Object.fromEntries(documents.map((yaml, index) => [`${index}.yaml`, yaml])));
    const { code, out } = await claimbridge(['validate', folder]);
    expect([code, out]).toEqual([0, expect.stringContaining(`${documents.length} valid`)]);
  });

  it('quotes a refusal as it is', () => {
    const mistaken = documents[0]!.replace('from: person.extensionAttribute1', 'from: persn.extensionAttribute1');
    const [problem] = MappingSnapshot.compile([storedAs('mistaken', mistaken)], context).problems;
    const { path: at, reason, remedy } = problem!.issues[0]!;
    expect(page).toContain(`${at.join('.')}: ${reason} (${remedy})`);
  });
});

describe('the mappings of the seeds', async () => {
  const folder = 'docker/seeds/mappings';
  const documents = await Promise.all(
    (await readdir(path.join(root, folder))).map(async (name) => storedAs(name, await read(`${folder}/${name}`))),
  );

  it('compile beside each other, each with tests, all of them green', async () => {
    const snapshot = MappingSnapshot.compile(documents, context);
    expect(snapshot.problems).toEqual([]);
    for (const { origin } of documents) {
      const results = await runMappingTests(snapshot.planOf(origin)!);
      expect(results.length, origin).toBeGreaterThan(1);
      expect(
        results.every(({ passed }) => passed),
        origin,
      ).toBe(true);
    }
  });

  it('are valid with the configuration of the seeds and without any', async () => {
    const against = ['--against', path.join(root, 'docker/seeds/claimbridge.yaml')];
    for (const more of [[], against]) {
      const { code, out } = await claimbridge(['validate', path.join(root, folder), ...more]);
      expect([code, out]).toEqual([0, expect.stringContaining(`${documents.length} valid`)]);
    }
  });
});
