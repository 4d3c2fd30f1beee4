import type { LookupAddress } from 'node:dns';
import { startDnsServer, type RunningDnsServer } from '#testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NameService } from './name-service.js';

let dns: RunningDnsServer;
beforeEach(async () => {
  dns = await startDnsServer({ addresses: { 'dc1.corp.example': ['127.0.0.1', '127.0.0.2'] } });
});
afterEach(() => dns.stop());

function ask(names: NameService, host: string, options: { all?: boolean; family?: number } = { all: true }): Promise<unknown> {
  return new Promise((resolve) =>
    names.lookup(host, options, (error, address: string | LookupAddress[]) => resolve(error?.code ?? address)),
  );
}

describe('the addresses of a host', () => {
  it('are those that DNS has, all of them or the first, of the family that is wanted', async () => {
    const names = new NameService([dns.address], 50);
    expect(await ask(names, 'dc1.corp.example')).toEqual([
      { address: '127.0.0.1', family: 4 },
      { address: '127.0.0.2', family: 4 },
    ]);
    expect(await ask(names, 'dc1.corp.example', {})).toBe('127.0.0.1');
    expect(await ask(names, 'dc1.corp.example', { family: 6 })).toBe('ENOTFOUND');
    expect(await ask(names, 'dc9.corp.example')).toBe('ENOTFOUND');
  });

  it.each(['refuses', 'silent'] as const)('are those known last while DNS %s', async (how) => {
    const names = new NameService([dns.address], 50);
    const known = await ask(names, 'dc1.corp.example');
    dns.fail(how);
    expect(await ask(names, 'dc1.corp.example')).toEqual(known);
    dns.serve({ addresses: { 'dc1.corp.example': ['127.0.0.3'] } });
    await expect.poll(() => ask(names, 'dc1.corp.example'), { timeout: 10_000 }).toEqual([{ address: '127.0.0.3', family: 4 }]);
  });

  it('are asked for once, however many wait', async () => {
    const names = new NameService([dns.address], 50);
    await Promise.all(Array.from({ length: 50 }, () => ask(names, 'dc1.corp.example')));
    expect(dns.questions.toSorted()).toEqual(['A dc1.corp.example', 'AAAA dc1.corp.example']);
  });

  it('are had beforehand where they are remembered', async () => {
    const names = new NameService([dns.address], 50);
    await names.remember(['127.0.0.1', 'dc9.corp.example', 'dc1.corp.example']);
    expect(dns.questions.some((question) => question.includes('127'))).toBe(false);
    dns.fail('silent');
    expect(await ask(names, 'dc1.corp.example')).toHaveLength(2);
  });

  it('are the system’s without servers of our own', async () => {
    expect(await ask(new NameService(undefined, 50), 'localhost')).toContainEqual({ address: '127.0.0.1', family: 4 });
  });
});
