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
    now = 15_000;
    expect(list.takeDue('a')).toEqual([]);
    expect(list.takeDue('b')).toEqual(['a']);
    list.works('a');
    now = 99_999;
    expect(list.takeDue('b')).toEqual([]);
  });

  it('has a host tried after twice the time where it fails in a trial or soon after, and as at first where it worked for long', () => {
    let now = 0;
    const list = new HostList(['a', 'b'], 5_000, () => now, 15_000);
    const dueAfter = (): number => {
      for (const failed = now; ; now += 1_000) if (list.takeDue('b').length > 0) return now - failed;
    };
    list.failed('a');
    expect(dueAfter()).toBe(5_000);
    list.failed('a');
    expect(dueAfter()).toBe(10_000);
    list.works('a');
    now += 14_000;
    list.failed('a');
    expect(dueAfter()).toBe(15_000);
    list.works('a');
    list.works('a');
    list.failed('a');
    expect(dueAfter()).toBe(15_000);
    list.works('a');
    now += 15_000;
    list.failed('a');
    expect(dueAfter()).toBe(5_000);
  });

  it('names the better hosts than the present one: those that work, and those that are due', () => {
    let now = 0;
    const list = new HostList(['a', 'b', 'c'], 5_000, () => now);
    expect(list.takeBetter('a')).toEqual([]);
    expect(list.takeBetter('c')).toEqual(['a', 'b']);
    list.failed('a');
    expect(list.takeBetter('c')).toEqual(['b']);
    now = 5_000;
    expect(list.takeBetter('c')).toEqual(['a', 'b']);
    expect(list.takeBetter('c')).toEqual(['b']);
  });

  it('takes another list, and keeps what it knows; a host that is not on it has every other before it', () => {
    const list = new HostList(['a', 'b'], 5_000, () => 0);
    list.failed('b');
    list.failed('a');
    list.replace(['b', 'c']);
    expect(list.inOrder()).toEqual(['c', 'b']);
    expect(list.takeBetter('a')).toEqual(['c']);
    list.replace(['a', 'b', 'c']);
    expect(list.inOrder()).toEqual(['a', 'c', 'b']);
  });
});
