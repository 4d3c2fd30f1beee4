import { describe, expect, it, vi } from 'vitest';
import type { Answer, LdapConnection, Suspicion } from './ldap-connection.js';
import { Liveness } from './liveness.js';

const result: Answer = { kind: 'result', code: 0, diagnostic: '', entries: [], surplus: false, references: [] };

/** A connection whose searches of the root are answered as a test says, and what is found out about it. */
function watched(answer: (search: number) => Promise<Answer>, keepAlive = 3_600_000) {
  const connection = {
    received: 0,
    isUsable: true,
    searches: 0,
    suspect: (() => undefined) as (suspicion: Suspicion) => void,
    watch(suspect: (suspicion: Suspicion) => void): void {
      connection.suspect = suspect;
    },
    searchRoot: () => answer(++connection.searches),
  };
  const found: Suspicion[] = [];
  const liveness = new Liveness(connection as unknown as LdapConnection, { keepAlive, operation: 1_000 }, (suspicion) =>
    found.push(suspicion),
  );
  return { connection, found, liveness };
}

const aborted = (): Promise<Answer> => Promise.resolve({ kind: 'aborted' });
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Liveness', () => {
  it.each(['silent', 'slow'] as const)(
    'asks one that is %s for the root, and finds nothing where that is answered',
    async (why) => {
      const { connection, found, liveness } = watched(() => Promise.resolve(result));
      connection.suspect(why);
      await settled();
      expect([connection.searches, found]).toEqual([1, []]);
      liveness.end();
    },
  );

  it('finds one dead whose root has no answer, once, however often it is suspected meanwhile', async () => {
    const answer = Promise.withResolvers<Answer>();
    const { connection, found, liveness } = watched(() => answer.promise);
    for (let count = 0; count < 5; count++) connection.suspect('silent');
    answer.resolve({ kind: 'aborted' });
    await settled();
    expect([connection.searches, found]).toEqual([1, ['silent']]);
    liveness.end();
  });

  it('does not call silent what sends something, and calls slow what does not end it', async () => {
    const { connection, found, liveness } = watched(() => {
      connection.received++;
      return aborted();
    });
    connection.suspect('silent');
    await settled();
    expect(found).toEqual([]);
    connection.suspect('slow');
    await settled();
    expect(found).toEqual(['slow']);
    liveness.end();
  });

  it('asks where nothing came for half the time, and once more where that has no answer', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const { connection, found, liveness } = watched((search) => (search === 1 ? Promise.resolve(result) : aborted()), 2_000);
      connection.received++;
      await vi.advanceTimersByTimeAsync(1_000);
      expect(connection.searches).toBe(0);
      await vi.advanceTimersByTimeAsync(1_000);
      expect([connection.searches, found]).toEqual([1, []]);
      await vi.advanceTimersByTimeAsync(1_000);
      expect([connection.searches, found]).toEqual([3, ['silent']]);
      liveness.end();
      await vi.advanceTimersByTimeAsync(10_000);
      expect(connection.searches).toBe(3);
    } finally {
      vi.useRealTimers();
    }
  });
});
