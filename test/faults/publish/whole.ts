import { expect } from 'vitest';
import type pg from 'pg';

interface Entry {
  readonly target: string;
  readonly action: string;
  readonly details: { readonly version: number; readonly number?: number; readonly revision?: string };
}

/** What a document must be like after what the audit says. */
function replay(entries: readonly Entry[]): object {
  const state = { published: null as number | null, deleted: false, drafted: false };
  for (const { action, details } of entries) {
    const published = details.number ?? null;
    if (action === 'mapping.draft.save') state.drafted = true;
    if (action === 'mapping.publish') Object.assign(state, { published, deleted: false, drafted: false });
    if (['mapping.rollback', 'mapping.restore'].includes(action)) Object.assign(state, { published, deleted: false });
    if (action === 'mapping.delete') Object.assign(state, { published: null, deleted: true });
  }
  return state;
}

/**
 * Holds the tables of a store to its audit: no half of anything is there, and nothing is lost of what its author was told.
 * @param told the last version of each document that somebody was told
 */
export async function expectWhole(
  observer: pg.Client,
  told: ReadonlyMap<string, number>,
): Promise<{ readonly changes: number; readonly publications: number }> {
  const rows = async <Row extends object>(sql: string): Promise<readonly Row[]> => (await observer.query<Row>(sql)).rows;
  // What a server still does for a process that was killed may become visible meanwhile.
  await observer.query('begin isolation level repeatable read read only');
  const audit = await rows<Entry>('select target, action, details from claimbridge.audit order by id');
  const present = await rows<{ name: string; version: number; published: number | null; deleted: boolean }>(
    'select name, version, published, deleted_at is not null as deleted from claimbridge.document order by name',
  );
  const revisions = await rows<{ name: string; number: number; revision: string }>(
    'select name, number, revision from claimbridge.revision order by name, number',
  );
  const drafts = await rows<{ name: string }>('select name from claimbridge.draft');
  const counted = await rows('select sequence from claimbridge.publication');
  await observer.query('commit');
  expect(present.map(({ name }) => name)).toEqual([...told.keys()].toSorted());
  for (const { name, version, published, deleted } of present) {
    const own = audit.filter(({ target }) => target === name);
    // Every change wrote one entry and one version, and none that was told to its author is lost.
    expect(own.map(({ details }) => details.version)).toEqual(Array.from({ length: version }, (_, index) => index + 1));
    expect(version).toBeGreaterThanOrEqual(told.get(name)!);
    // Every entry of a new revision has its revision, and the other way round.
    const made = own.filter(({ action }) => ['mapping.publish', 'mapping.rollback'].includes(action));
    expect(made.map(({ details: { number, revision } }) => ({ name, number, revision }))).toEqual(
      revisions.filter((revision) => revision.name === name),
    );
    const drafted = drafts.some((draft) => draft.name === name);
    expect({ published, deleted, drafted }).toEqual(replay(own));
  }
  // Every publication was counted.
  const publications = audit.filter(({ action }) => action !== 'mapping.draft.save').length;
  expect(counted).toEqual([{ sequence: publications }]);
  return { changes: audit.length, publications };
}

/** Kills at a random moment of a change, which is thought to take about as long as the last one. */
export function killDuring(took: number, kill: () => void): void {
  setTimeout(kill, Math.random() * Math.min(took, 100));
}
