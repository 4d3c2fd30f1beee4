import { Attributes, found, unavailable, type LookupQuery, type Outcome } from '#claims';
import { FakeSource } from '#testing';
import { describe, expect, it } from 'vitest';
import { composeSource, type ComposedSource } from './compose-source.js';

const never = new AbortController().signal;

function query(person: string, tenant = 'contoso'): LookupQuery {
  return {
    lookup: 'user',
    parameters: new Map([['value', person]]),
    projection: ['mail', 'number'],
    keeping: { tenant, lastKnown: 0 },
  };
}

function compose(answer: (query: LookupQuery) => Outcome | Promise<Outcome>, entries = 2): ComposedSource & { asked(): number } {
  const fake = new FakeSource('hr', { user: { answer } });
  const composed = composeSource(
    fake,
    {
      limits: { operation: 10_000, connect: 1_000, concurrency: 1, queue: 0 },
      breaker: { failures: 1, retryAfter: 3_600_000 },
      cache: { entries, bytes: 100_000 },
      lookups: { user: { parameters: [], locate: [], cache: { ttl: 60_000, staleWhileRevalidate: 0, negativeTtl: 0 } } },
    },
    { fetched: () => undefined, answered: () => undefined, circuit: () => undefined },
    60_000,
  );
  return { ...composed, asked: () => fake.queries.length };
}

const entryOf = ({ parameters }: LookupQuery): Outcome =>
  found(
    new Attributes([
      ['mail', [`${parameters.get('value')}@corp.example`]],
      ['number', [`number of ${parameters.get('value')}`]],
    ]),
  );

describe('a previewed source', () => {
  it('reads what is kept and does not make it younger: what was used longest ago still goes first', async () => {
    const { source, preview, asked } = compose(entryOf);
    await source.fetch(query('ada'), never);
    await source.fetch(query('ben'), never);
    expect(await preview.fetch(query('ada'), never)).toMatchObject({ kind: 'found', age: expect.any(Number) });
    expect(asked()).toBe(2);
    await source.fetch(query('cleo'), never);
    await source.fetch(query('ben'), never);
    expect(asked()).toBe(3);
    await source.fetch(query('ada'), never);
    expect(asked()).toBe(4);
  });

  it('keeps nothing of what it asked for', async () => {
    const { preview, kept, asked } = compose(entryOf);
    await preview.fetch(query('ada'), never);
    await preview.fetch(query('ada'), never);
    expect([asked(), kept().entries]).toEqual([2, 0]);
  });

  it('takes no turn from a sign-in: previews that hang wait for turns of their own', async () => {
    const slow = Promise.withResolvers<Outcome>();
    const { source, preview } = compose((asked) => (asked.parameters.get('value') === 'slow' ? slow.promise : entryOf(asked)));
    const previews = Array.from({ length: 10 }, () => preview.fetch(query('slow'), never));
    expect(await source.fetch(query('ada'), never)).toMatchObject({ kind: 'found' });
    slow.resolve(unavailable('refused'));
    expect(await Promise.all(previews)).toEqual(Array(10).fill(unavailable('refused')));
  });

  it('opens no circuit, and obeys the one that sign-ins opened', async () => {
    let broken = true;
    const { source, preview, health } = compose((asked) => (broken ? unavailable('timeout') : entryOf(asked)));
    await preview.fetch(query('ada'), never);
    expect(health()).toEqual({ state: 'unknown', circuit: 'closed' });
    await source.fetch(query('ada'), never);
    broken = false;
    expect(await preview.fetch(query('ada'), never)).toEqual(unavailable('circuitOpen'));
  });
});

describe('an erasure', () => {
  const erase = (composed: ComposedSource, texts: readonly string[], follow: readonly string[] = [], tenant = 'contoso') =>
    composed.erase(tenant, { foundBy: new Set(texts), holding: new Set(texts) }, new Set(follow));

  it('forgets what was found by a text or holds it, whatever its case, in one tenant', async () => {
    const composed = compose(entryOf, 10);
    for (const person of ['Ada', 'ben']) await composed.source.fetch(query(person), never);
    await composed.source.fetch(query('Ada', 'fabrikam'), never);
    expect(erase(composed, ['ada'])).toEqual({ answers: 1, texts: [] });
    expect(erase(composed, ['ben@corp.example'], ['number'])).toEqual({ answers: 1, texts: ['number of ben'] });
    expect(composed.kept().entries).toBe(1);
    expect(erase(composed, ['ada', 'ada@corp.example'], [], 'fabrikam')).toEqual({ answers: 1, texts: [] });
  });

  it('does not keep the answer that was on its way', async () => {
    const answer = Promise.withResolvers<Outcome>();
    const composed = compose(() => answer.promise);
    const waiting = composed.source.fetch(query('ada'), never);
    erase(composed, ['ada']);
    answer.resolve(found(new Attributes([['mail', ['ada@corp.example']]])));
    expect(await waiting).toMatchObject({ kind: 'found' });
    expect(composed.kept().entries).toBe(0);
  });
});

describe('a test of the connection', () => {
  it('is one at a time, and gives up when its patience ends', async () => {
    const { promise, resolve } = Promise.withResolvers<{ kind: 'up' }>();
    const fake = Object.assign(new FakeSource('hr', {}), { probe: () => promise });
    const { test } = composeSource(
      fake,
      {
        limits: { operation: 1_000, connect: 1_000, concurrency: 1, queue: 0 },
        breaker: { failures: 1, retryAfter: 1_000 },
        cache: { entries: 1, bytes: 1_024 },
        lookups: {},
      },
      { fetched: () => undefined, answered: () => undefined, circuit: () => undefined },
      60_000,
    );
    const patience = new AbortController();
    const first = test(patience.signal);
    expect(await test(never)).toBe('busy');
    patience.abort();
    expect(await first).toEqual({ kind: 'down', reason: 'timeout' });
    resolve({ kind: 'up' });
    await promise;
    expect(await test(never)).toEqual({ kind: 'up' });
  });
});
