import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MappingStore, type Following, type LoadedMappings, type StoredMapping } from '#claims';
import { SnapshotFile } from '#mapping-store';
import { createLogger } from '#observability';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClaimMappingService } from './claim-mapping.service.js';

const application = '3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9a01';
const selector = { tenant: 'contoso', application };
const context = { tenants: new Set(['contoso']), sources: new Map() };
const log = createLogger('silent');

const portal = (revision: string, change: object = {}): StoredMapping => ({
  origin: 'portal.yaml',
  revision,
  content: {
    kind: 'document',
    document: {
      name: 'portal',
      tenant: 'contoso',
      applications: [application],
      claims: { tier: { value: revision } },
      ...change,
    },
  },
});

class SettableStore extends MappingStore {
  override readonly kind = 'settable';
  answer: LoadedMappings = { kind: 'loaded', mappings: [] };
  gate: Promise<void> = Promise.resolve();
  error: Error | undefined;
  loads = 0;
  override following: Following = { listening: true };
  private readonly listeners = new Set<() => void>();

  override async load(): Promise<LoadedMappings> {
    this.loads++;
    const { answer } = this;
    await this.gate;
    if (this.error) throw this.error;
    return answer;
  }

  override onPublish(listener: () => void): Disposable {
    this.listeners.add(listener);
    return { [Symbol.dispose]: () => void this.listeners.delete(listener) };
  }

  publish(answer: LoadedMappings): void {
    this.answer = answer;
    for (const listener of this.listeners) listener();
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }
}

let folder: string;
let file: SnapshotFile;
let store: SettableStore;
const services: ClaimMappingService[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-service-'));
  file = new SnapshotFile(path.join(folder, 'snapshot.json'));
  store = new SettableStore();
});

afterEach(async () => {
  for (const service of services.splice(0)) service.close();
  await rm(folder, { recursive: true, force: true });
});

function create(): ClaimMappingService {
  const service = new ClaimMappingService(store, file, context, log);
  services.push(service);
  return service;
}

const revision = (service: ClaimMappingService): string => {
  const selection = service.select(selector.tenant, selector);
  return selection.kind === 'mapping' ? selection.plan.revision : selection.kind;
};

