import { setTimeout as pause } from 'node:timers/promises';
import { Attributes, found, notFound, unavailable, type LookupQuery, type Outcome, type Source } from '#claims';
import { FakeSource } from '#testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RepeatingSource, type SourceLimits } from '../connector.js';
import { composeSource, type SourceEvent } from './compose-source.js';

const query: LookupQuery = { lookup: 'user', parameters: new Map([['value', 'adele']]), projection: [] };
const limits: SourceLimits = { operation: 10_000, connect: 1_000, concurrency: 2, queue: 1 };
const never = new AbortController().signal;

function compose(
  answer: (query: LookupQuery, signal: AbortSignal) => Outcome | Promise<Outcome>,
  some: Partial<SourceLimits> = {},
  adapter: (fake: Source) => Source = (fake) => fake,
  failures = 1_000,
) {
  const events: SourceEvent[] = [];
  const fake = new FakeSource('hr', { user: { answer } });
  const composed = composeSource(
    adapter(fake),
    {
      limits: { ...limits, ...some },
      breaker: { failures, retryAfter: 1_000 },
      cache: { entries: 100, bytes: 100_000 },
      lookups: {},
    },
    { fetched: (event) => events.push(event), answered: () => undefined, circuit: () => undefined },
    60_000,
  );
  return { ...composed, fake, events };
}

class Repeating extends RepeatingSource {
  override readonly name: string;
  override readonly lookups: Source['lookups'];
  constructor(private readonly inner: Source) {
    super();
    ({ name: this.name, lookups: this.lookups } = inner);
  }
  override fetch = (...asked: Parameters<Source['fetch']>): Promise<Outcome> => this.inner.fetch(...asked);
  override probe = (signal: AbortSignal): ReturnType<Source['probe']> => this.inner.probe(signal);
  override close = (): Promise<void> => this.inner.close();
}

function deferred() {
  return Promise.withResolvers<Outcome>();
}

