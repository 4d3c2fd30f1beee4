import { Attributes, ambiguous, found, notFound, unavailable, type Keeping, type LookupQuery, type Outcome } from '#claims';
import { FakeSource } from '#testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { shed } from './bulkhead.js';
import { Cache, type CacheTimes } from './cache.js';

const patient = new AbortController().signal;
const person = (name: string): Outcome => found(new Attributes([['cn', [name]]]));

let answers: (() => Outcome | Promise<Outcome>)[];
let uses: string[];
let signals: AbortSignal[];

function cached(times: Partial<CacheTimes> = {}, limits = { entries: 100, bytes: 1_000_000 }) {
  const answer = (_query: LookupQuery, signal: AbortSignal): Outcome | Promise<Outcome> => {
    signals.push(signal);
    return (answers.length > 1 ? answers.shift()! : answers[0]!)();
  };
  const fake = new FakeSource('hr', { user: { answer }, other: { answer } });
  const cache = new Cache(
    fake,
    () => ({ ttl: 0, staleWhileRevalidate: 0, negativeTtl: 0, ...times }),
    limits,
    (_lookup, use) => uses.push(use),
  );
  const ask = (
    value = 'ada',
    keeping: Partial<Keeping> = {},
    signal: AbortSignal = patient,
    query: Partial<LookupQuery> = {},
  ): Promise<Outcome> =>
    cache.fetch(
      {
        lookup: 'user',
        parameters: new Map([['value', value]]),
        projection: ['cn'],
        keeping: { tenant: 'contoso', lastKnown: 0, ...keeping },
        ...query,
      },
      signal,
    );
  return { ask, fake, cache };
}

const pass = (milliseconds: number): Promise<unknown> => vi.advanceTimersByTimeAsync(milliseconds);
const impatient = (milliseconds: number): AbortSignal => {
  const patience = new AbortController();
  setTimeout(() => patience.abort(), milliseconds);
  return patience.signal;
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] });
  answers = [() => person('Ada')];
  uses = [];
  signals = [];
});
afterEach(() => vi.useRealTimers());

