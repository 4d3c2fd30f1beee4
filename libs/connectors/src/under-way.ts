/** Removals after which the entries move to a table of their own; as many as there are entries, where there are more. */
const removals = 32;

/**
 * What is under way, by key: a Map whose entries come and go for as long as the process lives.
 *
 * V8 links a table that a Map has outgrown to the one that follows it. Once one of them is in the old generation, all later ones stay
 * alive with all that was in them until the next full collection, and every collection of young objects has to copy it: in the bench a
 * tenth of the processor's time (docs/reference/performance.md). A new Map now and then is linked to none.
 */
export class UnderWay<Key, Value> {
  private entries = new Map<Key, Value>();
  private removed = 0;

  get size(): number {
    return this.entries.size;
  }

  get(key: Key): Value | undefined {
    return this.entries.get(key);
  }

  set(key: Key, value: Value): void {
    this.entries.set(key, value);
  }

  delete(key: Key): void {
    if (!this.entries.delete(key)) return;
    this.removed += 1;
    if (this.removed < Math.max(removals, this.entries.size)) return;
    this.removed = 0;
    this.entries = new Map(this.entries);
  }

  /** Those that are there now; what is removed meanwhile may still come. */
  values(): IterableIterator<Value> {
    return this.entries.values();
  }
}
