import { describe, expect, it } from 'vitest';
import { HostList } from './host-list.js';

describe('HostList', () => {
  it('prefers the hosts that work, in the order of the configuration, and still offers the others', () => {
    const list = new HostList(['a', 'b', 'c']);
    expect(list.inOrder()).toEqual(['a', 'b', 'c']);
    list.failed('a');
    expect(list.inOrder()).toEqual(['b', 'c', 'a']);
    list.failed('b');
    expect(list.inOrder()).toEqual(['c', 'a', 'b']);
    list.works('a');
    expect(list.inOrder()).toEqual(['a', 'c', 'b']);
  });

  it('says once at a time that a failed host before the present one is due', () => {
    let now = 0;
    const list = new HostList(['a', 'b', 'c'], 5_000, () => now);
    list.failed('a');
    list.failed('c');
    now = 4_999;
    expect(list.takeDue('b')).toEqual([]);
    now = 5_000;
    expect(list.takeDue('b')).toEqual(['a']);
    expect(list.takeDue('b')).toEqual([]);
    now = 10_000;
    expect(list.takeDue('a')).toEqual([]);
    expect(list.takeDue('b')).toEqual(['a']);
    list.works('a');
    now = 99_999;
    expect(list.takeDue('b')).toEqual([]);
  });
});
