import { describe, expect, it } from 'vitest';
import { FailureLimit } from './failure-limit.js';

let clock: number;

function limit(failures = 3) {
  clock = Date.UTC(2026, 0, 1);
  const exceeded: string[] = [];
  const of = new FailureLimit({ failures, window: 60_000, onExceeded: (peer) => exceeded.push(peer), now: () => clock });
  const times = (count: number, address = '192.0.2.1'): number[] => Array.from({ length: count }, () => of.count(address));
  return { times, exceeded };
}

describe('the failures of a peer', () => {
  it('are counted up to the limit, then the rest of the window is told', () => {
    const { times } = limit();
    expect(times(3)).toEqual([0, 0, 0]);
    clock += 20_000;
    expect(times(2)).toEqual([40_000, 40_000]);
  });

  it('are forgiven when the window is over, however many they were', () => {
    const { times } = limit();
    times(1_000);
    clock += 59_999;
    expect(times(1)).toEqual([1]);
    clock += 1;
    expect(times(4)).toEqual([0, 0, 0, 60_000]);
  });

  it('are forgiven when the clock is set back', () => {
    const { times } = limit();
    times(10);
    clock -= 1;
    expect(times(1)).toEqual([0]);
  });

  it('are reported once a window', () => {
    const { times, exceeded } = limit();
    times(3);
    expect(exceeded).toEqual([]);
    times(10);
    clock += 60_000;
    times(10);
    expect(exceeded).toEqual(['192.0.2.1', '192.0.2.1']);
  });

  it('belong to that peer', () => {
    const { times } = limit();
    times(10);
    expect(times(1, '192.0.2.2')).toEqual([0]);
  });

  it.each([
    ['192.0.2.1', '::ffff:192.0.2.1'],
    ['192.0.2.1', '::FFFF:C000:201'],
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff'],
    ['fe80::1%eth0', 'fe80::2'],
  ])('%s and %s are one peer', (one, other) => {
    const { times } = limit();
    times(3, one);
    expect(times(1, other)).toEqual([60_000]);
  });

  it.each([
    ['192.0.2.1', '192.0.2.2'],
    ['2001:db8:1:2::1', '2001:db8:1:3::1'],
  ])('%s and %s are two', (one, other) => {
    const { times } = limit();
    times(3, one);
    expect(times(1, other)).toEqual([0]);
  });

  it('are bounded in memory: the peer heard of longest ago is forgotten', () => {
    const { times } = limit(1);
    times(1, '192.0.2.1');
    for (let peer = 0; peer < 10_000; peer += 1) times(1, `10.1.${peer >> 8}.${peer & 255}`);
    expect(times(1, '10.1.39.15')).toEqual([60_000]);
    expect(times(1, '192.0.2.1')).toEqual([0]);
  });
});