describe('an answer', () => {
  it('serves for its time to live, with its age, and then the source is asked again', async () => {
    const { ask, fake } = cached({ ttl: 1_000 });
    expect(await ask()).toEqual(person('Ada'));
    await pass(999);
    expect(await ask()).toEqual({ ...person('Ada'), age: 999 });
    await pass(1);
    answers = [() => person('Ada King')];
    expect(await ask()).toEqual(person('Ada King'));
    expect(fake.queries).toHaveLength(2);
    expect(uses).toEqual(['asked', 'hit', 'asked']);
  });

  it('serves while it is asked for again in the background, once', async () => {
    const { ask, fake } = cached({ ttl: 1_000, staleWhileRevalidate: 1_000 });
    await ask();
    await pass(1_500);
    answers = [() => person('Ada King')];
    expect(await Promise.all([ask(), ask()])).toEqual(Array.from({ length: 2 }, () => ({ ...person('Ada'), age: 1_500 })));
    await pass(0);
    expect(await ask()).toMatchObject({ ...person('Ada King'), age: 0 });
    expect(fake.queries).toHaveLength(2);
    expect(uses).toEqual(['asked', 'revalidating', 'revalidating', 'hit']);
  });

  it('no longer serves once the source did not confirm it', async () => {
    const { ask } = cached({ ttl: 1_000, staleWhileRevalidate: 60_000 });
    await ask();
    await pass(1_500);
    answers = [() => unavailable('connection')];
    expect(await ask()).toMatchObject({ kind: 'found' });
    await pass(0);
    expect(await ask()).toEqual(unavailable('connection'));
  });

  it('serves on where the source was too busy to be asked', async () => {
    const { ask, fake } = cached({ ttl: 1_000, staleWhileRevalidate: 60_000 });
    await ask();
    await pass(1_500);
    answers = [() => shed];
    await ask();
    await pass(0);
    expect(await ask()).toMatchObject({ kind: 'found', age: 1_500 });
    expect(fake.queries).toHaveLength(3);
  });

  it('that nothing was found serves for a time of its own', async () => {
    answers = [() => notFound('noEntry')];
    const { ask, fake } = cached({ ttl: 60_000, negativeTtl: 100 });
    await ask();
    await pass(99);
    expect(await ask()).toEqual({ ...notFound('noEntry'), age: 99 });
    await pass(1);
    await ask();
    expect(fake.queries).toHaveLength(2);
  });

  it.each([ambiguous, unavailable('timeout'), notFound('noEntry')])('of another kind is not kept: %j', async (outcome) => {
    answers = [() => outcome];
    const { ask, fake } = cached({ ttl: 60_000 });
    expect([await ask(), await ask()]).toEqual([outcome, outcome]);
    expect(fake.queries).toHaveLength(2);
  });

  it.each<[string, Parameters<ReturnType<typeof cached>['ask']>]>([
    ['tenant', ['ada', { tenant: 'fabrikam' }]],
    ['value', ['ada ']],
    ['letter case', ['Ada']],
    ['lookup', ['ada', {}, patient, { lookup: 'other' }]],
    ['locate rule', ['ada', {}, patient, { locateRule: 0 }]],
    ['projection', ['ada', {}, patient, { projection: ['cn', 'mail'] }]],
    ['parameter name', ['ada', {}, patient, { parameters: new Map([['key', 'ada']]) }]],
    [
      'cut between parameters',
      [
        'ada',
        {},
        patient,
        {
          parameters: new Map([
            ['value', 'ada","x'],
            ['y', ''],
          ]),
        },
      ],
    ],
  ])('never serves another %s', async (_difference, question) => {
    const { ask, fake } = cached({ ttl: 60_000 });
    await ask();
    answers = [() => person('Somebody else')];
    expect(await ask(...question)).toEqual(person('Somebody else'));
    expect(await ask()).toMatchObject(person('Ada'));
    expect(fake.queries).toHaveLength(2);
  });

  it('ages by a clock that nobody can set', async () => {
    const { ask } = cached({ ttl: 1_000 });
    await ask();
    vi.setSystemTime(Date.now() + 86_400_000);
    expect(await ask()).toEqual({ ...person('Ada'), age: 0 });
    vi.setSystemTime(Date.now() - 2 * 86_400_000);
    await pass(1_000);
    await ask();
    expect(uses).toEqual(['asked', 'hit', 'asked']);
  });

  it('is the same whatever the order of the parameters', async () => {
    const { ask, fake } = cached({ ttl: 60_000 });
    const parameters = [
      ['a', '1'],
      ['b', '2'],
    ] as const;
    await ask('', {}, patient, { parameters: new Map(parameters) });
    await ask('', {}, patient, { parameters: new Map(parameters.toReversed()) });
    expect(fake.queries).toHaveLength(1);
  });

  it('is not kept where nothing is said of keeping', async () => {
    const { ask, fake, cache } = cached({ ttl: 60_000 });
    await ask('ada', {}, patient, { keeping: undefined });
    await ask('ada', {}, patient, { keeping: undefined });
    expect([fake.queries.length, cache.size.entries]).toEqual([2, 0]);
  });

  it('gives way to others, by number and by size', async () => {
    const { ask, cache } = cached({ ttl: 60_000 }, { entries: 2, bytes: 1_000_000 });
    for (const value of ['a', 'b', 'c']) await ask(value);
    expect(cache.size.entries).toBe(2);
    answers = [() => person('x'.repeat(600))];
    const small = cached({ ttl: 60_000 }, { entries: 100, bytes: 1_500 });
    for (const value of ['a', 'b', 'c']) await small.ask(value);
    expect(small.cache.size).toMatchObject({ entries: 1 });
    expect(small.cache.size.bytes).toBeLessThanOrEqual(1_500);
  });
});

