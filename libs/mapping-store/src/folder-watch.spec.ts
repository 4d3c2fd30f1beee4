import { mkdir, mkdtemp, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FileMappingStore } from './file-mapping-store.js';

vi.mock('node:fs/promises', async (load) => {
  const actual = await load<typeof import('node:fs/promises')>();
  return { ...actual, stat: vi.fn<typeof actual.stat>(actual.stat) };
});

let base: string;
let folder: string;
const stores: FileMappingStore[] = [];

beforeEach(async () => {
  base = await mkdtemp(path.join(tmpdir(), 'claimbridge-watch-'));
  folder = path.join(base, 'mappings');
  await mkdir(folder);
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  await rm(base, { recursive: true, force: true });
});

const poll = { timeout: 10_000 };

/** A store that is followed, and the names of the documents that it gave when it last told of a change. */
async function follow(polling?: number) {
  const store = new FileMappingStore(folder, polling);
  stores.push(store);
  const seen = { store, heard: 0, last: '' };
  const read = async (): Promise<void> => {
    const loaded = await store.load();
    seen.last =
      loaded.kind === 'loaded'
        ? loaded.mappings
            .map(({ content }) => (content.kind === 'document' ? JSON.stringify(content.document) : 'unreadable'))
            .join()
        : loaded.kind;
  };
  await read();
  store.onPublish(() => {
    seen.heard++;
    void read();
  });
  await expect.poll(() => store.following.listening, poll).toBe(true);
  return seen;
}

describe('a folder that is followed', () => {
  it('tells of files that come, change, move and go', async () => {
    const seen = await follow();
    await writeFile(path.join(folder, 'a.yaml'), '1');
    await expect.poll(() => seen.last, poll).toBe('1');
    await mkdir(path.join(folder, 'team'));
    await writeFile(path.join(folder, 'team', 'b.yaml'), '2');
    await expect.poll(() => seen.last, poll).toBe('1,2');
    await writeFile(path.join(folder, 'a.yaml'), '3');
    await expect.poll(() => seen.last, poll).toBe('3,2');
    await rename(path.join(folder, 'a.yaml'), path.join(folder, 'team', 'c.yaml'));
    await expect.poll(() => seen.last, poll).toBe('2,3');
    await rm(path.join(folder, 'team', 'b.yaml'));
    await expect.poll(() => seen.last, poll).toBe('3');
  });

  it('sees a file that is replaced as a whole', async () => {
    await writeFile(path.join(folder, 'a.yaml'), '1');
    const seen = await follow();
    await writeFile(path.join(folder, '.a.yaml.tmp'), '2');
    await rename(path.join(folder, '.a.yaml.tmp'), path.join(folder, 'a.yaml'));
    await expect.poll(() => seen.last, poll).toBe('2');
  });

  it('sees a ConfigMap of Kubernetes change, which swaps one link', async () => {
    const version = async (name: string, text: string): Promise<void> => {
      await mkdir(path.join(folder, name));
      await writeFile(path.join(folder, name, 'a.yaml'), text);
      await symlink(name, path.join(folder, '..data_tmp'));
      await rename(path.join(folder, '..data_tmp'), path.join(folder, '..data'));
    };
    await version('..2026_01_01', '1');
    await symlink(path.join('..data', 'a.yaml'), path.join(folder, 'a.yaml'));
    const seen = await follow();
    expect(seen.last).toBe('1');
    for (const text of ['2', '3']) {
      await version(`..2026_01_0${text}`, text);
      await rm(path.join(folder, `..2026_01_0${Number(text) - 1}`), { recursive: true });
      await expect.poll(() => seen.last, poll).toBe(text);
    }
  });

  it('tells once of many changes at a time, when they have come to an end', async () => {
    const seen = await follow();
    for (let index = 0; index < 200; index++) await writeFile(path.join(folder, `${String(index).padStart(3, '0')}.yaml`), '1');
    await expect.poll(() => seen.last.length, poll).toBe(399);
    expect(seen.heard).toBeLessThan(100);
  });

  it('sees a file that changes while others are still being looked at', async () => {
    await writeFile(path.join(folder, 'a.yaml'), '1');
    await writeFile(path.join(folder, 'b.yaml'), '1');
    const seen = await follow(3_600_000);
    const { stat: look } = await vi.importActual<typeof import('node:fs/promises')>('node:fs/promises');
    let looks = 0;
    vi.mocked(stat).mockImplementation((async (file: string, options: object) => {
      const found = await look(file, options);
      // The second look, by which the folder has come to rest: a is done, and its event comes before the look is over.
      if (file.endsWith('b.yaml') && ++looks === 2) {
        await writeFile(path.join(folder, 'a.yaml'), '3');
        await wait(300);
      }
      return found;
    }) as typeof stat);
    await writeFile(path.join(folder, 'b.yaml'), '2');
    await expect.poll(() => seen.heard, poll).toBeGreaterThan(0);
    await expect.poll(() => seen.heard, poll).toBe(2);
    vi.mocked(stat).mockRestore();
  });

  it('waits for the rest of a file that is being written', async () => {
    await writeFile(path.join(folder, 'a.yaml'), '[old]');
    const seen = await follow();
    const given = new Set<string>();
    using _watching = seen.store.onPublish(() => void seen.store.load().then(() => given.add(seen.last)));
    // A writer that rested as long as one that is done is no test.
    for (let longest = Infinity; longest >= 100;) {
      longest = 0;
      given.clear();
      for (let length = 1; length <= 12; length++) {
        const started = performance.now();
        await writeFile(path.join(folder, 'a.yaml'), '[1, 2, 3, 4]'.slice(0, length));
        await wait(20);
        longest = Math.max(longest, performance.now() - started);
      }
      await expect.poll(() => seen.last, poll).toBe('[1,2,3,4]');
    }
    expect(given).not.toContain('unreadable');
  });

  it('never takes a folder that went away, or became empty at once, for one without mappings', async () => {
    await writeFile(path.join(folder, 'a.yaml'), '1');
    const seen = await follow();
    await rename(folder, `${folder}-away`);
    await expect.poll(() => seen.last, poll).toBe('unavailable');
    await mkdir(folder);
    await expect.poll(async () => (await seen.store.load()).kind, poll).toBe('unavailable');
    await rm(folder, { recursive: true });
    await writeFile(path.join(`${folder}-away`, 'a.yaml'), '2');
    await rename(`${folder}-away`, folder);
    await expect.poll(() => seen.last, poll).toBe('2');
  });

  it('looks by itself where the system tells nothing, and knows since when nothing changed', async () => {
    const seen = await follow(50);
    await expect.poll(() => seen.store.following.confirmedAt, poll).toBeDefined();
    await rename(folder, `${folder}-away`);
    await expect.poll(() => seen.last, poll).toBe('unavailable');
    await mkdir(folder);
    await writeFile(path.join(folder, 'b.yaml'), '7');
    await expect.poll(() => seen.last, poll).toBe('7');
  });
});
