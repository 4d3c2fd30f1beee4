import type { Logger } from '#observability';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RefusalLog } from './refusal-log.js';

let lines: object[];
const log = { warn: (fields: object) => lines.push(fields) } as unknown as Logger;

beforeEach(() => {
  vi.useFakeTimers();
  lines = [];
});
afterEach(() => vi.useRealTimers());

const admitted = (refusals: RefusalLog, code: string, peers: readonly string[]): number =>
  peers.filter((peer) => refusals.admits(code, peer)).length;
const times = (count: number, peer: string): readonly string[] => Array.from({ length: count }, () => peer);

it('gives a peer so many lines of a kind in a minute, and tells the rest by number', () => {
  const refusals = new RefusalLog('public', 3, log);
  expect(admitted(refusals, 'route.unknown', times(10, '192.0.2.1'))).toBe(3);
  expect(admitted(refusals, 'request.tooLarge', times(2, '192.0.2.1'))).toBe(2);
  expect(admitted(refusals, 'route.unknown', times(2, '192.0.2.2'))).toBe(2);
  expect(lines).toEqual([]);
  vi.advanceTimersByTime(60_000);
  expect(lines).toEqual([{ door: 'public', code: 'route.unknown', count: 7 }]);
  expect(admitted(refusals, 'route.unknown', times(4, '192.0.2.1'))).toBe(3);
  vi.advanceTimersByTime(60_000);
  expect(lines).toHaveLength(2);
  vi.advanceTimersByTime(600_000);
  expect(lines).toHaveLength(2);
});

it('gives all peers together ten times as many', () => {
  const refusals = new RefusalLog('public', 3, log);
  const peers = Array.from({ length: 100 }, (_, index) => `192.0.2.${index}`);
  expect(admitted(refusals, 'route.unknown', peers)).toBe(30);
});

it('does not let a peer without lines use up those of the others', () => {
  const refusals = new RefusalLog('public', 3, log);
  admitted(refusals, 'route.unknown', times(1_000, '192.0.2.1'));
  expect(admitted(refusals, 'route.unknown', times(3, '192.0.2.2'))).toBe(3);
});

it('leaves out nothing that a known caller meets', () => {
  const refusals = new RefusalLog('public', 1, log);
  expect(admitted(refusals, 'claims.unavailable', times(100, '192.0.2.1'))).toBe(100);
});

it('tells at the end what is still untold', () => {
  const refusals = new RefusalLog('management', 1, log);
  admitted(refusals, 'route.unknown', times(3, '192.0.2.1'));
  refusals.close();
  expect(lines).toEqual([{ door: 'management', code: 'route.unknown', count: 2 }]);
  vi.advanceTimersByTime(600_000);
  expect(lines).toHaveLength(1);
});
