import { Attributes, found, type Outcome } from '#claims';
import { FakeSource } from '#testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { composeSource } from './compose-source.js';

const deadline = 700;
/** A lookup takes 200 ms, and ten are at work at the same time: 50 a second. */
const [work, concurrency, capacity] = [200, 10, 50];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => vi.useRealTimers());

/** As a mapping with one lookup, and the limits of a database by default. */
function overloaded(operation = 500) {
  const answer = (): Promise<Outcome> =>
    new Promise((resolve) => setTimeout(resolve, work, found(new Attributes([['tier', ['gold']]]))));
  const fake = new FakeSource('billing-db', { user: { answer } });
  const { source } = composeSource(
    fake,
    {
      limits: { operation, connect: 1_000, concurrency, queue: 256 },
      breaker: { failures: 10, retryAfter: 1_000 },
      cache: { entries: 10_000, bytes: 1_000_000 },
      lookups: {},
    },
    { fetched: () => undefined, answered: () => undefined, circuit: () => undefined },
    deadline,
  );
  let people = 0;
  /** By second, from the first one: how many of those who came in it were answered before their deadline. */
  const served: number[] = [];
  const start = performance.now();
  const come = (): void => {
    const second = Math.floor((performance.now() - start) / 1_000);
    const parameters = new Map([['value', `person ${++people}`]]);
    const patience = new AbortController();
    setTimeout(() => patience.abort(), deadline);
    void source
      .fetch({ lookup: 'user', parameters, projection: ['tier'], keeping: { tenant: 'contoso', lastKnown: 0 } }, patience.signal)
      .then(({ kind }) => (served[second] = (served[second] ?? 0) + Number(kind === 'found')));
  };
  return {
    come,
    /** So many come in each of so many seconds; then the last ones have their answer. */
    async served(perSecond: number, seconds: number): Promise<readonly number[]> {
      for (let count = 0; count < perSecond * seconds; count += 1) {
        come();
        await vi.advanceTimersByTimeAsync(1_000 / perSecond);
      }
      await vi.advanceTimersByTimeAsync(deadline);
      return served;
    },
    get asked() {
      return fake.queries.length;
    },
  };
}

describe('a source that is asked more than it can answer', () => {
  it.each([60, 100, 500])('answers as many as it can in time, second after second: %i a second', async (perSecond) => {
    const source = overloaded();
    const served = await source.served(perSecond, 20);
    expect(served).toHaveLength(20);
    for (const count of served) expect(count).toBeGreaterThanOrEqual(capacity - concurrency);
    // Nothing is worked off for somebody whose time was over before it began.
    expect(source.asked).toBeLessThanOrEqual(served.reduce((sum, count) => sum + count) + concurrency);
  });

  it('is not kept busy by those who came at once with those who come after them', async () => {
    const source = overloaded();
    for (let count = 0; count < 250; count += 1) source.come();
    const served = await source.served(40, 10);
    expect(served.slice(1)).toEqual(Array(9).fill(40));
  });

  it('has a queue where the limit of an operation is longer than anybody waits', async () => {
    const source = overloaded(5_000);
    for (let count = 0; count < 2 * concurrency; count += 1) source.come();
    expect(await source.served(1, 1)).toEqual([2 * concurrency]);
  });
});