describe('ClaimMappingService', () => {
  it('is unloaded before the first load', () => {
    const service = create();
    expect(revision(service)).toBe('unloaded');
    expect(service.state).toMatchObject({ kind: 'none', store: { state: 'unknown' }, snapshot: { origin: 'none', mappings: 0 } });
  });

  it('takes what the store has, and keeps it on disk', async () => {
    store.answer = { kind: 'loaded', mappings: [portal('one')] };
    const service = create();
    await service.load();
    expect(revision(service)).toBe('one');
    expect(service.state).toMatchObject({
      kind: 'loaded',
      store: { state: 'up' },
      snapshot: { origin: 'store', mappings: 1, file: 'written' },
    });
    expect(await file.read()).toMatchObject({ kind: 'saved', mappings: [{ revision: 'one' }] });
  });

  it('starts with the snapshot file where the store is down, and says so', async () => {
    await file.write([portal('saved')], new Date('2026-01-02T03:04:05Z'));
    store.answer = { kind: 'unavailable', detail: 'gone' };
    const service = create();
    await service.load();
    expect(revision(service)).toBe('saved');
    expect(service.state).toMatchObject({
      store: { state: 'down', lastError: { detail: 'gone' } },
      snapshot: { origin: 'file', asOf: new Date('2026-01-02T03:04:05Z') },
    });
  });

  it('keeps what is in force while the store is down, and recovers by itself', async () => {
    store.answer = { kind: 'loaded', mappings: [portal('one')] };
    const service = create();
    await service.start(5);
    store.answer = { kind: 'unavailable', detail: 'gone' };
    await service.load();
    expect([revision(service), service.state.store.state]).toEqual(['one', 'down']);
    store.answer = { kind: 'loaded', mappings: [portal('two')] };
    await expect.poll(() => revision(service)).toBe('two');
    expect(service.state.store.state).toBe('up');
  });

  it('does not take a load that throws for a success, and tries again', async () => {
    store.answer = { kind: 'loaded', mappings: [portal('one')] };
    store.error = new Error('the driver said something about a password');
    const service = create();
    await service.start(5);
    expect(service.state).toMatchObject({
      kind: 'none',
      store: { state: 'down', lastError: { detail: 'the mappings could not be loaded' } },
    });
    store.error = undefined;
    await expect.poll(() => revision(service)).toBe('one');
    expect(service.state.store.state).toBe('up');
  });

  it('is not up by a load whose documents cannot be worked on', async () => {
    const poisoned = portal('one');
    Object.defineProperty(poisoned, 'content', {
      get: () => {
        throw new Error('broken');
      },
    });
    store.answer = { kind: 'loaded', mappings: [poisoned] };
    const service = create();
    await service.load();
    expect(service.state).toMatchObject({ kind: 'none', store: { state: 'down' } });
  });

  it('keeps the last revision of a mapping that got worse, over a restart too', async () => {
    store.answer = { kind: 'loaded', mappings: [portal('one')] };
    await create().load();
    store.answer = { kind: 'loaded', mappings: [portal('two', { surprise: true })] };
    const restarted = create();
    await restarted.load();
    expect(revision(restarted)).toBe('one');
    expect(restarted.state.snapshot.problems).toEqual([expect.objectContaining({ origin: 'portal.yaml', retained: true })]);
  });

  describe('after a restart while the store is down', () => {
    const fallback: StoredMapping = {
      ...portal('fallback', { name: 'fallback', applications: ['*'] }),
      origin: 'fallback.yaml',
    };

    const restartedWith = async (...mappings: StoredMapping[]): Promise<ClaimMappingService> => {
      store.answer = { kind: 'loaded', mappings: [fallback, ...mappings] };
      await create().load();
      store.answer = { kind: 'unavailable', detail: 'gone' };
      const restarted = create();
      await restarted.load();
      return restarted;
    };

    it.each<[string, StoredMapping]>([
      ['does not compile', portal('one', { surprise: true })],
      ['has a red test', portal('one', { tests: [{ name: 'red', expect: { tier: 'two' } }] })],
      ['is not even a document', { ...portal('one'), content: { kind: 'unreadable', reason: 'is not valid YAML' } }],
    ])('never gives the fallback to applications of a mapping that %s', async (_name, refused) => {
      const restarted = await restartedWith(refused);
      expect(restarted.select(selector.tenant, selector)).toEqual({ kind: 'invalid', origin: 'portal.yaml' });
      expect(restarted.state.snapshot).toMatchObject({ origin: 'file', problems: [{ origin: 'portal.yaml', retained: false }] });
    });

    it('gives the fallback to the others, and serves what was mended once the store is there', async () => {
      const restarted = await restartedWith(portal('one', { surprise: true }));
      expect(restarted.select(selector.tenant, { ...selector, application: application.replace(/1$/, '2') })).toMatchObject({
        kind: 'mapping',
      });
      store.answer = { kind: 'loaded', mappings: [fallback, portal('two')] };
      await restarted.load();
      expect(revision(restarted)).toBe('two');
    });
  });

  it('does not use a damaged snapshot file', async () => {
    await writeFile(path.join(folder, 'snapshot.json'), '{"format":1');
    store.answer = { kind: 'unavailable', detail: 'gone' };
    const service = create();
    await service.load();
    expect(revision(service)).toBe('unloaded');
  });

  it('serves although the snapshot file cannot be written, and says so', async () => {
    await writeFile(path.join(folder, 'plain'), '');
    file = new SnapshotFile(path.join(folder, 'plain', 'snapshot.json'));
    store.answer = { kind: 'loaded', mappings: [portal('one')] };
    const service = create();
    await service.load();
    expect([revision(service), service.state.snapshot.file]).toEqual(['one', 'failed']);
  });

  it('loads one after the other: a slow load never overwrites a later one', async () => {
    const service = create();
    const { promise, resolve } = Promise.withResolvers<void>();
    store.gate = promise;
    store.answer = { kind: 'loaded', mappings: [portal('old')] };
    const slow = service.load();
    await expect.poll(() => store.loads).toBe(1);
    store.answer = { kind: 'loaded', mappings: [portal('new')] };
    const later = service.load();
    resolve();
    await Promise.all([slow, later]);
    expect(revision(service)).toBe('new');
  });
});
