import type { Actor, Change, MappingKey, MappingRecord, MappingRepository, Publication, PublishCheck } from '#claims';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

export interface RepositoryHarness {
  readonly repository: MappingRepository;
  /** The same store, as another replica sees it. */
  readonly replica: MappingRepository;
  close(): Promise<void>;
}

export const ada: Actor = { id: '7f6c0d3a-0000-4000-8000-000000000001', name: 'Ada', address: '192.0.2.1' };
export const allow: PublishCheck = () => Promise.resolve([]);
const refuse: PublishCheck = () => Promise.resolve([{ path: ['claims'], reason: 'is wrong' }]);

export const document = (name: string, value = 'gold', more: object = {}): object => ({
  name,
  tenant: 'contoso',
  applications: ['3A1C9F52-6D0E-4B7A-8F11-5B2E7C4D9A01'],
  claims: { tier: { value } },
  ...more,
});

/** The record of a change that must have happened. */
export function changed(result: Change | Publication): MappingRecord {
  if (result.kind === 'changed') return result.record;
  return expect.unreachable(`is ${JSON.stringify(result)}`);
}

/** What every MappingRepository owes: the contract of the port. Its documents are left behind; names are new in every test. */
export function describeMappingRepository(adapter: string, open: () => Promise<RepositoryHarness>): void {
  describe(`${adapter} is a MappingRepository`, () => {
    let harness: RepositoryHarness;
    let repository: MappingRepository;
    let key: MappingKey;
    let count = 0;
    beforeAll(async () => {
      harness = await open();
      ({ repository } = harness);
    });
    afterAll(() => harness?.close());
    beforeEach(() => {
      key = { tenant: 'contoso', name: `mapping-${++count}` };
    });

    const save = async (value = 'gold', expected?: number): Promise<MappingRecord> =>
      changed(await repository.saveDraft(key, document(key.name, value), expected ?? (await version()), ada));
    const publish = async (value = 'gold'): Promise<MappingRecord> =>
      changed(await repository.publish(key, (await save(value)).version, `to ${value}`, ada, allow));
    const version = async (): Promise<number> => {
      const answer = await repository.read(key);
      return answer.kind === 'found' ? answer.record.version : 0;
    };
    const inForce = async (of: MappingRepository = repository): Promise<unknown> => {
      const loaded = await of.load();
      if (loaded.kind !== 'loaded') return loaded;
      const found = loaded.mappings.find(({ origin }) => origin === `${key.tenant}/${key.name}`);
      return found?.content.kind === 'document' ? found.content.document : undefined;
    };

    describe('drafts', () => {
      it('makes a new document from a draft, which is in force for nobody', async () => {
        const record = await save();
        expect(record).toMatchObject({ ...key, draft: { author: ada } });
        expect(record.version).toBeGreaterThan(0);
        expect(record).not.toHaveProperty('published');
        expect(record.draft).not.toHaveProperty('basedOn');
        expect(await repository.read(key)).toEqual({ kind: 'found', record });
        expect(await repository.readDraft(key)).toEqual({
          kind: 'found',
          draft: record.draft,
          document: document(key.name),
          version: record.version,
        });
        expect(await inForce()).toBeUndefined();
      });

      it('replaces the draft, and remembers which revision it started from', async () => {
        await publish();
        const first = await save('silver');
        const second = await save('bronze');
        expect([first.draft?.basedOn, second.draft?.basedOn]).toEqual([1, 1]);
        expect(second.version).toBeGreaterThan(first.version);
        expect(await repository.readDraft(key)).toMatchObject({ document: document(key.name, 'bronze') });
        expect(await inForce()).toEqual(document(key.name, 'gold'));
      });

      it('says what a document is: its newest revision, or its draft while there is none', async () => {
        const claimSet = { claimSet: key.name, tenant: 'contoso', claims: { '"claimSet"\\': { value: '\0 \uD800 \\u0000"' } } };
        const kind = async (): Promise<string> => {
          const answer = await repository.read(key);
          return answer.kind === 'found' ? answer.record.kind : answer.kind;
        };
        const drafted = changed(await repository.saveDraft(key, claimSet, 0, ada));
        expect([drafted.kind, await kind()]).toEqual(['claimSet', 'claimSet']);
        const published = changed(await repository.publish(key, drafted.version, '', ada, allow));
        expect(published.kind).toBe('claimSet');
        await save();
        expect(await kind()).toBe('claimSet');
        const deleted = changed(await repository.delete(key, await version(), ada, allow));
        expect(deleted.kind).toBe('claimSet');
        expect((await publish()).kind).toBe('mapping');
        const page = await repository.list({ tenant: 'contoso', name: key.name, limit: 1_000 });
        expect(page.kind === 'found' && page.records.find(({ name }) => name === key.name)?.kind).toBe('mapping');
      });

      it('of a discarded claim set says that it was one', async () => {
        const drafted = changed(await repository.saveDraft(key, { claimSet: key.name, tenant: 'contoso', claims: {} }, 0, ada));
        expect(changed(await repository.discardDraft(key, drafted.version, ada)).kind).toBe('claimSet');
      });

      it('discards a draft; a document that had nothing else is gone, and its versions never come again', async () => {
        const record = await save();
        const discarded = changed(await repository.discardDraft(key, record.version, ada));
        expect(await repository.read(key)).toEqual({ kind: 'unknown' });
        expect(await repository.readDraft(key)).toEqual({ kind: 'unknown' });
        expect(await repository.saveDraft(key, document(key.name), record.version, ada)).toEqual({ kind: 'unknown' });
        expect((await save('gold', 0)).version).toBeGreaterThan(discarded.version);
      });

      it.each([
        ['a text of NUL and a lone surrogate', { claims: { a: { value: '\0 \uD800 \uFFFF' } } }],
        ['the keys of JavaScript', JSON.parse('{"__proto__":{"a":1},"constructor":null,"toString":"x"}') as object],
        ['numbers, nulls and lists', { a: [1.5, -0.25, 1e21, null, true, [], {}] }],
        ['not an object', 'text'],
      ])('keeps %s as it was', async (_what, content) => {
        const record = changed(await repository.saveDraft(key, content, 0, ada));
        expect(await repository.readDraft(key)).toMatchObject({ document: content });
        changed(await repository.publish(key, record.version, '', ada, allow));
        expect(JSON.stringify(await inForce(harness.replica))).toBe(JSON.stringify(content));
      });

      it.each([
        ['larger than 256 KB', { text: 'x'.repeat(256 * 1024) }],
        ['not JSON', undefined],
        ['a number that JSON does not know', { value: 1n }],
      ])('refuses what is %s', async (_what, content) => {
        expect(await repository.saveDraft(key, content, 0, ada)).toMatchObject({ kind: 'refused', issues: [{ path: [] }] });
        expect(await repository.read(key)).toEqual({ kind: 'unknown' });
      });

      it.each(['', 'UPPER', 'a\0b', '\uD800', "'; drop table document; --", '../../etc/passwd', 'x'.repeat(64)])(
        'has nothing under a name that no document can have: %j',
        async (hostile) => {
          for (const bad of [
            { tenant: 'contoso', name: hostile },
            { tenant: hostile, name: 'portal' },
          ]) {
            expect(await repository.saveDraft(bad, document('portal'), 0, ada)).toMatchObject({ kind: 'refused' });
            expect(await repository.read(bad)).toEqual({ kind: 'unknown' });
            expect(await repository.readDraft(bad)).toEqual({ kind: 'unknown' });
            expect(await repository.readRevision(bad, 1)).toEqual({ kind: 'unknown' });
            expect(await repository.revisions(bad, { limit: 10 })).toEqual({ kind: 'unknown' });
            expect(await repository.publish(bad, 1, '', ada, allow)).toEqual({ kind: 'unknown' });
          }
        },
      );
    });

    describe('publishing', () => {
      it('makes the draft a revision and puts it in force, on every replica', async () => {
        const record = await publish();
        expect(record.published).toMatchObject({ ...key, number: 1, author: ada, comment: 'to gold' });
        expect(record).not.toHaveProperty('draft');
        expect(await inForce()).toEqual(document(key.name));
        expect(await inForce(harness.replica)).toEqual(document(key.name));
      });

      it('numbers revisions one after the other and keeps them all', async () => {
        for (const value of ['gold', 'silver', 'bronze']) await publish(value);
        const answer = await repository.revisions(key, { limit: 10 });
        if (answer.kind !== 'found') return expect.unreachable(answer.kind);
        expect(answer.revisions.map(({ number, comment }) => [number, comment])).toEqual([
          [3, 'to bronze'],
          [2, 'to silver'],
          [1, 'to gold'],
        ]);
        expect(await repository.readRevision(key, 2)).toMatchObject({
          kind: 'found',
          revision: answer.revisions[1],
          document: document(key.name, 'silver'),
        });
        for (const number of [4, 0, -1, 1.5, Number.NaN, 2 ** 40])
          expect(await repository.readRevision(key, number)).toEqual({ kind: 'unknown' });
      });

      it('gives equal contents equal revisions, whatever the order of their keys', async () => {
        const { published: first } = await publish('gold');
        await publish('silver');
        const reversed = Object.fromEntries(Object.entries(document(key.name)).toReversed());
        const saved = changed(await repository.saveDraft(key, reversed, await version(), ada));
        const { published: third } = changed(await repository.publish(key, saved.version, '', ada, allow));
        expect(third).toMatchObject({ number: 3, revision: first?.revision });
      });

      it('is refused by the check, which sees what would be in force, and then changes nothing', async () => {
        await publish('gold');
        const before = await save('silver');
        const seen: unknown[] = [];
        const result = await repository.publish(key, before.version, '', ada, (stored) => {
          seen.push(stored.find(({ origin }) => origin.endsWith(`/${key.name}`))?.content);
          return refuse(stored);
        });
        expect(result).toEqual({ kind: 'refused', issues: [{ path: ['claims'], reason: 'is wrong' }] });
        expect(seen).toEqual([{ kind: 'document', document: document(key.name, 'silver') }]);
        expect(await repository.read(key)).toEqual({ kind: 'found', record: before });
        expect(await inForce()).toEqual(document(key.name, 'gold'));
      });

      it('shows the check documents of its tenant only', async () => {
        const elsewhere = { tenant: 'fabrikam', name: key.name };
        const saved = changed(await repository.saveDraft(elsewhere, document(key.name), 0, ada));
        changed(await repository.publish(elsewhere, saved.version, '', ada, allow));
        let origins: readonly string[] = [];
        await repository.publish(key, (await save()).version, '', ada, (stored) => {
          origins = stored.map(({ origin }) => origin);
          return allow(stored);
        });
        expect(origins).toContain(`contoso/${key.name}`);
        expect(origins.filter((origin) => !origin.startsWith('contoso/'))).toEqual([]);
      });

      it('hands on what the check throws, and changes nothing', async () => {
        const before = await save();
        const failing = repository.publish(key, before.version, '', ada, () => Promise.reject(new Error('a defect')));
        await expect(failing).rejects.toThrow('a defect');
        expect(await repository.read(key)).toEqual({ kind: 'found', record: before });
      });

      it('is unknown without a draft', async () => {
        const record = await publish();
        expect(await repository.publish(key, record.version, '', ada, allow)).toEqual({ kind: 'unknown' });
        expect(await repository.discardDraft(key, record.version, ada)).toEqual({ kind: 'unknown' });
      });

      it('keeps a hostile comment and author in a form that can be read back', async () => {
        const saved = await save();
        const author = { id: 'x\0y', name: '\uD800', address: "');--" };
        const record = changed(await repository.publish(key, saved.version, 'a\0b\uDC00', author, allow));
        expect(record.published).toMatchObject({
          comment: 'a\uFFFDb\uFFFD',
          author: { id: 'x\uFFFDy', name: '\uFFFD', address: "');--" },
        });
      });
    });

    describe('rolling back', () => {
      it('makes an earlier content the newest revision, and leaves a draft alone', async () => {
        const { published: first } = await publish('gold');
        await publish('silver');
        const drafted = await save('bronze');
        const record = changed(await repository.rollBack(key, 1, drafted.version, 'took it back', ada, allow));
        expect(record.published).toMatchObject({
          number: 3,
          revision: first?.revision,
          rolledBackTo: 1,
          comment: 'took it back',
        });
        expect(record.draft).toEqual(drafted.draft);
        expect(await inForce()).toEqual(document(key.name, 'gold'));
      });

      it('is refused by the check, and unknown for a revision that is not there', async () => {
        await publish('gold');
        const { version: present } = await publish('silver');
        expect(await repository.rollBack(key, 1, present, '', ada, refuse)).toMatchObject({ kind: 'refused' });
        expect(await repository.rollBack(key, 9, present, '', ada, allow)).toEqual({ kind: 'unknown' });
        expect(await repository.rollBack(key, Number.NaN, present, '', ada, allow)).toEqual({ kind: 'unknown' });
        expect(await inForce()).toEqual(document(key.name, 'silver'));
      });
    });

    describe('deleting', () => {
      it('takes a document out of force, keeps its revisions, and can be undone', async () => {
        const { version: present, published } = await publish();
        const deleted = changed(await repository.delete(key, present, ada, allow));
        expect(deleted).toMatchObject({ deleted: { by: ada } });
        expect(deleted).not.toHaveProperty('published');
        expect(await inForce()).toBeUndefined();
        expect(await repository.readRevision(key, 1)).toMatchObject({ kind: 'found' });
        const restored = changed(await repository.restore(key, deleted.version, ada, allow));
        expect(restored.published).toEqual(published);
        expect(restored).not.toHaveProperty('deleted');
        expect(await inForce()).toEqual(document(key.name));
      });

      it('can be undone for a document that was never published', async () => {
        const { version: present, draft } = await save();
        const deleted = changed(await repository.delete(key, present, ada, allow));
        const restored = changed(await repository.restore(key, deleted.version, ada, allow));
        expect(restored).toMatchObject({ draft });
        expect(restored).not.toHaveProperty('published');
      });

      it('is unknown twice, and so is undoing what was not done', async () => {
        const { version: present } = await publish();
        expect(await repository.restore(key, present, ada, allow)).toEqual({ kind: 'unknown' });
        const deleted = changed(await repository.delete(key, present, ada, allow));
        expect(await repository.delete(key, deleted.version, ada, allow)).toEqual({ kind: 'unknown' });
      });

      it('is refused by the check, both ways', async () => {
        const { version: present } = await publish();
        expect(await repository.delete(key, present, ada, refuse)).toMatchObject({ kind: 'refused' });
        const deleted = changed(await repository.delete(key, present, ada, allow));
        expect(await repository.restore(key, deleted.version, ada, refuse)).toMatchObject({ kind: 'refused' });
        expect(await inForce()).toBeUndefined();
      });

      it('ends with the next publish', async () => {
        const deleted = changed(await repository.delete(key, (await publish()).version, ada, allow));
        const saved = changed(await repository.saveDraft(key, document(key.name, 'silver'), deleted.version, ada));
        const record = changed(await repository.publish(key, saved.version, '', ada, allow));
        expect(record).not.toHaveProperty('deleted');
        expect(record.published?.number).toBe(2);
      });
    });

    describe('changes by several', () => {
      it('is a conflict for everybody who has not seen the present version', async () => {
        await publish('gold');
        const { version: current } = await save('silver');
        const conflict = { kind: 'conflict', current };
        for (const seen of [0, current - 1, current + 1]) {
          expect(await repository.saveDraft(key, document(key.name), seen, ada)).toEqual(conflict);
          expect(await repository.discardDraft(key, seen, ada)).toEqual(conflict);
          expect(await repository.publish(key, seen, '', ada, allow)).toEqual(conflict);
          expect(await repository.rollBack(key, 1, seen, '', ada, allow)).toEqual(conflict);
          expect(await repository.delete(key, seen, ada, allow)).toEqual(conflict);
          expect(await repository.restore(key, seen, ada, allow)).toEqual(conflict);
        }
        expect(await inForce()).toEqual(document(key.name, 'gold'));
      });

      it('is unknown where there is no document', async () => {
        expect(await repository.saveDraft(key, document(key.name), 3, ada)).toEqual({ kind: 'unknown' });
        expect(await repository.publish(key, 0, '', ada, allow)).toEqual({ kind: 'unknown' });
        expect(await repository.delete(key, 1, ada, allow)).toEqual({ kind: 'unknown' });
        expect(await repository.read(key)).toEqual({ kind: 'unknown' });
      });

      it('lets exactly one of several win, whatever they do at the same time', async () => {
        const { version: present } = await save();
        const results = await Promise.all(
          [repository, harness.replica, repository, harness.replica].flatMap((each) => [
            each.publish(key, present, '', ada, allow),
            each.saveDraft(key, document(key.name, 'other'), present, ada),
          ]),
        );
        expect(results.filter(({ kind }) => kind === 'changed')).toHaveLength(1);
        expect(new Set(results.map(({ kind }) => kind))).toEqual(new Set(['changed', 'conflict']));
        expect(await version()).toBe(present + 1);
      });

      it('lets exactly one of several create a document', async () => {
        const results = await Promise.all(
          [repository, harness.replica, repository, harness.replica].map((each, index) =>
            each.saveDraft(key, document(key.name, `value ${index}`), 0, ada),
          ),
        );
        expect(results.filter(({ kind }) => kind === 'changed')).toHaveLength(1);
        expect(results.filter(({ kind }) => kind === 'conflict')).toHaveLength(3);
      });

      it('judges two publishes of a tenant one after the other, so that they cannot contradict each other', async () => {
        const names = ['left', 'right'].map((side) => `${key.name}-${side}`);
        const saved = await Promise.all(
          names.map(async (each) => changed(await repository.saveDraft({ ...key, name: each }, document(each), 0, ada))),
        );
        /** Only one of the two may be in force. */
        const onlyOne: PublishCheck = async (stored) => {
          await new Promise((resolve) => setImmediate(resolve));
          const both = names.every((each) => stored.some(({ origin }) => origin === `contoso/${each}`));
          return both ? [{ path: ['applications'], reason: 'clash' }] : [];
        };
        const results = await Promise.all(
          saved.map((record, index) => [repository, harness.replica][index]!.publish(record, record.version, '', ada, onlyOne)),
        );
        expect(results.map(({ kind }) => kind).toSorted()).toEqual(['changed', 'refused']);
      });
    });

    describe('lists', () => {
      const all = async (filter: { tenant?: string; name?: string; application?: string }, limit = 2): Promise<string[]> => {
        const names: string[] = [];
        for (let after: string | undefined; ;) {
          const page = await repository.list({ ...filter, limit, ...(after !== undefined && { after }) });
          if (page.kind !== 'found') return expect.unreachable(page.detail);
          names.push(...page.records.map((record) => `${record.tenant}/${record.name}`));
          if (page.next === undefined) return names;
          after = page.next;
        }
      };
      const create = async (name: string, more: object = {}): Promise<void> =>
        void changed(await repository.saveDraft({ tenant: 'lists', name }, document(name, 'gold', more), 0, ada));

      it('gives every document once, in the order of tenant and name, while others come', async () => {
        const part = key.name;
        for (const each of ['d', 'b', 'f']) await create(`${part}-${each}`);
        const first = await repository.list({ tenant: 'lists', name: `${part}-`, limit: 2 });
        if (first.kind !== 'found') return expect.unreachable(first.detail);
        for (const each of ['a', 'c', 'e']) await create(`${part}-${each}`);
        const second = await repository.list({ tenant: 'lists', name: `${part}-`, limit: 2, after: first.next! });
        if (second.kind !== 'found') return expect.unreachable(second.detail);
        expect([...first.records, ...second.records].map((record) => record.name.at(-1))).toEqual(['b', 'd', 'e', 'f']);
        expect(second).not.toHaveProperty('next');
        expect(await all({ tenant: 'lists', name: `${part}-` })).toEqual(
          ['a', 'b', 'c', 'd', 'e', 'f'].map((each) => `lists/${part}-${each}`),
        );
      });

      it('filters by part of the name, by application and by state', async () => {
        const application = '99999999-0000-0000-0000-00000000ABCD';
        await create(`${key.name}-x`, { applications: [application] });
        await create(`${key.name}-y`);
        expect(await all({ name: `${key.name.toUpperCase()}-X` })).toEqual([`lists/${key.name}-x`]);
        expect(await all({ application: application.toLowerCase() })).toEqual([`lists/${key.name}-x`]);
        await publish('gold');
        const states = await Promise.all(
          (['published', 'draft', 'deleted'] as const).map(async (state) => {
            const page = await repository.list({ name: key.name, state, limit: 100 });
            return page.kind === 'found' ? page.records.map((record) => record.name) : page.detail;
          }),
        );
        expect(states).toEqual([[key.name], [`${key.name}-x`, `${key.name}-y`], []]);
      });

      it.each(['\0', '%', "'", '\uD800', '/', '💥', 'contoso', 'contoso/', 'a/b/c'])(
        'takes any text as filter and place: %j',
        async (text) => {
          for (const filter of [{ name: text }, { application: text }, { tenant: text }, { after: text }])
            expect(await repository.list({ ...filter, limit: 1 })).toMatchObject({ kind: 'found' });
          expect(await repository.audit({ action: text, target: text, tenant: text, actor: text, limit: 1 })).toMatchObject({
            kind: 'found',
          });
          expect(await repository.audit({ after: text, limit: 1 })).toMatchObject({ kind: 'found' });
        },
      );

      it('pages through revisions, the newest first, while others come', async () => {
        for (const value of ['a', 'b', 'c', 'd', 'e']) await publish(value);
        const first = await repository.revisions(key, { limit: 2 });
        if (first.kind !== 'found') return expect.unreachable(first.kind);
        await publish('f');
        const second = await repository.revisions(key, { limit: 2, after: first.next! });
        if (second.kind !== 'found') return expect.unreachable(second.kind);
        const third = await repository.revisions(key, { limit: 2, after: second.next! });
        if (third.kind !== 'found') return expect.unreachable(third.kind);
        expect([first, second, third].flatMap(({ revisions }) => revisions.map(({ number }) => number))).toEqual([5, 4, 3, 2, 1]);
        expect(third).not.toHaveProperty('next');
      });
    });

    describe('audit', () => {
      const entries = async (): Promise<unknown[]> => {
        const page = await repository.audit({ target: key.name, limit: 100 });
        if (page.kind !== 'found') return expect.unreachable(page.detail);
        return page.entries.map(({ action, tenant, actor, details }) => [action, tenant, actor, details]);
      };

      it('has who did what to which document, the newest first', async () => {
        const saved = await save();
        const published = changed(await repository.publish(key, saved.version, '', ada, allow));
        const rolled = changed(await repository.rollBack(key, 1, published.version, '', ada, allow));
        const deleted = changed(await repository.delete(key, rolled.version, ada, allow));
        const restored = changed(await repository.restore(key, deleted.version, ada, allow));
        const { revision } = published.published!;
        expect(await entries()).toEqual(
          [
            ['mapping.draft.save', saved, {}],
            ['mapping.publish', published, { number: 1, revision }],
            ['mapping.rollback', rolled, { number: 2, to: 1, revision }],
            ['mapping.delete', deleted, { number: 2 }],
            ['mapping.restore', restored, { number: 2 }],
          ]
            .toReversed()
            .map(([action, record, details]) => [
              action,
              'contoso',
              ada,
              { ...(details as object), version: (record as MappingRecord).version },
            ]),
        );
      });

      it('has nothing of what did not happen', async () => {
        const saved = await save();
        await repository.publish(key, saved.version, '', ada, refuse);
        await repository.publish(key, saved.version + 1, '', ada, allow);
        expect(await entries()).toHaveLength(1);
      });

      it('takes other entries, hostile ones too, and gives them page by page', async () => {
        const entry = (index: number, details: object = {}) => ({
          at: new Date(Date.UTC(2026, 0, index)),
          actor: ada,
          action: 'mapping.preview',
          target: key.name,
          details: { index, ...details },
        });
        for (const index of [1, 2, 3]) expect(await repository.record(entry(index))).toEqual({ kind: 'recorded' });
        expect(await repository.record(entry(4, { text: '\0\uD800' }))).toEqual({ kind: 'recorded' });
        const first = await repository.audit({ target: key.name, limit: 3 });
        if (first.kind !== 'found') return expect.unreachable(first.detail);
        await repository.record(entry(5));
        const second = await repository.audit({ target: key.name, limit: 3, after: first.next! });
        if (second.kind !== 'found') return expect.unreachable(second.detail);
        expect([...first.entries, ...second.entries].map(({ details }) => details['index'])).toEqual([4, 3, 2, 1]);
        expect(first.entries[0]?.details['text']).toBe('\uFFFD\uFFFD');
        const between = await repository.audit({ target: key.name, from: entry(2).at, to: entry(4).at, limit: 10 });
        expect(between).toMatchObject({ entries: [{ details: { index: 3 } }, { details: { index: 2 } }] });
      });
    });

    describe('replicas', () => {
      it('tells every replica of a publish, a roll-back, a deletion and its undoing', async () => {
        const heard = { here: 0, there: 0 };
        using _here = repository.onPublish(() => heard.here++);
        using _there = harness.replica.onPublish(() => heard.there++);
        const steps = [
          (seen: number) => repository.publish(key, seen, '', ada, allow),
          (seen: number) => repository.rollBack(key, 1, seen, '', ada, allow),
          (seen: number) => repository.delete(key, seen, ada, allow),
          (seen: number) => repository.restore(key, seen, ada, allow),
        ];
        let { version: seen } = await save();
        for (const step of steps) {
          const before = { ...heard };
          ({ version: seen } = changed(await step(seen)));
          await expect.poll(() => [heard.here > before.here, heard.there > before.there]).toEqual([true, true]);
        }
      });

      it('tells nobody who has gone', async () => {
        let heard = 0;
        repository.onPublish(() => heard++)[Symbol.dispose]();
        let others = 0;
        using _other = repository.onPublish(() => others++);
        await publish();
        await expect.poll(() => others).toBeGreaterThan(0);
        expect(heard).toBe(0);
      });
    });
  });
}
