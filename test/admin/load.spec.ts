import { afterAll, beforeAll, expect, it } from 'vitest';
import { applications, eventFor, eventText } from '../e2e/event.js';
import { startAdminStack, type AdminStack } from './admin-stack.js';

let stack: AdminStack;
beforeAll(async () => {
  stack = await startAdminStack();
});
afterAll(() => stack[Symbol.asyncDispose]());

it('bounds what operators have worked out at the same time', async () => {
  // Every preview waits for the directory until it gives up.
  await stack.post(eventText(applications.billingPortal));
  stack.directoryProxy.blackHole();
  const body = { tenant: 'contoso', event: eventFor(applications.billingPortal) };
  const previews = await Promise.all(Array.from({ length: 100 }, () => stack.ask('POST', '/admin/v1/preview', { body })));
  await stack.directoryProxy.restore();
  const statuses = previews.map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([200, 429]));
  // Twenty have a place at once. Whoever comes later than others are done may have theirs.
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(20);
  const { json, headers } = previews.find(({ status }) => status === 429)!;
  expect(json).toMatchObject({ code: 'admin.busy', remedy: expect.any(String) });
  expect(headers.get('retry-after')).toBe('1');
});