describe('the last known answer', () => {
  const keeping = { lastKnown: 10_000 };

  it('may be that nobody is there, where that leads to another locate rule, and never serves by itself', async () => {
    const falling = { ...keeping, lastKnownNobody: true } as const;
    const nobody = notFound('noEntry');
    const { ask, fake } = cached();
    for (const first of [keeping, falling]) {
      answers = [() => nobody, () => unavailable('timeout')];
      expect(await ask('ada', first)).toEqual(nobody);
      await pass(4_000);
      const known = first === falling ? { ...unavailable('timeout'), lastKnownNobody: 4_000 } : unavailable('timeout');
      expect(await ask('ada', falling)).toEqual(known);
    }
    expect(await ask('ada', keeping)).toEqual(unavailable('timeout'));
    await pass(6_001);
    expect(await ask('ada', falling)).toEqual(unavailable('timeout'));
    expect(fake.queries).toHaveLength(6);
  });

  it('is not that somebody is left out', async () => {
    const { ask } = cached();
    answers = [() => notFound('excluded'), () => unavailable('timeout')];
    await ask('ada', { ...keeping, lastKnownNobody: true });
    expect(await ask('ada', { ...keeping, lastKnownNobody: true })).toEqual(unavailable('timeout'));
  });

  it('comes with unavailability, as old as it is, and never instead of it', async () => {
    const { ask } = cached();
    await ask('ada', keeping);
    await pass(4_000);
    answers = [() => unavailable('timeout')];
    const { attributes } = person('Ada') as { attributes: Attributes };
    expect(await ask('ada', keeping)).toEqual({ ...unavailable('timeout'), lastKnown: { attributes, age: 4_000 } });
    await pass(6_001);
    expect(await ask('ada', keeping)).toEqual(unavailable('timeout'));
  });

  it('is told to those only who keep one', async () => {
    const { ask } = cached({ ttl: 100 });
    await ask('ada', keeping);
    await pass(200);
    answers = [() => unavailable('timeout')];
    expect(await ask()).toEqual(unavailable('timeout'));
  });

  it.each([notFound('noEntry'), ambiguous])('ends with the answer %j', async (outcome) => {
    const { ask } = cached();
    await ask('ada', keeping);
    answers = [() => outcome, () => unavailable('timeout')];
    await ask('ada', keeping);
    expect(await ask('ada', keeping)).toEqual(unavailable('timeout'));
  });

  it('is not forgotten sooner because somebody asks who keeps none, or keeps it shorter', async () => {
    const { ask } = cached();
    await pass(1);
    await ask('ada', keeping);
    answers = [() => person('Ada King')];
    for (const lastKnown of [0, 1_000]) await ask('ada', { lastKnown });
    await pass(4_000);
    answers = [() => unavailable('timeout')];
    const { attributes } = person('Ada King') as { attributes: Attributes };
    expect(await ask('ada', keeping)).toMatchObject({ lastKnown: { attributes, age: 4_000 } });
    expect(await ask('ada', { lastKnown: 1_000 })).toEqual(unavailable('timeout'));
  });

  it('is all that is told where the parameters are no longer certain', async () => {
    const { ask, fake } = cached();
    expect(await ask('ada', { ...keeping, lastKnownOnly: true })).toEqual(unavailable('input'));
    await ask('ada', keeping);
    expect(await ask('ada', { ...keeping, lastKnownOnly: true })).toMatchObject({ kind: 'unavailable', lastKnown: { age: 0 } });
    expect(fake.queries).toHaveLength(1);
  });

  it('comes with the deadline too', async () => {
    const { ask } = cached();
    await ask('ada', keeping);
    answers = [() => new Promise(() => undefined)];
    const late = ask('ada', keeping, impatient(50));
    await pass(50);
    expect(await late).toMatchObject({ ...unavailable('deadline'), lastKnown: { age: 50 } });
  });
});

