import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { EventLoopLag } from './event-loop-lag.js';

let lag: EventLoopLag;
afterEach(() => lag.close());

it('follows a process that cannot keep up, and forgets it afterwards', async () => {
  lag = new EventLoopLag();
  expect(lag.milliseconds).toBe(0);
  let highest = 0;
  for (let blocked = 0; blocked < 8; blocked += 1) {
    const until = performance.now() + 100;
    while (performance.now() < until);
    await wait(0);
    highest = Math.max(highest, lag.milliseconds);
  }
  expect(highest).toBeGreaterThan(40);
  await expect.poll(() => lag.milliseconds).toBeLessThan(highest / 2);
});
