import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { MappingSnapshot, runMappingTests, type CompileContext, type StoredMapping } from '#claims';
import { FakeSource, type FakeLookup } from '#testing';
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
});
