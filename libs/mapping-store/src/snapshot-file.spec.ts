import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DocumentIdentity, StoredMapping } from '#claims';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SnapshotFile } from './snapshot-file.js';

const savedAt = new Date('2026-02-03T04:05:06.000Z');
const mapping: StoredMapping = {
  origin: 'portal.yaml',
  revision: '0123456789abcdef',
  content: { kind: 'document', document: { name: 'portal', claims: { tier: { value: 'Gold, größer' } } } },
};

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-snapshot-'));
  file = path.join(folder, 'state', 'snapshot.json');
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('SnapshotFile', () => {
  it('gives back what was written, and leaves nothing else behind', async () => {
    await new SnapshotFile(file).write([mapping], savedAt);
    expect(await new SnapshotFile(file).read()).toEqual({ kind: 'saved', savedAt, mappings: [mapping] });
    expect(await readdir(path.dirname(file))).toEqual(['snapshot.json']);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('keeps any number of mappings, none too', async () => {
    const snapshot = new SnapshotFile(file);
    for (const count of [0, 1, 100, 101, 250]) {
      const mappings = Array.from({ length: count }, (_, index) => ({ ...mapping, origin: `mapping ${index}` }));
      await snapshot.write(mappings, savedAt);
      expect(await snapshot.read()).toEqual({ kind: 'saved', savedAt, mappings });
    }
  });

  it('keeps what was refused, with whose it was and without it', async () => {
    const refused = (identity?: DocumentIdentity): StoredMapping => ({
      origin: 'b.yaml',
      revision: 'refused',
      content: { kind: 'unreadable', reason: 'was refused', ...(identity && { identity }) },
    });
    const mappings = [
      refused(),
      refused({ kind: 'mapping', tenant: 'contoso', name: 'b', applications: ['*'], include: ['basics'] }),
      mapping,
    ];
    await new SnapshotFile(file).write(mappings, savedAt);
    expect(await new SnapshotFile(file).read()).toEqual({ kind: 'saved', savedAt, mappings });
  });

  it('is none where there is no file', async () => {
    expect(await new SnapshotFile(file).read()).toEqual({ kind: 'none' });
  });

  it.each([
    ['half a file', (text: string) => text.slice(0, text.length / 2), 'is not JSON'],
    ['a changed value', (text: string) => text.replace('Gold', 'Goldest'), 'does not match its checksum'],
    ['another format', (text: string) => text.replace('"format":1', '"format":2'), 'has an unknown format'],
    ['an empty file', () => '', 'is not JSON'],
  ])('is damaged by %s, and then gives no mapping', async (_name, damage, detail) => {
    const snapshot = new SnapshotFile(file);
    await snapshot.write([mapping], savedAt);
    await writeFile(file, damage(await readFile(file, 'utf8')));
    expect(await snapshot.read()).toEqual({ kind: 'damaged', detail });
  });

  it('replaces what was there', async () => {
    const snapshot = new SnapshotFile(file);
    await snapshot.write([mapping], savedAt);
    await snapshot.write([{ ...mapping, revision: 'second' }], savedAt);
    expect(await snapshot.read()).toMatchObject({ kind: 'saved', mappings: [{ revision: 'second' }] });
  });
});