describe('composeSource', () => {
  it('tells every outcome by its name and reason', async () => {
    const outcomes = [found(new Attributes()), notFound('noEntry'), unavailable('refused', 'secret detail')];
    const { source, events } = compose(() => outcomes[events.length]!);
    for (const outcome of outcomes) expect(await source.fetch(query, never)).toBe(outcome);
    expect(events).toEqual([
      { source: 'hr', lookup: 'user', outcome: 'found', ms: expect.any(Number) },
      { source: 'hr', lookup: 'user', outcome: 'notFound', reason: 'noEntry', ms: expect.any(Number) },
      { source: 'hr', lookup: 'user', outcome: 'unavailable', reason: 'refused', ms: expect.any(Number) },
    ]);
  });

  it.each([
    ['once more', (fake: Source) => fake, 2],
    ['no more than once where the source repeats a lookup itself', (fake: Source) => new Repeating(fake), 1],
  ])('asks %s where the connection failed, for previews too', async (_, adapter, times) => {
    const { source, preview, fake } = compose(() => unavailable('connection'), {}, adapter);
    expect(await source.fetch(query, never)).toEqual(unavailable('connection'));
    expect(fake.queries).toHaveLength(times);
    await preview.fetch(query, never);
    expect(fake.queries).toHaveLength(2 * times);
  });

  it('gives both attempts one operation limit together', async () => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const loses = async (): Promise<Outcome> => {
      if (fake.queries.length > 1) return new Promise(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 400));
      return unavailable('connection');
    };
    const { source, fake } = compose(loses, { operation: 500 });
    let settled: Outcome | undefined;
    void source.fetch(query, never).then((outcome) => (settled = outcome));
    await vi.advanceTimersByTimeAsync(400);
    // The pause before the second attempt is a timer that is not faked.
    while (fake.queries.length < 2) await pause(1);
    await vi.advanceTimersByTimeAsync(99);
    expect(settled).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    await pause(1);
    expect(settled).toEqual(unavailable('timeout'));
  });

  it('answers for a source that ignores its signal, at the operation limit', async () => {
    let seen: AbortSignal | undefined;
    const { source, health } = compose((_, signal) => ((seen = signal), new Promise<never>(() => undefined)), { operation: 20 });
    expect(await source.fetch(query, never)).toEqual(unavailable('timeout'));
    expect(seen?.aborted).toBe(true);
    expect(health()).toMatchObject({ state: 'down', lastError: { code: 'timeout' } });
  });

  it('says by the signal’s reason whether the operation limit passed or the caller gave up, a preview too', async () => {
    const reasons: unknown[] = [];
    const { source, preview } = compose(
      (_, signal) =>
        new Promise<never>(() => signal.addEventListener('abort', () => reasons.push((signal.reason as DOMException).name))),
      { operation: 50 },
    );
    for (const each of [source, preview]) {
      await each.fetch(query, AbortSignal.timeout(5));
      await each.fetch(query, never);
    }
    expect(reasons).toEqual(['AbortError', 'TimeoutError', 'AbortError', 'TimeoutError']);
  });

  it('gives the turn of a source that hangs to the next', async () => {
    const { source } = compose(() => new Promise<never>(() => undefined), { operation: 20, concurrency: 1, queue: 5 });
    const outcomes = await Promise.all([1, 2, 3].map(() => source.fetch(query, never)));
    expect(outcomes).toEqual(Array(3).fill(unavailable('timeout')));
  });

  it('settles when the caller gives up, in the queue too, and does not blame the source', async () => {
    const { source, health, fake } = compose(() => new Promise<never>(() => undefined), { concurrency: 1 });
    const caller = new AbortController();
    const fetches = [source.fetch(query, caller.signal), source.fetch(query, caller.signal)];
    await Promise.resolve();
    caller.abort();
    expect(await Promise.all(fetches)).toEqual([unavailable('timeout'), unavailable('timeout')]);
    expect(await source.fetch(query, caller.signal)).toEqual(unavailable('timeout'));
    expect(fake.queries).toHaveLength(1);
    expect(health().state).toBe('unknown');
  });

  it('sheds what exceeds concurrency and queue, and serves the queue in turn', async () => {
    const work = [deferred(), deferred(), deferred()];
    const { source, fake, events } = compose(() => work[fake.queries.length - 1]!.promise);
    const fetches = [1, 2, 3].map(() => source.fetch(query, never));
    expect(await source.fetch(query, never)).toEqual(unavailable('overloaded'));
    expect(fake.queries).toHaveLength(2);
    for (const each of work) each.resolve(notFound('noEntry'));
    expect(await Promise.all(fetches)).toEqual(Array(3).fill(notFound('noEntry')));
    expect(events.map(({ outcome }) => outcome)).toEqual(['unavailable', 'notFound', 'notFound', 'notFound']);
  });

  it('derives health from operations and probes', async () => {
    let outcome: Outcome = notFound('noEntry');
    const { source, health } = compose(() => outcome);
    expect(health()).toEqual({ state: 'unknown', circuit: 'closed' });
    await source.fetch(query, never);
    expect(health()).toEqual({ state: 'up', circuit: 'closed', latencyMs: expect.any(Number), checkedAt: expect.any(Date) });
    outcome = unavailable('refused');
    await source.fetch(query, never);
    expect(health()).toMatchObject({ state: 'up', lastError: { code: 'refused', at: expect.any(Date) } });
    outcome = unavailable('credentials');
    await source.fetch(query, never);
    expect(health()).toMatchObject({ state: 'down', lastError: { code: 'credentials' } });
    expect(await source.probe(never)).toEqual({ kind: 'up' });
    expect(health()).toMatchObject({ state: 'up', lastError: { code: 'credentials' } });
  });

  it('keeps why the source fails while it is not asked', async () => {
    const { source, health } = compose(() => unavailable('connection', 'ECONNREFUSED'), {}, undefined, 3);
    for (let round = 0; round < 5; round += 1) await source.fetch(query, never);
    expect(await source.fetch(query, never)).toEqual(unavailable('circuitOpen'));
    expect(health()).toMatchObject({
      state: 'down',
      circuit: 'open',
      lastError: { code: 'connection', detail: 'ECONNREFUSED' },
    });
  });

  it('keeps why the source failed while its queue is full, and tells of a system that says itself that it is overloaded', async () => {
    const work = deferred();
    const outcomes: (Outcome | Promise<Outcome>)[] = [unavailable('timeout', '57014'), work.promise];
    const { source, health } = compose(() => outcomes.shift()!, { concurrency: 1, queue: 0 });
    await source.fetch(query, never);
    const busy = source.fetch(query, never);
    expect(await source.fetch(query, never)).toEqual(unavailable('overloaded'));
    expect(health().lastError).toMatchObject({ code: 'timeout', detail: '57014' });
    work.resolve(unavailable('overloaded', 'status 503'));
    await busy;
    expect(health().lastError).toMatchObject({ code: 'overloaded', detail: 'status 503' });
  });

  it('has what helps beside the code, and a warning for as long as a probe has one', async () => {
    const { source, health, fake } = compose(() => unavailable('credentials', 'data 775: the account is locked; unlock it'));
    await source.fetch(query, never);
    expect(health().lastError).toMatchObject({ code: 'credentials', detail: 'data 775: the account is locked; unlock it' });
    const probe = vi.spyOn(fake, 'probe');
    probe.mockResolvedValue({ kind: 'up', warning: { reason: 'credentials', detail: 'refused' } });
    await source.probe(never);
    expect(health()).toMatchObject({ state: 'up', warning: { code: 'credentials', detail: 'refused' } });
    probe.mockResolvedValue({ kind: 'up' });
    await source.probe(never);
    expect(health()).not.toHaveProperty('warning');
  });

  it('survives a probe that throws, and tells of it', async () => {
    const { source, health, fake } = compose(() => notFound('noEntry'));
    vi.spyOn(fake, 'probe').mockRejectedValue(new Error('defect'));
    expect(await source.probe(never)).toEqual({ kind: 'down', reason: 'internal' });
    expect(health()).toMatchObject({ state: 'unknown', lastError: { code: 'internal' } });
  });

  it('passes on a defect, and counts it', async () => {
    const { source, events } = compose(() => {
      throw new Error('defect');
    });
    await expect(source.fetch(query, never)).rejects.toThrow('defect');
    expect(events).toMatchObject([{ outcome: 'unavailable', reason: 'internal' }]);
  });
});
