import {
  Source,
  found,
  Attributes,
  unavailable,
  type LookupDescription,
  type LookupQuery,
  type Outcome,
  type ProbeResult,
} from '#claims';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CircuitBreaker } from './circuit-breaker.js';

class System extends Source {
  override readonly name = 'hr';
  override readonly lookups = new Map<string, LookupDescription>();
  outcome: Outcome | Promise<Outcome> = unavailable('timeout');
  up = false;
  probing: 'settles' | 'hangs' | 'throws' = 'settles';
  fetches = 0;
  probes = 0;

  override async fetch(): Promise<Outcome> {
    this.fetches += 1;
    return this.outcome;
  }

  override async probe(): Promise<ProbeResult> {
    this.probes += 1;
    if (this.probing === 'throws') throw new Error('defect');
    if (this.probing === 'hangs') return new Promise(() => undefined);
    return this.up ? { kind: 'up' } : { kind: 'down', reason: 'connection' };
  }

  override async close(): Promise<void> {}
}

const query: LookupQuery = { lookup: 'user', parameters: new Map(), projection: [] };
const patient = new AbortController().signal;

let system: System;
let breaker: CircuitBreaker;
let changes: string[];

async function ask(times = 1): Promise<Outcome> {
  let outcome!: Outcome;
  for (let call = 0; call < times; call += 1) outcome = await breaker.fetch(query, patient);
  return outcome;
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] });
  system = new System();
  changes = [];
  breaker = new CircuitBreaker(system, { failures: 3, retryAfter: 1_000, operation: 500 }, (state) => changes.push(state));
});
afterEach(async () => {
  await breaker.close();
  vi.useRealTimers();
});

describe('a source that fails', () => {
  it.each(['timeout', 'connection', 'malformed', 'overloaded'] as const)(
    'is no longer asked after failures in a row: %s',
    async (reason) => {
      system.outcome = unavailable(reason);
      expect(await ask(3)).toEqual(unavailable(reason));
      expect(await ask(10)).toEqual(unavailable('circuitOpen'));
      expect([system.fetches, breaker.state, changes]).toEqual([3, 'open', ['open']]);
    },
  );

  it.each([unavailable('refused'), unavailable('credentials'), unavailable('limit'), found(new Attributes())])(
    'in a way that says nothing of the system is asked on: %j',
    async (outcome) => {
      system.outcome = outcome;
      expect(await ask(10)).toEqual(outcome);
      expect(breaker.state).toBe('closed');
    },
  );

  it('now and then only is asked on', async () => {
    for (let round = 0; round < 5; round += 1) {
      system.outcome = unavailable('timeout');
      await ask(2);
      system.outcome = found(new Attributes());
      await ask();
    }
    expect([breaker.state, system.fetches]).toEqual(['closed', 15]);
  });

  it('is tried by its probe alone, again and again, until that succeeds', async () => {
    await ask(3);
    await vi.advanceTimersByTimeAsync(4_500);
    expect([system.probes, system.fetches, breaker.state]).toEqual([4, 3, 'open']);
    system.up = true;
    system.outcome = found(new Attributes());
    expect(await ask()).toEqual(unavailable('circuitOpen'));
    await vi.advanceTimersByTimeAsync(1_005);
    expect(await ask()).toEqual(found(new Attributes()));
    expect(changes.at(-1)).toBe('closed');
  });

  it.each([-3_600_000, 3_600_000])('is tried in time although the clock was set by %i ms', async (shift) => {
    await ask(3);
    system.up = true;
    vi.setSystemTime(Date.now() + shift);
    await vi.advanceTimersByTimeAsync(1_100);
    expect([system.probes, breaker.state]).toEqual([1, 'closed']);
  });

  it.each(['hangs', 'throws'] as const)('is tried again where its probe %s', async (how) => {
    // The limit of a probe is a timer of the platform, which fake timers do not move.
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((milliseconds) => {
      const limit = new AbortController();
      setTimeout(() => limit.abort(), milliseconds);
      return limit.signal;
    });
    await ask(3);
    system.probing = how;
    await vi.advanceTimersByTimeAsync(1_100);
    Object.assign(system, { probing: 'settles', up: true });
    await vi.advanceTimersByTimeAsync(2_000);
    expect([system.probes, breaker.state]).toEqual([2, 'closed']);
    vi.restoreAllMocks();
  });

  it('is not judged by who gave up, neither for nor against it', async () => {
    await ask(2);
    expect(await breaker.fetch(query, AbortSignal.abort())).toEqual(unavailable('timeout'));
    expect(breaker.state).toBe('closed');
    await ask();
    expect(breaker.state).toBe('open');
  });

  it('is not judged, once it is back, by what began before it was left alone', async () => {
    const slow = Promise.withResolvers<Outcome>();
    system.outcome = slow.promise;
    const old = [ask(), ask(), ask()];
    system.outcome = unavailable('timeout');
    await ask(3);
    system.up = true;
    await vi.advanceTimersByTimeAsync(1_100);
    slow.resolve(unavailable('timeout'));
    await Promise.all(old);
    expect([breaker.state, changes]).toEqual(['closed', ['open', 'closed']]);
  });

  describe('and takes a probe', () => {
    beforeEach(async () => {
      await ask(3);
      system.up = true;
      await vi.advanceTimersByTimeAsync(1_005);
    });

    it('is asked by one alone until that one has an answer', async () => {
      const work = Promise.withResolvers<Outcome>();
      system.outcome = work.promise;
      const first = ask();
      expect(await ask(5)).toEqual(unavailable('circuitOpen'));
      work.resolve(found(new Attributes()));
      expect(await first).toEqual(found(new Attributes()));
      await Promise.all([ask(), ask(), ask()]);
      expect([system.fetches, breaker.state]).toEqual([3 + 1 + 3, 'closed']);
    });

    it('costs one caller its time in each round where it hangs on lookups', async () => {
      for (let round = 1; round <= 5; round += 1) {
        expect(await ask(20)).toEqual(unavailable('circuitOpen'));
        expect([system.fetches, breaker.state]).toEqual([3 + round, 'open']);
        await vi.advanceTimersByTimeAsync(1_005);
      }
    });

    it('is asked by all again after an answer that says nothing of the system, and may fail as often as before', async () => {
      system.outcome = unavailable('refused');
      await ask();
      system.outcome = unavailable('timeout');
      await ask(2);
      expect(breaker.state).toBe('closed');
      await ask();
      expect(breaker.state).toBe('open');
    });

    it('is asked by the next one where the first gave up, or met a defect', async () => {
      expect(await breaker.fetch(query, AbortSignal.abort())).toEqual(unavailable('timeout'));
      system.outcome = Promise.reject(new Error('defect'));
      await expect(ask()).rejects.toThrow('defect');
      system.outcome = found(new Attributes());
      expect(await ask()).toEqual(found(new Attributes()));
      expect(breaker.state).toBe('closed');
    });
  });

  it('is left alone after close', async () => {
    await ask(3);
    await breaker.close();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(system.probes).toBe(0);
  });
});