describe('work', () => {
  it('that nobody waits for ends with the source', async () => {
    const { ask, cache } = cached();
    answers = [() => new Promise(() => undefined)];
    const late = ask('ada', {}, impatient(50));
    await pass(50);
    expect(await late).toEqual(unavailable('deadline'));
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    await cache.close();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it('is shared by those who ask the same at the same time', async () => {
    const work = Promise.withResolvers<Outcome>();
    answers = [() => work.promise];
    const { ask, fake } = cached();
    const asked = [ask(), ask(), ask('ben')];
    work.resolve(person('Ada'));
    expect(await Promise.all(asked)).toEqual(Array(3).fill(person('Ada')));
    expect(fake.queries).toHaveLength(2);
    expect(uses).toEqual(['asked', 'joined', 'asked']);
    await ask();
    expect(fake.queries).toHaveLength(3);
  });

  it('goes on when its caller has left, and its late answer waits 10 s for the retry', async () => {
    const work = Promise.withResolvers<Outcome>();
    answers = [() => work.promise];
    const { ask, fake } = cached();
    const first = ask('ada', {}, impatient(100));
    await pass(100);
    expect(await first).toEqual(unavailable('deadline'));
    expect(signals[0]!.aborted).toBe(false);
    work.resolve(person('Ada'));
    await pass(9_999);
    expect(await ask()).toEqual({ ...person('Ada'), age: 9_999 });
    await pass(1);
    await ask();
    expect(fake.queries).toHaveLength(2);
    expect(uses).toEqual(['asked', 'handedOver', 'asked']);
  });

  it('that is still under way is what the retry waits for', async () => {
    const work = Promise.withResolvers<Outcome>();
    answers = [() => work.promise];
    const { ask, fake } = cached();
    const first = ask('ada', {}, impatient(100));
    await pass(100);
    await first;
    const retry = ask();
    work.resolve(person('Ada'));
    expect(await retry).toEqual(person('Ada'));
    expect(fake.queries).toHaveLength(1);
  });

  it('ends when nobody waits and nobody will ask again', async () => {
    answers = [() => new Promise(() => undefined)];
    const { ask } = cached();
    const leave = async (...keepings: Partial<Keeping>[]): Promise<boolean> => {
      const asked = keepings.map((keeping, index) => ask(`p${signals.length}`, keeping, impatient(100 + index)));
      await pass(200);
      await Promise.all(asked);
      return signals.at(-1)!.aborted;
    };
    expect(await leave({ noHandOver: true })).toBe(true);
    expect(await leave({})).toBe(false);
  });

  it('is not ended by one who leaves while another waits', async () => {
    answers = [() => new Promise(() => undefined)];
    const { ask } = cached();
    const previews = [ask('ada', { noHandOver: true }, impatient(100)), ask('ada', { noHandOver: true }, impatient(200))];
    await pass(100);
    await previews[0];
    expect(signals[0]!.aborted).toBe(false);
    await pass(100);
    await previews[1];
    expect([signals.length, signals[0]!.aborted]).toEqual([1, true]);
  });

  it('that was ended is nobody else’s answer, and says nothing of the source', async () => {
    const { ask, fake } = cached({ ttl: 1_000, staleWhileRevalidate: 60_000 });
    await ask();
    await pass(62_000);
    const obedient = Promise.withResolvers<Outcome>();
    answers = [() => obedient.promise, () => person('Ada King')];
    const preview = ask('ada', { noHandOver: true }, impatient(100));
    await pass(100);
    await preview;
    expect(signals[1]!.aborted).toBe(true);
    const signIn = ask();
    obedient.resolve(unavailable('timeout'));
    expect(await signIn).toEqual(person('Ada King'));
    await pass(0);
    expect(await ask()).toMatchObject({ ...person('Ada King'), age: 0 });
    await pass(1_500);
    expect(await ask()).toMatchObject({ ...person('Ada King'), age: 1_500 });
    expect(fake.queries).toHaveLength(3 + 1);
  });

  it('in the background for a sign-in is not ended by a preview that joined it', async () => {
    const { ask } = cached({ ttl: 1_000, staleWhileRevalidate: 1_000 });
    await ask();
    await pass(1_500);
    answers = [() => new Promise(() => undefined)];
    await ask();
    await pass(1_000);
    const preview = ask('ada', { noHandOver: true }, impatient(100));
    await pass(100);
    expect(await preview).toMatchObject({ reason: 'deadline' });
    expect([signals.length, signals[1]!.aborted]).toEqual([2, false]);
  });

  it('that fails by a defect fails for all who share it, and is forgotten', async () => {
    answers = [() => Promise.reject(new Error('defect')), () => person('Ada')];
    const { ask } = cached();
    const asked = await Promise.allSettled([ask(), ask()]);
    expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await ask()).toEqual(person('Ada'));
  });
});
