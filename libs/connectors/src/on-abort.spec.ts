import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { onAbort } from './on-abort.js';

describe('onAbort', () => {
  it('tells whoever still waits, once', () => {
    const work = new AbortController();
    const told: string[] = [];
    onAbort(work.signal, () => told.push('first'));
    const letGo = onAbort(work.signal, () => told.push('second'));
    onAbort(work.signal, () => told.push('third'));
    letGo();
    work.abort();
    work.abort();
    expect(told).toEqual(['first', 'third']);
  });

  it('lets one that is told take others along', () => {
    const work = new AbortController();
    const told: string[] = [];
    onAbort(work.signal, () => {
      told.push('first');
      letGo();
    });
    const letGo = onAbort(work.signal, () => told.push('second'));
    work.abort();
    expect(told).toEqual(['first']);
  });

  it('has one listener for each signal, whoever waited', () => {
    const work = new AbortController();
    for (let each = 0; each < 100; each++) onAbort(work.signal, () => undefined)();
    expect(getEventListeners(work.signal, 'abort')).toHaveLength(1);
  });

  it('tells nobody of a signal that aborted before', () => {
    const told: string[] = [];
    onAbort(AbortSignal.abort(), () => told.push('late'));
    expect(told).toEqual([]);
  });
});
