import type { MappingStore } from '#claims';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** A store in which documents can be put in force and taken out again, for the suite. */
export interface StoreHarness {
  readonly store: MappingStore;
  put(name: string, document: object): Promise<void>;
  remove(name: string): Promise<void>;
  /** The store cannot be read from now on, until the returned function is called. */
  breakDown(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** What every MappingStore owes: the contract of the port. */
export function describeMappingStore(adapter: string, open: () => Promise<StoreHarness>): void {
  const read = async ({ store }: StoreHarness) => {
    const answer = await store.load();
    if (answer.kind !== 'loaded') return expect.unreachable(answer.detail);
    return answer.mappings;
  };
  const document = (tier: string): object => ({ name: 'portal', tenant: 'contoso', claims: { tier: { value: tier } } });

  describe(`${adapter} is a MappingStore`, () => {
    let harness: StoreHarness;
    beforeEach(async () => {
      harness = await open();
    });
    afterEach(() => harness?.close());

    it('that may be empty', async () => {
      expect(await read(harness)).toEqual([]);
    });

    it('that gives every document in force, each with an origin of its own, in a stable order', async () => {
      for (const each of ['b', 'c', 'a']) await harness.put(each, { ...document('gold'), name: each });
      const first = await read(harness);
      expect(first).toHaveLength(3);
      expect(new Set(first.map(({ origin }) => origin)).size).toBe(3);
      expect((await read(harness)).map(({ origin }) => origin)).toEqual(first.map(({ origin }) => origin));
    });

    it('whose revisions tell contents apart, and nothing else', async () => {
      await harness.put('portal', { claims: { a: { value: '1' }, b: { value: '2' } } });
      const [before] = await read(harness);
      await harness.put('portal', { claims: { b: { value: '2' }, a: { value: '1' } } });
      const [reordered] = await read(harness);
      await harness.put('portal', { claims: { a: { value: '1' }, b: { value: '3' } } });
      const [after] = await read(harness);
      expect(reordered?.revision).toBe(before?.revision);
      expect(after?.revision).not.toBe(before?.revision);
      expect(after?.origin).toBe(before?.origin);
    });

    it('that gives documents as data, with the keys as their author ordered them', async () => {
      const written = { claims: { z: { value: 'größer, 日本 🙂' }, a: { value: 'no' } } };
      await harness.put('portal', written);
      const [mapping] = await read(harness);
      expect(mapping?.content).toEqual({ kind: 'document', document: written });
      expect(JSON.stringify(mapping?.content)).toContain(JSON.stringify(written));
    });

    it('without what was taken out of force', async () => {
      await harness.put('a', { name: 'a' });
      await harness.put('b', { name: 'b' });
      await harness.remove('a');
      expect((await read(harness)).map(({ content }) => content)).toEqual([{ kind: 'document', document: { name: 'b' } }]);
    });

    it('that tells whoever listens of every change, and nobody who has gone', async () => {
      await harness.put('portal', document('gold'));
      let heard = 0;
      let gone = 0;
      using _listening = harness.store.onPublish(() => heard++);
      harness.store.onPublish(() => gone++)[Symbol.dispose]();
      await expect.poll(() => harness.store.following.listening, { timeout: 10_000 }).toBe(true);
      for (const change of [() => harness.put('portal', document('silver')), () => harness.remove('portal')]) {
        const before = heard;
        await change();
        await expect.poll(() => heard, { timeout: 10_000 }).toBeGreaterThan(before);
      }
      expect(gone).toBe(0);
    });

    it('that says when it cannot be read, and can be read again afterwards', async () => {
      await harness.put('portal', document('gold'));
      await read(harness);
      const repair = await harness.breakDown();
      expect(await harness.store.load()).toMatchObject({ kind: 'unavailable', detail: expect.stringMatching(/./) });
      await repair();
      await expect.poll(async () => (await harness.store.load()).kind, { timeout: 10_000 }).toBe('loaded');
      expect(await read(harness)).toHaveLength(1);
    });
  });
}
