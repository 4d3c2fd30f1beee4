import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { HostList } from '../host-list.js';
import { admin, ask, database, later, postgres, proxy, values } from './postgres-source.harness.js';

describe('sessions', () => {
  it('are prepared once for each statement, and again after the table has changed', async () => {
    await admin.query("create table changing (upn text, v text); insert into changing values ('adele', 'before')");
    const source = postgres({ it: 'select * from changing where upn = $1' }, { limits: { concurrency: 1 } });
    expect(await values(source, 'it')).toEqual(['before']);
    await admin.query("alter table changing add column w int; update changing set v = 'after'");
    expect(await values(source, 'it')).toEqual(['after']);
  });

  it('that the server ends while idle or at work cost no lookup', async () => {
    const source = postgres({
      it: 'select name as v, pg_backend_pid() from people where upn = $1',
      pause: "select pg_sleep(0.2), 'Adele' as v where $1 <> ''",
    });
    const end = (): Promise<unknown> =>
      admin.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'claimbridge billing-db'");
    await Promise.all(Array.from({ length: 5 }, () => values(source, 'it')));
    await end();
    expect(await Promise.all(Array.from({ length: 5 }, () => values(source, 'it')))).toEqual(
      Array.from({ length: 5 }, () => ['Adele']),
    );
    const working = Promise.all(Array.from({ length: 5 }, () => values(source, 'pause')));
    await vi.waitFor(
      async () =>
        expect(
          (await admin.query("select 1 from pg_stat_activity where state = 'active' and query like 'select pg_sleep(0.2)%'"))
            .rows,
        ).toHaveLength(5),
      { timeout: 15_000 },
    );
    await end();
    expect(await working).toEqual(Array.from({ length: 5 }, () => ['Adele']));

    const through = await proxy();
    for (let round = 0; round < 10; round++) {
      const mixed = postgres(
        { it: 'select name as v from people where upn = $1' },
        { ports: [through.port], limits: { operation: '10s', concurrency: 10 } },
      );
      await Promise.all(Array.from({ length: 10 }, () => values(mixed, 'it')));
      const some = Promise.all(Array.from({ length: 5 }, () => values(mixed, 'it')));
      through.cut();
      expect(await some).toEqual(Array.from({ length: 5 }, () => ['Adele']));
      await mixed.close();
    }
  });

  it('without a server at their end are given up together, and another host is used', async () => {
    const faulty = await proxy();
    const source = postgres(
      { it: 'select name as v from people where upn = $1' },
      { ports: [faulty.port, database.port], limits: { connect: '500ms', operation: '10s', concurrency: 5 } },
    );
    await Promise.all(Array.from({ length: 5 }, () => values(source, 'it')));
    expect(faulty.connections).toBe(5);
    faulty.blackHole();
    let lost = 0;
    await vi.waitFor(
      async () => {
        const outcome = await ask(source, 'it', ['v'], 'adele', AbortSignal.timeout(300));
        if (outcome.kind !== 'found') lost++;
        expect(outcome.kind).toBe('found');
      },
      { timeout: 20_000, interval: 150 },
    );
    expect(lost).toBeLessThan(5);
  });

  it('go to the next host where one is down, and back to the preferred one', async () => {
    const [preferred, other] = [await proxy(), await proxy()];
    const source = postgres({ it: 'select name as v from people where upn = $1' }, { ports: [preferred.port, other.port] });
    await preferred.refuse();
    expect(await values(source, 'it')).toEqual(['Adele']);
    expect([preferred.accepted, other.accepted]).toEqual([0, 1]);
    await preferred.restore();
    later(6_000);
    await vi.waitFor(
      async () => {
        expect(await values(source, 'it')).toEqual(['Adele']);
        expect(preferred.accepted).toBe(1);
        expect(source.logged).toHaveLength(1);
      },
      { timeout: 15_000 },
    );
    other.blackHole();
    expect(await values(source, 'it')).toEqual(['Adele']);
  });

  it('are given back where the abort comes in the same turn as the session', async () => {
    for (let hops = 0; hops < 12; hops++) {
      const source = postgres(
        { it: 'select name as v from people where upn = $1' },
        { limits: { concurrency: 1, connect: '1s' } },
      );
      const abort = new AbortController();
      const after = (left: number): void => (left === 0 ? abort.abort() : queueMicrotask(() => after(left - 1)));
      const works = vi.spyOn(HostList.prototype, 'works').mockImplementationOnce(() => after(hops));
      await ask(source, 'it', ['v'], 'adele', abort.signal);
      works.mockRestore();
      expect([hops, await values(source, 'it')]).toEqual([hops, ['Adele']]);
    }
  });

  it('are never opened without TLS where TLS is asked for', async () => {
    for (const answer of ['N', 'E', 'SS', '']) {
      const received: Buffer[] = [];
      const server = createServer((socket) => {
        socket.on('error', () => undefined).on('data', (chunk) => received.push(chunk));
        socket.once('data', () => socket.end(answer));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const source = postgres({ it: 'select $1' }, { ports: [(server.address() as AddressInfo).port], tls: 'verify-full' });
      expect(await ask(source, 'it')).toMatchObject({ kind: 'unavailable', reason: 'connection' });
      // SSLRequest, and nothing of ours after it
      expect(Buffer.concat(received).toString('hex')).toBe('0000000804d2162f');
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
